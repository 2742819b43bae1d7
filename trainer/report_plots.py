"""The report's charts: PNG files for a phone, 1080 pixels wide, legible without colour."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from sklearn.metrics import PrecisionRecallDisplay, RocCurveDisplay

from moderation.categories import Category
from trainer.findings import BASE, CANDIDATE, CHAMPION, MACRO, Evaluation
from trainer.verdict import Verdict, head
from trainer.wording import category, decimal, model, percent, short, span

CURVES = (BASE, CHAMPION, CANDIDATE)  # the last is drawn on top
_DPI, _WIDTH = 150, 7.2  # 1080 pixels
_Corner = Literal["lower left", "lower right"]


@dataclass(frozen=True, slots=True)
class _Style:
    """Colour of the Okabe and Ito palette, line and marker: each tells models apart alone."""

    colour: str
    line: str
    marker: str


_STYLES = {
    BASE: _Style("#6e6e6e", ":", "s"),
    CHAMPION: _Style("#0072b2", "--", "^"),
    CANDIDATE: _Style("#d55e00", "-", "o"),
}


def draw(
    evaluation: Evaluation, scores: pd.DataFrame, verdict: Verdict | None, out: Path
) -> list[Path]:
    """Write verdict.png, roc.png, pr.png and reliability.png into `out`."""
    paths = [out / f"{name}.png" for name in ("verdict", "roc", "pr", "reliability")]
    summary(evaluation, verdict, paths[0])
    roc(evaluation, scores, paths[1])
    precision_recall(evaluation, scores, paths[2])
    reliability(evaluation, paths[3])
    return paths


def summary(evaluation: Evaluation, verdict: Verdict | None, path: Path) -> None:
    """AP of each category with its interval, recall and precision beside it, model by model."""
    names = [*reversed(_shown(evaluation))]
    block = len(names) + 1.5
    kinds = (MACRO, *Category)
    figure = Figure(figsize=(_WIDTH, 0.27 * block * len(kinds) + 1.7))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 1), ylim=(block * len(kinds) + 1.6, -4.6))
    axes.set_axis_off()
    axes.text(
        0.04, -3.4, head(verdict) if verdict else "Новая модель", fontsize=17, fontweight="bold"
    )
    compared = f"95 % интервалы; {evaluation.data.rows} строк, {evaluation.data.name}"
    axes.text(0.04, -2.2, compared, fontsize=11, color=_GREY)
    for x, said in zip(_COLUMNS, ("AP", "находит", "верно"), strict=True):
        axes.text(x, -0.7, said, ha="right", fontsize=11, color=_GREY)
    least = min([f.ap.low or 0 for m in evaluation.models if m.name in names
                 for f in map(m.of, kinds) if f.ap.value is not None], default=0)  # fmt: skip
    scale = _Scale(min(0.9, np.floor(10 * least) / 10))
    for i, kind in enumerate(kinds):
        top = i * block
        axes.axhline(top - 0.35, 0.04, 0.96, color="#d0d0d0", linewidth=1)
        axes.text(0.04, top + 0.45, category(kind), fontsize=13, fontweight="bold", va="center")
        for j, name in enumerate(names):
            _summary_row(axes, evaluation, kind, name, top + 1.45 + j * 0.95, scale)
    bottom = block * len(kinds) + 0.2
    axes.axhline(bottom - 0.35, 0.04, 0.96, color="#d0d0d0", linewidth=1)
    for value, align in ((scale.least, "left"), (1.0, "right")):
        axes.text(scale.x(value), bottom + 0.4, decimal(value, 1), ha=align, va="center",
                  fontsize=11, color=_GREY)  # fmt: skip
    axes.text(0.96, bottom + 0.4, "AP: 1 — безошибочно", ha="right", va="center", fontsize=11,
              color=_GREY)  # fmt: skip
    figure.savefig(path, dpi=_DPI)


_GREY = "#606060"
_COLUMNS = (0.745, 0.86, 0.96)  # right ends of the columns of numbers


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a figure stands between the labels and the numbers."""

    least: float

    def x(self, value: float) -> float:
        return 0.25 + 0.26 * max(0.0, value - self.least) / (1 - self.least)


