"""The report's tables: figures of an evaluation as rows of words."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from moderation.categories import Category
from trainer.findings import BASE, CANDIDATE, CHAMPION, MACRO, Evaluation, Figure, Model, Slice
from trainer.suites import DATA, SUITES
from trainer.views import GAIN, total
from trainer.wording import category, count, decimal, model, percent, short, whole

_ORDER = (CANDIDATE, CHAMPION, BASE, "ngrams", "lexicon", "majority")
_SLICES = {"source": "Откуда тексты", "length": "Длина, слов"}
_SUITES = {
    "functional": "Виды речи",
    "counterfactual": "Одна фраза о разных людях",
    "evasions": "Замаскированные слова",
    "mirror": "Безобидное, похожее на маскировку",
    "regressions": "Обязательные случаи",
}
_VIEWED = _SUITES | {"toxic": "Токсичные строки", "clean": "Безобидные строки"}
_TERMS = 8  # names of people with the widest gaps


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, what stands below it in small type, and its arrow."""

    value: str
    note: str = ""
    arrow: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row, and what stands below its name in small type."""

    name: str
    cells: Sequence[Cell]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `marked` is the row to stand out."""

    title: str
    head: Sequence[str]
    rows: Sequence[Row]
    note: str = ""
    marked: str = ""


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str
    title: str
    share: bool = False


_METRICS = (
    _Metric("ap", "AP"),
    _Metric("roc_auc", "ROC-AUC"),
    _Metric("recall", "находит", share=True),
    _Metric("precision", "верно", share=True),
    _Metric("f1", "F1"),
    _Metric("brier", "Brier"),
    _Metric("ece", "ECE"),
)


def models(evaluation: Evaluation) -> list[Model]:
    """The models in the order of the columns: the candidate, what it may replace, baselines."""
    known = [m for name in _ORDER if (m := evaluation.model(name))]
    return [*known, *(m for m in evaluation.models if m not in known)]


def figures(evaluation: Evaluation) -> Iterator[Table]:
    """A table for the mean and each category: a figure a row, a model a column."""
    columns = models(evaluation)
    for kind in (MACRO, *Category):
        rows = [
            Row(metric.title, [_figure(evaluation, m, kind, metric) for m in columns])
            for metric in _METRICS
        ]
        best = evaluation.candidate.of(kind)
        note = ""
        if kind != MACRO:
            rows_, have = whole(best.n), count(best.support, "пример", "примера", "примеров")
            note = f"{have} из {rows_} текстов, порог {decimal(evaluation.threshold(kind))}"
        yield Table(category(kind), [short(m.name) for m in columns], rows, note)


def change(evaluation: Evaluation, kind: str, incumbent: str) -> Cell:
    """AP of the candidate and how it differs from the incumbent's."""
    value = decimal(evaluation.candidate.of(kind).ap.value)
    comparison = evaluation.comparison(incumbent)
    found = comparison.of(kind, "ap") if comparison else None
    if found is None or found.value is None:
        return Cell(value)
    arrow = {1: "▲", -1: "▼", 0: "≈"}[found.sign]
    return Cell(value, decimal(found.value, 3, sign=True), arrow)


def slices(evaluation: Evaluation, incumbent: str) -> Iterator[Table]:
    """Figures of parts of the rows, and false alarms in clean chat, a model a column."""
    for kind, title in _SLICES.items():
        # Where there are too few texts nothing is measured.
        found = [
            s
            for s in evaluation.slices
            if s.kind == kind and any(_of(s, CANDIDATE, name) is not None for name in _PARTS)
        ]
        rows = [
            Row(part.name, [
                Cell(shown(_of(part, CANDIDATE, name)), _before(part, incumbent, name, shown))
                for name, (_, shown) in _PARTS.items()
            ], count(part.n, "текст", "текста", "текстов"))
            for part in found
        ]  # fmt: skip
        if rows:
            yield Table(title, [said for said, _ in _PARTS.values()], rows, below(incumbent))


def clean_chat(evaluation: Evaluation) -> Table | None:
    """False alarms where nothing is wrong, with the upper end of the interval."""
    found = [s for s in evaluation.slices if s.kind == "clean_chat"]
    columns = [m for m in models(evaluation) if any(m.name in part.models for part in found)]
    rows = [
        Row(part.name, [
            Cell(percent(_of(part, m.name, "false_alarms"), 1),
                 f"до {percent(_of(part, m.name, 'false_alarms_high'), 1)}")
            for m in columns
        ], count(part.n, "текст", "текста", "текстов"))
        for part in found
    ]  # fmt: skip
    if not rows:
        return None
    note = "Какую долю безобидных сообщений модель задела бы; мелко — сколько самое большее."
    return Table("Спокойная переписка", [short(m.name) for m in columns], rows, note)


