"""The pictures of /stats: PNG files for a phone, legible without colour vision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.language import Language
from bot.stats_words import insufficient
from moderation.accuracy import Estimate, Insufficient, Result
from moderation.categories import TOXIC, Category
from moderation.figures import Figures, Period
from moderation.quality import Measured

_DPI, _WIDTH, _LOW = 150, 7.2, 6.4  # 1080 pixels wide, and as high or a little less
_INK, _GREY, _LINE, _TRACK, _PALE = "#202124", "#5f6368", "#dadce0", "#e8eaed", "#bdc1c6"
_BIG, _TEXT, _SMALL = 19, 14, 12.5
# Okabe and Ito's colours, neighbours in a pile of unlike lightness.
_COLOURS = {
    Category.OBSCENITY: "#e69f00",
    Category.INSULT: "#0072b2",
    Category.THREAT: "#d55e00",
    Category.DISCRIMINATION: "#56b4e9",
    Category.RUDE: "#007d5b",
}
_OTHERS = "#9aa0a6"
_PRECISION, _RECALL = "#0072b2", "#d55e00"
_drawing = Lock()  # matplotlib's fonts are shared by all threads


def days(found: Figures, words: Language) -> bytes:
    """Messages, quiet and small; below, what was flagged and what was done about it in piles."""
    figure = _figure(words.plain(f"stats.chart.days.{found.period}"), _WIDTH)
    if not found.total:
        figure.text(0.5, 0.5, words.plain("stats.chart.nothing"), fontsize=_BIG, color=_GREY,
                    ha="center", va="center")  # fmt: skip
        return _png(figure)
    everything, flagged, acted = figure.subplots(
        3, 1, sharex=True,
        gridspec_kw={"left": 0.125, "right": 0.965, "top": 0.79, "bottom": 0.06, "hspace": 0.36,
                     "height_ratios": (0.5, 1, 1)},
    )  # fmt: skip
    acted.sharey(flagged)
    kinds = [c for c in TOXIC if c in found.flagged or c in found.acted]
    _legend(figure, kinds, words, others=None in found.acted)
    everything.bar(range(len(found.messages)), found.messages, 0.9, color=_PALE)
    _pile(flagged, found.flagged, kinds)
    _pile(acted, found.acted, [*kinds, None])
    for axes, name in ((everything, "messages"), (flagged, "flagged"), (acted, "acted")):
        _quiet(axes, words.plain(f"stats.chart.{name}"), words)
    everything.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    _moments(acted, found, words)
    return _png(figure)


def quality(found: Mapping[Category, Measured], words: Language, period: Period) -> bytes:
    """Precision and recall of each category with their intervals."""
    figure = _figure(words.plain(f"stats.chart.quality.{period}"), _LOW)
    axes = figure.add_axes((0.035, 0.085, 0.93, 0.755))
    axes.set(xlim=(0, 1), ylim=(len(found), 0))
    axes.set_axis_off()
    known = any(isinstance(m.precision, Estimate) or isinstance(m.recall, Estimate)
                for m in found.values())  # fmt: skip
    if known:
        figure.text(0.035, 0.868, words.plain("stats.chart.interval"), fontsize=_SMALL, color=_GREY)
    for share in (0.0, 0.5, 1.0) if known else ():
        axes.plot([_x(share)] * 2, [0, len(found)], color=_LINE, linewidth=1, zorder=0)
        axes.text(_x(share), len(found) + 0.08, words.percent(share), fontsize=_SMALL, color=_GREY,
                  ha="center", va="top")  # fmt: skip
    for i, (category, measured) in enumerate(found.items()):
        axes.text(0, i + 0.17, words.category(category), fontsize=_TEXT, fontweight="bold",
                  color=_INK, va="center")  # fmt: skip
        precision = _Row("stats.precision", _PRECISION, "o", "stats.nothing.precision")
        recall = _Row("stats.recall", _RECALL, "s", "stats.nothing.recall")
        _estimate(axes, i + 0.45, precision, measured.precision, words)
        _estimate(axes, i + 0.75, recall, measured.recall, words)
    return _png(figure)


@dataclass(frozen=True, slots=True)
class _Row:
    """How one of the two shares is drawn, and what is said where there is nothing to estimate."""

    title: str
    colour: str
    marker: str
    nothing: str


def _estimate(axes: Axes, y: float, row: _Row, found: Result, words: Language) -> None:
    place: dict[str, Any] = {"va": "center", "fontsize": _TEXT}
    axes.text(0, y, words.plain(row.title), **place, color=_INK)
    if not isinstance(found, Estimate):
        said = words.plain(row.nothing)
        if isinstance(found, Insufficient):
            said = insufficient(words, found)
        axes.text(_x(0), y, said, **place, color=_GREY)
        return
    axes.plot([_x(0), _x(1)], [y, y], color=_TRACK, linewidth=9, zorder=0, solid_capstyle="round")
    ends = [_x(found.low), _x(found.high)]
    axes.plot(ends, [y, y], color=row.colour, linewidth=9, alpha=0.4, solid_capstyle="butt")
    axes.plot(_x(found.value), y, row.marker, color=row.colour, markersize=11, mec="white", mew=1.2)
    axes.text(1, y, words.percent(found.value), **place, color=_INK, fontweight="bold", ha="right")


def _x(share: float) -> float:
    """Where a share stands between the titles and the numbers."""
    return 0.28 + 0.57 * share


def _figure(title: str, height: float) -> Figure:
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")
    figure.text(0.035, 0.95, title, fontsize=_BIG, fontweight="bold", color=_INK, va="center")
    return figure


def _png(figure: Figure) -> bytes:
    file = BytesIO()
    with _drawing:
        figure.savefig(file, format="png", dpi=_DPI)
    return file.getvalue()


def _legend(figure: Figure, kinds: Iterable[Category], words: Language, *, others: bool) -> None:
    """The categories in a row or two, in the order in which they are piled up."""
    named = [(_COLOURS[kind], words.category(kind)) for kind in kinds]
    if others:
        named.append((_OTHERS, words.plain("stats.chart.found_by_people")))
    handles = [Patch(color=colour, label=title) for colour, title in named]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.022, 0.93), ncols=3, frameon=False,
        fontsize=_SMALL, handlelength=1, handleheight=1, columnspacing=1.4, labelspacing=0.35,
    )  # fmt: skip


def _pile(
    axes: Axes, series: Mapping[Any, Sequence[int]], kinds: Iterable[Category | None]
) -> None:
    base: Any = 0
    for kind in kinds:
        if kind in series:
            heights = np.array(series[kind])
            colour = _COLOURS[kind] if kind else _OTHERS
            axes.bar(range(len(heights)), heights, 0.8, bottom=base, color=colour,
                     edgecolor="white", linewidth=0.6)  # fmt: skip
            base = base + heights
    axes.set_ylim(0, max(axes.get_ylim()[1], 1 if not series else 0))


def _quiet(axes: Axes, title: str, words: Language) -> None:
    """Whole numbers at the left, a few pale lines, and nothing else."""
    axes.set_title(title, loc="left", fontsize=_TEXT, fontweight="bold", color=_INK)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=_LINE, linewidth=0.8)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.whole(round(value))))
    axes.tick_params(length=0, labelsize=_SMALL, labelcolor=_INK)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_GREY)


def _moments(axes: Axes, found: Figures, words: Language) -> None:
    """The hours or days below the lowest panel, as many as there is room for."""
    every = {Period.DAY: 4, Period.WEEK: 1, Period.MONTH: 5}[found.period]
    last = len(found.starts) - 1
    shown = [i for i in range(last + 1) if (last - i) % every == 0]
    named = [
        f"{found.starts[i]:%H:%M}" if found.period is Period.DAY else words.day(found.starts[i])
        for i in shown
    ]
    axes.set_xticks(shown, named)
    axes.set_xlim(-0.6, last + 0.6)
