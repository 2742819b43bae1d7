"""The report on a candidate: one HTML file that needs no network, and charts for a phone."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from moderation.categories import Category
from trainer import (
    compare,
    findings,
    report_decisions,
    report_errors,
    report_plots,
    report_tables,
    score_table,
    wording,
)
from trainer.config import TrainingError
from trainer.findings import CANDIDATE, MACRO, Evaluation
from trainer.verdict import Outcome, Verdict

NAME = "report.html"
_WORDS = {
    Outcome.PASSED: ("✓", "да"),
    Outcome.NOT_APPLICABLE: ("·", "не важно"),
    Outcome.FAILED: ("✗", "нет"),
    Outcome.INSUFFICIENT: ("?", "мало данных"),
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture as a `data:` address, and what it shows in words."""

    title: str
    address: str
    note: str


# Two sentences each: what one sees, and what is good.
_CHARTS = (
    ("verdict", "Итог", "Точка — качество, черта — 95 % интервал. Правее — лучше."),
    (
        "roc",
        "ROC",
        "По горизонтали — какую долю безобидных сообщений модель заденет, по вертикали — какую "
        "долю нарушений найдёт, если менять порог. Чем ближе к левому верхнему углу, тем лучше.",
    ),
    (
        "pr",
        "Точность и полнота",
        "По горизонтали — какую долю нарушений модель находит, по вертикали — какая доля "
        "срабатываний верна. Чем ближе к правому верхнему углу, тем лучше.",
    ),
    (
        "reliability",
        "Сбывается ли оценка",
        "Из сообщений с оценкой 0,8 нарушением должны быть 80 %. Ниже серой линии модель слишком "
        "уверена, выше — слишком осторожна.",
    ),
)


def write(
    directory: Path, out: Path, against: str | None = None, new_labels: int | None = None
) -> Path:
    """Write report.html and the charts into `out`; returns the path of the report.

    Raises TrainingError if the evaluation can't be read or `out` can't be written to.
    """
    evaluation, scores = findings.read(directory), score_table.read(directory)
    verdict = _decided(evaluation, against, new_labels)
    try:
        out.mkdir(parents=True, exist_ok=True)
        charts = _charts(report_plots.draw(evaluation, scores, verdict, out))
        page = render(evaluation, scores, verdict, charts)
        (out / NAME).write_text(page, encoding="utf-8")
    except OSError as error:
        msg = f"{error.filename or out}: {error.strerror}"
        raise TrainingError(msg) from error
    return out / NAME


def render(
    evaluation: Evaluation, scores: pd.DataFrame, verdict: Verdict | None, charts: list[Chart]
) -> str:
    """The page, all of it in one string."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    incumbent = verdict.incumbent if verdict else ""
    return environment.get_template(NAME).render(
        wording=wording,
        evaluation=evaluation,
        verdict=verdict,
        marks={outcome.value: words for outcome, words in _WORDS.items()},
        headline=wording.headline(evaluation, incumbent) if verdict else [],
        charts=charts,
        **_tables(evaluation, scores, incumbent),
    )


def _tables(evaluation: Evaluation, scores: pd.DataFrame, incumbent: str) -> dict[str, Any]:
    figures = list(report_tables.figures(evaluation))
    kinds = (MACRO, *Category)
    return {
        "incumbent": wording.model(incumbent),
        "figures": [
            (table, report_tables.change(evaluation, kind, incumbent))
            for kind, table in zip(kinds, figures, strict=True)
        ],
        "confusion": report_decisions.confusion(evaluation, scores, incumbent),
        "thresholds": list(report_decisions.thresholds(evaluation, scores)),
        "slices": list(report_tables.slices(evaluation, incumbent)),
        "clean_chat": report_tables.clean_chat(evaluation),
        "suites": list(report_tables.suites(evaluation)),
        "views": report_tables.views(evaluation),
        "gaps": report_tables.gaps(evaluation),
        "errors": list(report_errors.errors(evaluation, scores, incumbent)),
        "models": report_tables.models(evaluation),
    }


def _decided(evaluation: Evaluation, against: str | None, new_labels: int | None) -> Verdict | None:
    """The verdict; None for an evaluation of a model alone."""
    alone = all(m.name == CANDIDATE or m.kind == "baseline" for m in evaluation.models)
    if against is None and alone:
        return None
    return compare.decide(evaluation, against, new_labels)


def _charts(paths: list[Path]) -> list[Chart]:
    by_name = {path.stem: path for path in paths}
    return [Chart(title, _address(by_name[name]), note) for name, title, note in _CHARTS]


def _address(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
