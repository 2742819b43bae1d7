"""Suites of our own texts: what a model must get right whatever its figures on the test rows.

Functional cases (after HateCheck, Röttger et al. 2021), identity counterfactuals, disguises with
harmless oddities as their mirror, and regressions. They are for judging only: never train on them.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from moderation.categories import TOXIC, Category
from moderation.classifier import Classifier, ModelError, Scores, TorchClassifier, score_texts
from moderation.policy import PRESETS, Policy
from trainer import views
from trainer.config import TrainingError
from trainer.views import Flagged, View

DATA = Path(__file__).parent / "suites"
SUITES = ("functional", "counterfactual", "evasions", "mirror", "regressions")
_WORST = 10  # swaps that the report lists


@dataclass(frozen=True, slots=True)
class Case:
    """A text with the labels that the guideline demands; a category left out isn't judged.

    `any_toxic` stands for a disguise: it must reach some category's threshold.
    """

    suite: str
    function: str
    text: str
    expected: Mapping[Category, int]
    any_toxic: bool = False
    term: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The scores of a case, and the categories for which the decision is wrong."""

    case: Case
    scores: Scores
    wrong: tuple[Category, ...]

    @property
    def passed(self) -> bool:
        """Whether the decision agrees with every label."""
        return not self.wrong


@dataclass(frozen=True, slots=True)
class Rate:
    """How many cases of a function pass."""

    suite: str
    function: str
    n: int
    passed: int


@dataclass(frozen=True, slots=True)
class Gap:
    """How much a term alone changes a model: mean score and share of alarms in neutral contexts,
    mean discrimination score in hostile ones, each minus the mean over all terms.
    """

    term: str
    neutral: float
    alarms: float
    hostile: float


@dataclass(frozen=True, slots=True)
class Swap:
    """Two texts that differ in the identity alone, with their highest toxic scores."""

    low: str
    high: str
    low_score: float
    high_score: float


@dataclass(frozen=True, slots=True)
class Result:
    """What the suites say about a model."""

    rates: tuple[Rate, ...]
    gaps: tuple[Gap, ...]
    swaps: tuple[Swap, ...]
    failures: tuple[Outcome, ...]
    views: tuple[View, ...] = ()


def load() -> list[Case]:
    """Every case of every suite, in the order of `SUITES`."""
    return [*_functional("functional"), *_counterfactual(), *_disguised(), *_functional("mirror"),
            *_functional("regressions")]  # fmt: skip


def run(classifier: Classifier, policy: Policy = PRESETS["standard"]) -> Result:
    """Score all cases as messages are scored, and judge them by the thresholds of `policy`."""
    cases = load()
    scores = score_texts(classifier, [case.text for case in cases])
    outcomes = [judge(c, s, policy) for c, s in zip(cases, scores, strict=True)]
    counterfactual = [o for o in outcomes if o.case.suite == "counterfactual"]
    return Result(
        rates=tuple(_rates(outcomes)),
        gaps=tuple(_gaps(counterfactual)),
        swaps=tuple(_swaps(counterfactual)),
        failures=tuple(o for o in outcomes if not o.passed),
        views=tuple(views.compare(classifier, policy, [*_flagged(outcomes)])),
    )


def judges(model: Path, preset: str) -> tuple[Classifier, Policy]:
    """The model of a directory and the policy of a preset.

    Raises TrainingError if there is no such model or preset.
    """
    if preset not in PRESETS:
        msg = f"{preset}: no such preset; known are {', '.join(PRESETS)}"
        raise TrainingError(msg)
    try:
        return TorchClassifier(model), PRESETS[preset]
    except ModelError as error:
        raise TrainingError(str(error)) from error


def judge(case: Case, scores: Scores, policy: Policy) -> Outcome:
    """Compare what reaches its threshold with what should."""
    known = {c: rule.threshold for c, rule in policy.rules.items() if c in scores}
    over = {c: scores[c] >= threshold for c, threshold in known.items()}
    if case.any_toxic:
        return Outcome(case, scores, () if any(over.values()) else tuple(over))
    wrong = (c for c, label in case.expected.items() if c in over and over[c] != bool(label))
    return Outcome(case, scores, tuple(wrong))


def report(result: Result) -> str:
    """The pass rate of each function and suite, gaps of each term and the worst swaps, in words."""
    lines = [f"{'suite':15}{'function':28}{'n':>5}{'passed':>8}{'rate':>8}"]
    for suite in SUITES:
        rows = [rate for rate in result.rates if rate.suite == suite]
        lines += [_line(rate) for rate in rows]
        total = Rate(suite, "all", sum(r.n for r in rows), sum(r.passed for r in rows))
        lines += [_line(total), ""]
    if result.views:
        lines += [*views.table(result.views), ""]
    lines.append(f"{'term':15}{'neutral score':>15}{'neutral alarms':>16}{'hostile score':>15}")
    lines += [
        f"{gap.term:15}{gap.neutral:>+15.3f}{gap.alarms:>+16.3f}{gap.hostile:>+15.3f}"
        for gap in result.gaps
    ]
    lines += ["", "worst swaps:"]
    lines += [f"  {s.low_score:.2f} {s.low}  ->  {s.high_score:.2f} {s.high}" for s in result.swaps]
    return "\n".join(lines)


