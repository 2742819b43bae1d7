"""The original notebook's tables of the test rows, each as it was computed."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from trainer import keras_metrics
from trainer.seed import NON_TOXIC, OUTPUTS, Labels

THRESHOLDS = tuple(tenths / 10 for tenths in range(1, 10))
_COLUMNS = [f"{threshold:g}" for threshold in THRESHOLDS]


def categories(labels: Labels, scores: Labels) -> pd.DataFrame:
    """Each output's figures at each threshold, means over its two classes; its ROC-AUC once."""
    lines = {}
    for i, output in enumerate(OUTPUTS):
        found = [_two_class(labels[:, i], above[:, i]) for above in _above(scores)]
        for name in found[0]:
            lines[output, name] = [figures[name] for figures in found]
        area = roc_auc_score(labels[:, i], scores[:, i])
        lines[output, "roc_auc"] = [area, *[float("nan")] * (len(THRESHOLDS) - 1)]
    table = _table(lines)
    table.index = pd.MultiIndex.from_tuples(lines)
    return table


def outputs(labels: Labels, scores: Labels) -> pd.DataFrame:
    """The "multi-label" figures, of which precision and recall are those of two outputs alone."""
    shares = labels.sum(axis=0) / labels.sum()
    once = {
        "categorical crossentropy": keras_metrics.categorical_crossentropy(
            labels, scores, from_logits=False
        ),
        "PR-AUC": keras_metrics.pr_auc(labels, scores, shares),
        "ROC-AUC": float(roc_auc_score(labels, scores, average="weighted")),
    }
    empty = [float("nan")] * (len(THRESHOLDS) - 1)
    lines = {name: [value, *empty] for name, value in once.items()}
    found = [_many_labels(labels, above) for above in _above(scores)]
    return _table(lines | {name: [figures[name] for figures in found] for name in found[0]})


def aggregate(labels: Labels, scores: Labels) -> pd.DataFrame:
    """Toxic or not by the highest of four outputs; "roc_auc" is of the zeros and ones."""
    toxic = any_toxic(labels)
    found = [_binary(toxic, any_toxic(scores) > threshold) for threshold in THRESHOLDS]
    return _table({name: [figures[name] for figures in found] for name in found[0]})


def any_toxic(values: Labels) -> Labels:
    """The highest of the four toxic outputs, shape (n,)."""
    highest: Labels = np.delete(values, NON_TOXIC, axis=1).max(axis=1)
    return highest


def text(frame: pd.DataFrame, digits: int = 2) -> str:
    """A table as lines of text."""
    shown = frame.to_string(
        float_format=lambda value: f"{value:.{digits}f}",
        na_rep="",
        sparsify=True,
        max_colwidth=None,
    )
    return "\n".join(line.rstrip() for line in shown.splitlines())


def _above(scores: Labels) -> list[NDArray[np.bool_]]:
    """The notebook's ceil(p - t) at each threshold t: t itself isn't above."""
    return [scores > np.float32(threshold) for threshold in THRESHOLDS]


def _two_class(labels: NDArray[Any], above: NDArray[np.bool_]) -> dict[str, float]:
    options = {"average": "macro", "zero_division": 0}
    return {
        "accuracy": balanced_accuracy_score(labels, above),
        "f1": f1_score(labels, above, **options),
        "precision": precision_score(labels, above, **options),
        "recall": recall_score(labels, above, **options),
    }


def _many_labels(labels: Labels, above: NDArray[np.bool_]) -> dict[str, float]:
    # Of a multi-label matrix, `labels` names columns: non-toxic and insult.
    options = {"labels": [0, 1], "average": "weighted", "zero_division": 0}
    return {
        "categorical accuracy": keras_metrics.categorical_accuracy(labels, above),
        "precision": precision_score(labels, above, **options),
        "recall": recall_score(labels, above, **options),
    }


def _binary(labels: NDArray[Any], above: NDArray[np.bool_]) -> dict[str, float]:
    return {
        "accuracy": accuracy_score(labels, above),
        "precision": precision_score(labels, above, zero_division=0),
        "recall": recall_score(labels, above, zero_division=0),
        "f1": f1_score(labels, above, zero_division=0),
        "roc_auc": roc_auc_score(labels, above),
    }


def _table(lines: dict[Any, list[float]]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(lines, orient="index", columns=_COLUMNS)
