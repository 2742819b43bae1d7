"""The original notebooks' plots, as PNG files that can be read on a phone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import NullFormatter, PercentFormatter
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from trainer.seed import NON_TOXIC, OUTPUTS, Labels, Prepared, clean, labels

NAMES = ("Не токсично", "Оскорбление", "Мат", "Угроза, дискриминация", "Грубость")
COLOURS = ("#2e8b57", "#d1495b", "#1f4e9c", "#8e44ad", "#e08e0b")
_POSITIVE, _NEGATIVE = "#d1495b", "#5b7f95"
_STEPS = ("#b8c4cc", "#5b7f95", "#d1495b")
_MARKED = 0.3  # the threshold that the notebook chose
Models = dict[str, Labels]


def draw(prepared: Prepared, models: Models, one: Models, text: str, out: Path) -> None:
    """Write every plot into `out`.

    `models` has scores of the test rows, shape (n, 5); `one` of the one `text`, shape (1, 5).
    """
    truth = labels(prepared.test)
    label_counts(prepared, out / "labels.png")
    lengths(prepared, out / "lengths.png")
    histograms(truth, models, out / "histograms.png")
    roc(truth, models, out / "roc.png")
    precision_recall(truth, models, out / "precision_recall.png")
    bars({name: scores[0] for name, scores in one.items()}, text, out / "text.png")


def label_counts(prepared: Prepared, path: Path) -> None:
    """How many rows have each label, after each step of the preparation."""
    steps = {
        "в файле": "in the file",
        "без повторов нетоксичных": "non-toxic repeats dropped",
        "после пересэмплирования": "re-sampled",
    }
    with _figure(path, (8, 7), grid="x") as figure:
        axes = figure.subplots()
        y, height = np.arange(len(OUTPUTS)), 0.27
        for i, (name, step) in enumerate(steps.items()):
            counts = prepared.steps.loc[step, [*OUTPUTS]].to_numpy(dtype=float)
            drawn = axes.barh(y + i * height, counts, height, label=name, color=_STEPS[i])
            axes.bar_label(drawn, fmt="{:.0f}", padding=3)
        axes.set_yticks(y + height, NAMES)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel("Строк с меткой")
        axes.set_title("Метки до и после подготовки")
        axes.legend(loc="lower right")


def lengths(prepared: Prepared, path: Path) -> None:
    """Words in a cleaned text, before and after the de-duplication."""
    last = 100
    given, unique = (
        frame.text.map(lambda text: min(len(text.split()), last))
        for frame in (prepared.given, prepared.unique)
    )
    bins = range(0, last + 3, 2)
    with _figure(path, (8, 5)) as figure:
        axes = figure.subplots()
        axes.hist(given, bins=bins, color=_STEPS[0], label="в файле")
        name = "без повторов нетоксичных"
        axes.hist(unique, bins=bins, color=_STEPS[2], label=name, histtype="step", linewidth=2)
        axes.set_xlim(0, last + 2)
        axes.set_xlabel(f"Слов в тексте ({last} и больше — последний столбец)")
        axes.set_ylabel("Текстов")
        axes.set_title("Длина текстов")
        axes.legend()


def histograms(truth: Labels, models: Models, path: Path) -> None:
    """The probabilities of rows with and without each label; rows are counted on a log scale."""
    with _figure(path, (9, 15)) as figure:
        grid = figure.subplots(len(OUTPUTS), len(models), sharex=True, sharey="row", squeeze=False)
        for i, name in enumerate(NAMES):
            for axes, (model, scores) in zip(grid[i], models.items(), strict=True):
                positive = truth[:, i] > 0
                both = (scores[~positive, i], scores[positive, i])
                axes.hist(
                    both,
                    bins=np.linspace(0, 1, 21),
                    color=(_NEGATIVE, _POSITIVE),
                    label=("метки нет", "метка есть"),
                )
                axes.set_yscale("log")
                axes.set_ylim(bottom=0.5)
                axes.yaxis.set_major_formatter("{x:.0f}")
                axes.yaxis.set_minor_formatter(NullFormatter())
                axes.set_title(f"{name}: {model}")
            grid[i][0].set_ylabel("Строк")
        for axes in grid[-1]:
            axes.set_xlabel("Вероятность")
        named = grid[0][0].get_legend_handles_labels()
        figure.legend(*named, loc="outside upper center", ncols=2, fontsize=12)


def roc(truth: Labels, models: Models, path: Path) -> None:
    """ROC curves of all outputs, the true area in the legend, the marked threshold as a point."""
    with _panels(models, path) as panels:
        for axes, (model, scores) in panels:
            for i, name in enumerate(NAMES):
                fall_out, recall, limits = roc_curve(
                    truth[:, i], scores[:, i], drop_intermediate=False
                )
                area = roc_auc_score(truth[:, i], scores[:, i])
                axes.plot(fall_out, recall, color=COLOURS[i], label=f"{name}: {area:.3f}")
                at = int((limits > _MARKED).sum()) - 1
                axes.plot(fall_out[at], recall[at], "o", color=COLOURS[i])
            axes.plot([0, 1], [0, 1], ":", color="grey")
            _shares(axes, "Доля ложных тревог", "Полнота")
            axes.set_title(f"ROC: {model}")
            axes.legend(loc="lower right", title=f"ROC-AUC; точка — порог {_MARKED}")


def precision_recall(truth: Labels, models: Models, path: Path) -> None:
    """Precision over recall of the positive class; the notebook had the axes swapped."""
    with _panels(models, path) as panels:
        for axes, (model, scores) in panels:
            for i, name in enumerate(NAMES):
                precision, recall, limits = precision_recall_curve(truth[:, i], scores[:, i])
                area = average_precision_score(truth[:, i], scores[:, i])
                axes.plot(recall, precision, color=COLOURS[i], label=f"{name}: {area:.3f}")
                at = int((limits <= _MARKED).sum())
                axes.plot(recall[at], precision[at], "o", color=COLOURS[i])
            _shares(axes, "Полнота", "Точность")
            axes.set_title(f"Точность и полнота: {model}")
            axes.legend(loc="lower left", title=f"AP; точка — порог {_MARKED}")


def bars(models: Models, text: str, path: Path) -> None:
    """The five probabilities of one text by each model, shape (5,), and what they say together."""
    with _figure(path, (8, 6.5), grid="x") as figure:
        axes = figure.subplots()
        y, height = np.arange(len(OUTPUTS)), 0.8 / len(models)
        axes.axvline(_MARKED, linestyle=":", color="grey", label=f"порог {_MARKED}")
        for i, (model, scores) in enumerate(models.items()):
            label = f"{model}: {verdict(scores)}"
            drawn = axes.barh(y + i * height, scores, height, label=label, color=_STEPS[i + 1])
            plain = {"facecolor": "white", "edgecolor": "none", "pad": 1}
            axes.bar_label(drawn, fmt="{:.0%}", padding=4, bbox=plain)
        axes.set_yticks(y + height * (len(models) - 1) / 2, NAMES)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.1)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_title(f"«{_short(text)}»\nпосле очистки: «{_short(clean(text))}»")
        figure.legend(loc="outside lower center", ncols=len(models) + 1)


def verdict(scores: Labels) -> str:
    """The notebook's word for one text: its non-toxic output may contradict the four others."""
    toxic = np.delete(scores, NON_TOXIC).max() > _MARKED
    clean = scores[NON_TOXIC] > _MARKED
    if toxic == clean:
        return "не понятно"
    return "токсично" if toxic else "не токсично"


@contextmanager
def _figure(
    path: Path, inches: tuple[float, float], grid: Literal["both", "x"] = "both"
) -> Iterator[Figure]:
    """A figure that is written to `path` afterwards."""
    figure = Figure(figsize=inches, layout=ConstrainedLayoutEngine(h_pad=0.12))
    yield figure
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        axes.grid(axis=grid, alpha=0.3)
        axes.title.set_fontsize(14)
        for shown in (axes.xaxis.label, axes.yaxis.label, *axes.get_yticklabels()):
            shown.set_fontsize(12)
    figure.savefig(path, dpi=120)


@contextmanager
def _panels(models: Models, path: Path) -> Iterator[Iterator[tuple[Axes, tuple[str, Labels]]]]:
    with _figure(path, (7.5, 7 * len(models))) as figure:
        grid = figure.subplots(len(models), 1, squeeze=False)
        yield zip(grid[:, 0], models.items(), strict=True)


def _shares(axes: Axes, x: str, y: str) -> None:
    axes.set(xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))


def _short(text: str) -> str:
    return text if len(text) <= 50 else f"{text[:49]}…"
