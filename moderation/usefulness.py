"""What a label would teach: uncertainty, harm, and the difference from what was seen. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from moderation.categories import Category
from moderation.memory import SHORTEST
from moderation.policy import Policy

NEAR = 0.8  # from this similarity on, one answer is enough for two texts
COMPARISONS = 2000  # of texts with labelled ones for one choice, at most
_LETTERS = 600  # of a text that are compared

HARM: Mapping[Category, float] = {
    Category.THREAT: 1.0,
    Category.DISCRIMINATION: 1.0,
    Category.INSULT: 0.7,
    Category.OBSCENITY: 0.5,
    Category.RUDE: 0.35,
}

Grams = frozenset[str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open case that competes by its usefulness."""

    case_id: int
    chat_id: int
    text: str
    scores: Mapping[str, float]  # calibrated
    policy: Policy


def grams(text: str) -> Grams:
    """The runs of three signs of a text's beginning, case and spaces evened out."""
    plain = f" {' '.join(text[:_LETTERS].casefold().split())} "
    return frozenset(plain[i : i + 3] for i in range(len(plain) - 2))


def similarity(one: Grams, other: Grams) -> float:
    """Jaccard's: the common part of all grams of both, 1 for two texts without any."""
    smaller, larger = sorted((len(one), len(other)))
    if not larger:
        return 1.0
    common = len(one & other) if smaller else 0
    return common / (smaller + larger - common)


def uncertainty(score: float, threshold: float) -> float:
    """1 where the model can't say on which side of the threshold it is, 0 where it is sure."""
    if score < threshold:
        return max(score, 0.0) / threshold
    return max(1.0 - score, 0.0) / (1.0 - threshold) if threshold < 1 else 1.0


def usefulness(
    scores: Mapping[str, float], policy: Policy, text: Grams, recent: Iterable[Grams]
) -> float:
    """What a label would teach, 0 to 1: uncertainty and harm of the category where their product
    is highest, times the difference from the moderator's last answers."""
    worth = max(
        (
            uncertainty(scores[category.value], rule.threshold) * HARM[category]
            for category, rule in policy.rules.items()
            if category.value in scores
        ),
        default=0.0,
    )
    return worth * (1.0 - max((similarity(text, seen) for seen in recent), default=0.0))


def best(
    candidates: Sequence[Candidate],
    recent: Iterable[str] = (),
    labelled: Iterable[tuple[int, str]] = (),
) -> int | None:
    """The id of the most useful case, leaving out those that say nearly the same as a text
    (chat id, text) that was labelled in their group. The older one of equals."""
    seen = [grams(text) for text in recent]
    shown = {c.case_id: grams(c.text) for c in candidates}
    ranked = sorted(
        candidates,
        key=lambda c: (-usefulness(c.scores, c.policy, shown[c.case_id], seen), c.case_id),
    )
    known = [(chat_id, grams(text)) for chat_id, text in labelled if _is_telling(text)]
    left = COMPARISONS
    for candidate in ranked:
        others = [said for chat_id, said in known if chat_id == candidate.chat_id][:left]
        left -= len(others)
        near = (similarity(shown[candidate.case_id], said) >= NEAR for said in others)
        if not _is_telling(candidate.text) or not any(near):
            return candidate.case_id
    return None


def _is_telling(text: str) -> bool:
    """Long enough to mean the same each time."""
    return sum(char.isalnum() for char in text) >= SHORTEST