def describe(failure: Outcome) -> str:
    """One failed case in a line: what was missed (-) or wrongly found (+), and the text."""
    case = failure.case
    if case.any_toxic:
        return f"{case.suite}/{case.function}: -any: {case.text}"
    signs = {c: "-" if case.expected[c] else "+" for c in failure.wrong}
    shown = (f"{sign}{c} {failure.scores[c]:.2f}" for c, sign in signs.items())
    return f"{case.suite}/{case.function}: {', '.join(shown)}: {case.text}"


def write(result: Result, target: Path) -> None:
    """Write the result as JSON; raises TrainingError if that can't be done."""
    try:
        target.write_text(json.dumps(asdict(result), ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        msg = f"{target}: {error.strerror}"
        raise TrainingError(msg) from error


def disguises() -> list[tuple[str, str, str]]:
    """Kind, disguised text and plain text of each evasion."""
    return [(row["kind"], row["text"], row["plain"]) for row in _rows("evasions")]


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with (DATA / f"{name}.jsonl").open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _functional(suite: str) -> Iterator[Case]:
    harmless: dict[Category, int] = dict.fromkeys(TOXIC, 0)
    for row in _rows(suite):
        labels = row.get("expected")
        expected = {Category(c): n for c, n in labels.items()} if labels else harmless
        yield Case(suite, row["function"], row["text"], expected)


def _disguised() -> Iterator[Case]:
    for kind, text, _ in disguises():
        yield Case("evasions", kind, text, {}, any_toxic=True)


def _counterfactual() -> Iterator[Case]:
    terms = list(_table("identities"))
    neutral: dict[Category, int] = dict.fromkeys(TOXIC, 0)
    for context in _table("contexts"):
        hostile, template = context["hostile"] == "1", context["template"]
        expected = {Category.DISCRIMINATION: 1} if hostile else neutral
        function = "hostile" if hostile else "neutral"
        for forms in terms:
            text = template.format(**forms)
            text = text[0].upper() + text[1:]
            yield Case("counterfactual", function, text, expected, False, forms["term"], template)


def _table(name: str) -> Iterator[dict[str, str]]:
    with (DATA / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t")


def _rates(outcomes: Iterable[Outcome]) -> Iterator[Rate]:
    passed: dict[tuple[str, str], list[bool]] = {}
    for outcome in outcomes:
        key = (outcome.case.suite, outcome.case.function)
        passed.setdefault(key, []).append(outcome.passed)
    for (suite, function), results in passed.items():
        yield Rate(suite, function, len(results), sum(results))


def _flagged(outcomes: Iterable[Outcome]) -> Iterator[Flagged]:
    """The disguises and their mirror: a disguise passes if it's flagged, a mirror's case if not."""
    for outcome in outcomes:
        case = outcome.case
        if case.suite in (*views.GAIN, *views.ALARMS):
            yield Flagged(case.suite, case.function, case.text, outcome.passed == case.any_toxic)


def _gaps(outcomes: Sequence[Outcome]) -> list[Gap]:
    neutral = [o for o in outcomes if o.case.function == "neutral"]
    hostile = [o for o in outcomes if o.case.function == "hostile"]
    score = _by_term(neutral, [_highest(o) for o in neutral])
    alarms = _by_term(neutral, [float(not o.passed) for o in neutral])
    found = _by_term(hostile, [o.scores.get(Category.DISCRIMINATION, 0.0) for o in hostile])
    gaps = [Gap(term, score[term], alarms[term], found[term]) for term in score]
    return sorted(gaps, key=lambda gap: gap.neutral, reverse=True)


def _by_term(outcomes: Sequence[Outcome], values: Sequence[float]) -> dict[str, float]:
    """The mean of each term's values minus the mean of all."""
    grouped: dict[str, list[float]] = {}
    for outcome, value in zip(outcomes, values, strict=True):
        grouped.setdefault(outcome.case.term, []).append(value)
    centre = mean(values)
    return {term: round(mean(own) - centre, 4) for term, own in grouped.items()}


def _swaps(outcomes: Sequence[Outcome]) -> list[Swap]:
    """The widest gap that a swap opens in each template, the widest first."""
    grouped: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        grouped.setdefault(outcome.case.template, []).append(outcome)
    swaps = []
    for group in grouped.values():
        low, high = min(group, key=_highest), max(group, key=_highest)
        swaps.append(Swap(low.case.text, high.case.text, _highest(low), _highest(high)))
    swaps.sort(key=lambda swap: swap.low_score - swap.high_score)
    return swaps[:_WORST]


def _highest(outcome: Outcome) -> float:
    return round(max(outcome.scores.get(category, 0.0) for category in TOXIC), 4)


def _line(rate: Rate) -> str:
    share = f"{rate.passed / rate.n:.3f}" if rate.n else "-"
    return f"{rate.suite:15}{rate.function:28}{rate.n:>5}{rate.passed:>8}{share:>8}"
