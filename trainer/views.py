"""What undoing disguises is worth: what a model flags by texts as written, and by all views."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from moderation.classifier import Classifier, Scores, merge
from moderation.policy import Policy
from moderation.text import views

_TOGETHER = 32  # pieces scored at once
GAIN, ALARMS = ("evasions", "toxic"), ("mirror", "clean")  # what should be flagged, what shouldn't


@dataclass(frozen=True, slots=True)
class Flagged:
    """Whether a text, one of a kind within a suite, reaches a threshold by the highest score of its
    views."""

    suite: str
    kind: str
    text: str
    by_views: bool


@dataclass(frozen=True, slots=True)
class View:
    """How many texts of a kind reach a threshold as written, and by all their views."""

    suite: str
    kind: str
    n: int
    as_written: int
    by_views: int


def compare(classifier: Classifier, policy: Policy, texts: Sequence[Flagged]) -> list[View]:
    """The texts of each kind, judged without and with their views, in the order of the kinds.

    Only texts that have more than one view are scored again.
    """
    disguised = [i for i, item in enumerate(texts) if len(views(item.text)) > 1]
    scores = _as_written(classifier, [texts[i].text for i in disguised])
    limits = {category: rule.threshold for category, rule in policy.rules.items()}
    written = [item.by_views for item in texts]
    for i, found in zip(disguised, scores, strict=True):
        written[i] = any(found[c] >= limit for c, limit in limits.items() if c in found)
    kinds: dict[tuple[str, str], list[tuple[bool, bool]]] = {}
    for item, flagged in zip(texts, written, strict=True):
        kinds.setdefault((item.suite, item.kind), []).append((flagged, item.by_views))
    return [
        View(suite, kind, len(pairs), sum(a for a, _ in pairs), sum(b for _, b in pairs))
        for (suite, kind), pairs in kinds.items()
    ]


def total(found: Sequence[View], suite: str) -> View:
    """All kinds of a suite as one."""
    own = [view for view in found if view.suite == suite]
    sums = (sum(getattr(view, name) for view in own) for name in ("n", "as_written", "by_views"))
    return View(suite, "all", *sums)


def table(found: Sequence[View]) -> Iterator[str]:
    """The lines of a table: of each kind what is flagged without the views and with them."""
    yield f"{'disguises':15}{'kind':28}{'n':>6}{'without':>9}{'with':>6}{'share':>16}"
    for suite in dict.fromkeys(view.suite for view in found):
        said = "recall" if suite in GAIN else "false alarms"
        own = [view for view in found if view.suite == suite]
        for view in own if len(own) == 1 else [*own, total(own, suite)]:
            share = f"{view.as_written / view.n:>7.1%} {view.by_views / view.n:>7.1%}"
            counts = f"{view.n:>6}{view.as_written:>9}{view.by_views:>6}"
            yield f"{view.suite:15}{view.kind:28}{counts} {share}  {said}"


def _as_written(classifier: Classifier, texts: Sequence[str]) -> list[Scores]:
    owned = [
        (i, piece) for i, text in enumerate(texts) for piece in classifier.encode(views(text)[0])
    ]
    owned.sort(key=lambda pair: len(pair[1]))
    rows: list[list[list[float]]] = [[] for _ in texts]
    for start in range(0, len(owned), _TOGETHER):
        batch = owned[start : start + _TOGETHER]
        found = classifier.score([piece for _, piece in batch]).tolist()
        for (owner, _), row in zip(batch, found, strict=True):
            rows[owner].append(row)
    return [merge(classifier.categories, own) for own in rows]