def _summary_row(
    axes: Axes, evaluation: Evaluation, kind: str, name: str, y: float, scale: _Scale
) -> None:
    found = evaluation.model(name)
    if found is None:
        return
    figures, style = found.of(kind), _STYLES[name]
    weight = "bold" if name == CANDIDATE else "normal"
    place: dict[str, Any] = {"va": "center", "fontsize": 12}
    axes.plot([scale.x(scale.least), scale.x(1)], [y, y], color="#e4e4e4", linewidth=1, zorder=0)
    axes.text(0.04, y, short(name), **place, fontweight=weight)
    if figures.ap.value is None:
        lacks = "не всё умеет" if kind == MACRO else "не умеет"
        axes.text(_COLUMNS[0], y, lacks, ha="right", **place, color=_GREY)
        return
    if figures.ap.low is not None and figures.ap.high is not None:
        ends = [scale.x(figures.ap.low), scale.x(figures.ap.high)]
        axes.plot(ends, [y, y], color=style.colour, linewidth=2, solid_capstyle="butt")
    axes.plot(scale.x(figures.ap.value), y, style.marker, color=style.colour, markersize=5)
    ap = f"{decimal(figures.ap.value)}  {span(figures.ap)}".strip()
    said = (ap, percent(figures.recall.value), percent(figures.precision.value))
    for x, text in zip(_COLUMNS, said, strict=True):
        axes.text(x, y, text, ha="right", **place, fontweight=weight)


def roc(evaluation: Evaluation, scores: pd.DataFrame, path: Path) -> None:
    """ROC curves, a panel for each category; the mark is the threshold in service."""
    with _panels(evaluation, path, "ROC: находит — и сколько ложных тревог", "ROC-AUC") as (
        panels,
        names,
    ):
        for axes, kind in panels:
            axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
            for name in names:
                truth, given = _known(scores, kind, name)
                if not truth.any() or truth.all():
                    continue
                style = _STYLES[name]
                drawn = RocCurveDisplay.from_predictions(
                    truth, given, ax=axes, curve_kwargs=_line(style)
                )
                said = given >= evaluation.threshold(kind)
                at = said[~truth].mean(), said[truth].mean()
                axes.plot(*at, style.marker, color=style.colour, markersize=9, mec="white")
                _value(evaluation, drawn, name, kind, "roc_auc")
            _axes(axes, kind, "Доля ложных тревог", "Находит", "lower right")


def precision_recall(evaluation: Evaluation, scores: pd.DataFrame, path: Path) -> None:
    """Precision over recall, a panel for each category; the mark is the threshold in service."""
    with _panels(evaluation, path, "Находит — и сколько из найденного верно", "AP") as (
        panels,
        names,
    ):
        for axes, kind in panels:
            for name in names:
                truth, given = _known(scores, kind, name)
                if not truth.any():
                    continue
                style = _STYLES[name]
                drawn = PrecisionRecallDisplay.from_predictions(
                    truth, given, ax=axes, curve_kwargs=_line(style)
                )
                said = given >= evaluation.threshold(kind)
                if said.any():
                    at = said[truth].mean(), truth[said].mean()
                    axes.plot(*at, style.marker, color=style.colour, markersize=9, mec="white")
                _value(evaluation, drawn, name, kind, "ap")
            _axes(axes, kind, "Находит (полнота)", "Верно (точность)", "lower left")


