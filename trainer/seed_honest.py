"""What stands beside the original's tables: the positive class, true areas, 95 % intervals."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trainer import seed_intervals as intervals
from trainer.seed import NON_TOXIC, OUTPUTS, Labels
from trainer.seed_tables import THRESHOLDS, any_toxic

ANY = "any toxic"  # the highest of the four toxic outputs
FOUR = "all four"  # the cells of the four toxic outputs as one
Models = dict[str, Labels]  # scores by the model's name


def positive_class(labels: Labels, models: Models) -> pd.DataFrame:
    """Precision and recall of the positive class, for each output, threshold and model."""
    lines = {}
    for name, positive in _truths(labels):
        for threshold in THRESHOLDS:
            cells: dict[str, intervals.Interval | None] = {}
            for model, scores in models.items():
                above = _column(name, scores) > np.float32(threshold)
                precision, recall = intervals.precision_recall(positive, above)
                cells |= {f"{model} precision": precision, f"{model} recall": recall}
            lines[name, f"{threshold:g}"] = {c: str(v or "-") for c, v in cells.items()}
    return pd.DataFrame.from_dict(lines, orient="index")


def areas(labels: Labels, models: Models, unseen: NDArray[np.bool_]) -> pd.DataFrame:
    """ROC-AUC of each model, the gain of the last over the one before it, and AP.

    `unseen` are the rows whose text the last model hasn't learnt: its area over them alone.
    """
    last, before = [*models][-1], [*models][-2]
    lines = {}
    for name, positive in _truths(labels):
        columns = {model: _column(name, scores) for model, scores in models.items()}
        cells = {model: str(intervals.roc_auc(positive, s)) for model, s in columns.items()}
        gain = intervals.roc_auc_difference(positive, columns[last], columns[before])
        cells[f"gain over {before}"] = str(gain)
        kept = unseen if len(positive) == len(unseen) else unseen.repeat(len(OUTPUTS) - 1)
        cells[f"{last}, no twins"] = _area(positive[kept], columns[last][kept])
        lines[name] = cells
    return pd.DataFrame.from_dict(lines, orient="index")


def average_precisions(labels: Labels, models: Models) -> pd.DataFrame:
    """Average precision of each model, beside the share of positives that chance would reach."""
    lines = {}
    for name, positive in _truths(labels):
        found = {
            model: str(intervals.average_precision(positive, _column(name, scores)))
            for model, scores in models.items()
        }
        lines[name] = {"positives": f"{positive.mean():.3f}"} | found
    return pd.DataFrame.from_dict(lines, orient="index")


def whole_rows(labels: Labels, models: Models) -> pd.DataFrame:
    """The mean binary cross-entropy, and the share of rows with all five outputs right."""
    lines = {"binary cross-entropy": {m: str(_loss(labels, s)) for m, s in models.items()}}
    for threshold in THRESHOLDS:
        lines[f"all right at {threshold:g}"] = {
            model: str(
                intervals.mean(((scores > np.float32(threshold)) == (labels > 0)).all(axis=1))
            )
            for model, scores in models.items()
        }
    return pd.DataFrame.from_dict(lines, orient="index")


def _truths(labels: Labels) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for name in (*OUTPUTS, FOUR, ANY):
        yield name, _column(name, labels) > 0


def _column(name: str, values: Labels) -> Labels:
    if name == ANY:
        return any_toxic(values)
    if name == FOUR:
        return np.delete(values, NON_TOXIC, axis=1).ravel()
    return values[:, OUTPUTS.index(name)]


def _area(positive: NDArray[np.bool_], scores: Labels) -> str:
    return (
        str(intervals.roc_auc(positive, scores)) if 1 < positive.sum() < len(positive) - 1 else "-"
    )


def _loss(labels: Labels, scores: Labels) -> intervals.Interval:
    p = np.clip(scores.astype(np.float64), 1e-7, 1 - 1e-7)
    return intervals.mean(-(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean(axis=1))