def _of(part: Slice, name: str, figure: str) -> float | None:
    found = part.models.get(name)
    value: float | None = getattr(found, figure) if found else None
    return value


def _before(part: Slice, incumbent: str, figure: str, shown: Callable[[float | None], str]) -> str:
    value = _of(part, incumbent, figure)
    return "" if value is None else shown(value)


def below(incumbent: str) -> str:
    """Whose figures the small type has."""
    return f"Мелко — {model(incumbent)}." if incumbent else ""


_PARTS: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "ap": ("AP", decimal),
    "recall": ("находит", percent),
    "precision": ("верно", percent),
    "false_alarms": ("ложных тревог", lambda share: percent(share, 1)),
}


def suites(evaluation: Evaluation) -> Iterator[Table]:
    """Cases right by suite and function, a judged model a column."""
    columns = [m for m in models(evaluation) if m.suites]
    titles = function_titles()
    for suite in SUITES:
        counts = [
            {r.function: (r.passed, r.n) for r in m.suites.rates if r.suite == suite}
            for m in columns
            if m.suites
        ]
        functions = list(dict.fromkeys(f for found in counts for f in found))
        if not functions:
            continue
        rows = [
            Row(titles.get(f, f), [_passed(found.get(f)) for found in counts]) for f in functions
        ]
        totals = [tuple(map(sum, zip(*found.values(), strict=True))) for found in counts]
        rows.insert(0, Row("Всего", [_passed(total) for total in totals]))
        yield Table(
            _SUITES.get(suite, suite), [short(m.name) for m in columns], rows, marked="Всего"
        )


def views(evaluation: Evaluation) -> Table | None:
    """What the candidate flags of disguises and of harmless texts, without and with its views."""
    found = evaluation.candidate.suites.views if evaluation.candidate.suites else []
    if not found:
        return None
    rows = []
    for suite in dict.fromkeys(view.suite for view in found):
        sums = total(found, suite)
        cells = [Cell(percent(n / sums.n, 1)) for n in (sums.as_written, sums.by_views)]
        name = f"{_VIEWED[suite]}: {'найдено' if suite in GAIN else 'ложных тревог'}"
        rows.append(Row(name, cells, count(sums.n, "текст", "текста", "текстов")))
    return Table("Что даёт раскрытие маскировки", ["без него", "с ним"], rows)


def gaps(evaluation: Evaluation) -> Table | None:
    """Names of people that raise false alarms most often, by the widest gap of any model."""
    columns = [m for m in models(evaluation) if m.suites and m.suites.gaps]
    found = [{g.term: g.alarms for g in m.suites.gaps} for m in columns if m.suites]
    if not found:
        return None
    terms = sorted(found[0], key=lambda term: -found[0][term])[:_TERMS]
    named = _titles("identities", "term", "nominative")
    rows = [
        Row(
            named.get(t, t),
            [Cell(decimal(100 * f[t], 1, sign=True) if t in f else "—") for f in found],
        )
        for t in terms
    ]
    return Table("Ложные тревоги из-за названия людей", [short(m.name) for m in columns], rows)


def _figure(evaluation: Evaluation, shown: Model, kind: str, metric: _Metric) -> Cell:
    figure: Figure = getattr(shown.of(kind), metric.name)
    if figure.value is None:
        return Cell("—")
    value = percent(figure.value) if metric.share else decimal(figure.value, 3)
    note = ""
    if figure.low is not None and figure.high is not None:
        digits, times = (0, 100) if metric.share else (2, 1)
        note = f"{decimal(times * figure.low, digits)}–{decimal(times * figure.high, digits)}"
    comparison = evaluation.comparison(shown.name)
    sign = comparison.of(kind, metric.name).sign if comparison else 0
    # The difference is the candidate's: a model that it surpasses stands lower.
    return Cell(value, note, {1: "▼", -1: "▲", 0: ""}[sign])


def _passed(found: tuple[int, ...] | None) -> Cell:
    if not found:
        return Cell("—")
    passed, n = found
    return Cell(percent(passed / n) if n else "—", f"{passed} из {n}")


def function_titles() -> dict[str, str]:
    """What the functions of the suites are called in Russian."""
    return _titles("titles", "function", "ru")


def _titles(table: str, key: str, value: str) -> dict[str, str]:
    with (DATA / f"{table}.tsv").open(encoding="utf-8", newline="") as file:
        return {row[key]: row[value] for row in csv.DictReader(file, delimiter="\t")}