def reliability(evaluation: Evaluation, path: Path) -> None:
    """How often a score comes true, a panel for each category; on the line it is honest."""
    with _panels(evaluation, path, "Сбывается ли оценка") as (panels, names):
        for axes, kind in panels:
            axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
            for name in names:
                found, style = evaluation.model(name), _STYLES[name]
                bins = [
                    (b.mean, b.share, b.n)
                    for b in (found.reliability.get(kind, []) if found else [])
                    if b.n and b.mean is not None and b.share is not None
                ]
                if not bins:
                    continue
                x, y, n = np.array(bins).T
                axes.plot(x, y, **_line(style))
                sizes = 12 + 90 * np.sqrt(n / n.max())
                axes.scatter(x, y, sizes, color=style.colour, marker=style.marker, ec="white")
            _axes(axes, kind, "Оценка модели", "Сбылось", None)


def _shown(evaluation: Evaluation) -> list[str]:
    return [name for name in CURVES if evaluation.model(name)]


def _known(
    scores: pd.DataFrame, kind: Category, name: str
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Labels and scores of the rows that have both; empty if the model lacks the category."""
    column = f"{name}/{kind}"
    if column not in scores.columns:
        return np.zeros(0, dtype=bool), np.zeros(0)
    rows = scores[(scores[kind] >= 0) & scores[column].notna()]
    return (rows[kind] == 1).to_numpy(), rows[column].to_numpy(dtype=float)


def _line(style: _Style) -> dict[str, Any]:
    return {"color": style.colour, "linestyle": style.line, "linewidth": 2}


def _value(evaluation: Evaluation, drawn: Any, name: str, kind: Category, figure: str) -> None:
    """Call a curve by its figure: the colours are explained once, above all panels."""
    found = evaluation.model(name)
    value = getattr(found.of(kind), figure).value if found else None
    drawn.line_.set_label(decimal(value, 3))


def _axes(axes: Axes, kind: Category, x: str, y: str, legend: _Corner | None) -> None:
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.set_title(category(kind))
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_xticks([0, 0.5, 1], ["0", "0,5", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "0,5", "1"])
    handles = axes.get_legend_handles_labels()[0][::-1]
    if drawn := axes.get_legend():
        drawn.remove()
    if legend and handles:
        options: dict[str, Any] = {"fontsize": 12, "handlelength": 1.8, "framealpha": 0.8}
        axes.legend(handles, [str(h.get_label()) for h in handles], loc=legend, **options)
    elif not handles and not axes.collections:
        axes.text(0.5, 0.5, "нет примеров", ha="center")


@contextmanager
def _panels(
    evaluation: Evaluation, path: Path, title: str, figure: str = ""
) -> Iterator[tuple[Iterator[tuple[Axes, Category]], Sequence[str]]]:
    """Two panels in a row, a category each."""
    names = _shown(evaluation)
    with _figure(path, 12.5) as drawn:
        grid = drawn.subplots(3, 2).ravel()
        drawn.suptitle(title, fontsize=17, fontweight="bold")
        yield zip(grid, Category, strict=True), names
        marks = "размер знака — сколько сообщений"
        note = f"числа — {figure}, знак — рабочий порог" if figure else marks
        _legend(drawn, names, note)


def _legend(figure: Figure, names: Sequence[str], note: str) -> None:
    handles = [
        Line2D([], [], marker=_STYLES[n].marker, markersize=9, label=model(n), **_line(_STYLES[n]))
        for n in reversed(names)
    ]
    figure.legend(
        handles=handles, title=note, loc="outside lower center", ncols=len(names),
        frameon=False, fontsize=12, title_fontsize=12,
    )  # fmt: skip


@contextmanager
def _figure(path: Path, height: float) -> Iterator[Figure]:
    """A figure that is written to `path` afterwards."""
    figure = Figure(figsize=(_WIDTH, height), layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.1))
    yield figure
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        axes.grid(alpha=0.3)
        axes.title.set_fontsize(15)
        for shown in (axes.xaxis.label, axes.yaxis.label):
            shown.set_fontsize(12)
        axes.tick_params(labelsize=12)
    figure.savefig(path, dpi=_DPI)
