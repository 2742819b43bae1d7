"""Which words of a text weighed most: leave one out, score again (occlusion, Zeiler and Fergus,
2014)."""

import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from moderation.categories import Category

Span = tuple[int, int]
Score = Callable[[Sequence[str]], Awaitable[Sequence[Mapping[Category, float]]]]

MOST_WORDS = 40  # of a longer text only these many from the start are tried
MOST_MARKS = 3
LEAST_DROP = 0.7  # of the log-odds: leaving the word out about halves the odds
_SHARE = 0.3  # of the largest drop
_WORD = re.compile(r"[^\s.,!?:;()\"«»…—–]+")
_EDGE = 1e-6


async def weigh(text: str, category: Category, score: Score) -> list[Span]:
    """The (start, end) of at most three words without which `category` would score clearly lower,
    in their order in the text; none for a text of one word, which speaks for itself."""
    words = [match.span() for match in _WORD.finditer(text)][:MOST_WORDS]
    if len(words) < 2:
        return []
    without = [text[:start] + text[end:] for start, end in words]
    whole, *rest = await score([text, *without])
    drops = [_logit(whole[category]) - _logit(scores[category]) for scores in rest]
    least = max(LEAST_DROP, _SHARE * max(drops))
    weighty = sorted((drop, span) for drop, span in zip(drops, words, strict=True) if drop >= least)
    return sorted(span for _, span in weighty[-MOST_MARKS:])


def _logit(probability: float) -> float:
    kept = min(max(probability, _EDGE), 1 - _EDGE)
    return math.log(kept / (1 - kept))
