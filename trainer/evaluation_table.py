"""An evaluation as lines of text that a person understands."""

from collections.abc import Iterator

from moderation.categories import Category
from trainer import views
from trainer.findings import CANDIDATE, MACRO, Evaluation, Figure, SliceFigures

_ROWS = (MACRO, *map(str, Category))
_WIDTH = 24


def table(found: Evaluation) -> str:
    """Quality of all models by category, the candidate's decisions, differences and slices."""
    data = found.data
    lines = [
        f"{data.name}, {data.part}: {data.rows} texts in {data.groups} groups, "
        f"data {data.digest[:12]}; 95 % intervals from {found.resamples} resamples of "
        f"groups, seed {found.seed}",
        *found.notes,
        "",
        *_figure(found, "ap", "average precision (AP)"),
        *_figure(found, "roc_auc", "ROC-AUC"),
        *_decisions(found),
        *_differences(found),
        *_slices(found),
        *_trials(found),
        *_disguises(found),
    ]
    return "\n".join(lines)


def _figure(found: Evaluation, figure: str, title: str) -> Iterator[str]:
    yield f"{title:{_WIDTH}}" + "".join(f"{m.name:>{_WIDTH}}" for m in found.models)
    for row in _ROWS:
        cells = (_interval(getattr(m.of(row), figure)) for m in found.models)
        yield f"{row:{_WIDTH}}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)
    yield ""


def _decisions(found: Evaluation) -> Iterator[str]:
    names = ("precision", "recall", "f1")
    title = f"decisions, {found.preset}"
    heads = "".join(f"{name:>{_WIDTH}}" for name in names)
    yield f"{title:{_WIDTH}}{'threshold':>10}{heads}{'Brier':>8}{'ECE':>8}{'positive':>10}"
    for row in _ROWS:
        figures = found.candidate.of(row)
        limit = "" if figures.threshold is None else f"{figures.threshold:.2f}"
        cells = "".join(f"{_interval(getattr(figures, name)):>{_WIDTH}}" for name in names)
        errors = f"{_number(figures.brier.value):>8}{_number(figures.ece.value):>8}"
        yield f"{row:{_WIDTH}}{limit:>10}{cells}{errors}{figures.support or '':>10}"
    if toxic := found.candidate.any_toxic:
        cells = "".join(f"{_interval(f):>{_WIDTH}}" for f in (toxic.precision, toxic.recall))
        yield f"{'any toxic':{_WIDTH}}{'':10}{cells}, false alarms {_interval(toxic.false_alarms)}"
    yield ""


def _differences(found: Evaluation) -> Iterator[str]:
    for comparison in found.comparisons:
        title = f"{comparison.a} - {comparison.b}"
        yield (
            f"{title:{_WIDTH}}{'AP':>28}{'p':>8}{'ROC-AUC':>28}{'p':>8}"
            f"{'right alone':>14}{'wrong alone':>14}{'McNemar p':>12}"
        )
        for row in _ROWS:
            both = (comparison.of(row, "ap"), comparison.of(row, "roc_auc"))
            cells = "".join(f"{_interval(d, signed=True):>28}{_number(d.p):>8}" for d in both)
            test = comparison.mcnemar.get(row)
            counts = f"{test.only_a_right:>14}{test.only_b_right:>14}" if test else ""
            yield f"{row:{_WIDTH}}{cells}{counts}" + (f"{_number(test.p_holm):>12}" if test else "")
        yield ""


def _slices(found: Evaluation) -> Iterator[str]:
    yield (
        f"{'slice, any toxic':34}{'texts':>8}{'toxic':>8}{'AP':>8}{'ROC-AUC':>9}{'recall':>8}"
        f"{'false alarms':>14}{'at most':>9}"
    )
    for part in found.slices:
        figures = part.models.get(CANDIDATE, SliceFigures())
        yield (
            f"{part.name[:33]:34}{part.n:>8}{part.support:>8}{_number(figures.ap):>8}"
            f"{_number(figures.roc_auc):>9}{_number(figures.recall):>8}"
            f"{_percent(figures.false_alarms):>14}{_percent(figures.false_alarms_high):>9}"
        )
    yield ""


def _trials(found: Evaluation) -> Iterator[str]:
    """Speed, size and suites of each model."""
    for model in found.models:
        if model.speed:
            size = "" if model.size_bytes is None else f", {model.size_bytes / 1e6:.1f} MB"
            yield (
                f"{model.name}: {model.speed.texts_per_second:.0f} texts/s, alone 95 of 100 within "
                f"{model.speed.p95_ms:.1f} ms{size}"
            )
        if model.suites is None:
            continue
        passed: dict[str, tuple[int, int]] = {}
        for rate in model.suites.rates:
            right, n = passed.get(rate.suite, (0, 0))
            passed[rate.suite] = (right + rate.passed, n + rate.n)
        shown = ", ".join(f"{suite} {right} of {n}" for suite, (right, n) in passed.items())
        yield f"{model.name}: suites passed: {shown}"


def _disguises(found: Evaluation) -> Iterator[str]:
    """What the candidate flags of texts as they are written, and by all views."""
    if found.candidate.suites and found.candidate.suites.views:
        yield ""
        yield from views.table(found.candidate.suites.views)


def _interval(figure: Figure, *, signed: bool = False) -> str:
    if figure.value is None:
        return "-"
    sign = "+" if signed else ""
    bounds = ""
    if figure.low is not None and figure.high is not None:
        bounds = f" [{figure.low:{sign}.3f}, {figure.high:{sign}.3f}]"
    return f"{figure.value:{sign}.3f}{bounds}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
