"""The metrics of Keras 2.12 that the original recipe reported, without TensorFlow.

Labels and scores are matrices of shape (n, outputs). Keras counts in float32, and so does this:
a score on a threshold would else fall to its other side.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_EPSILON = np.float32(1e-7)  # keras.backend.epsilon()
_THRESHOLDS = 200


def categorical_accuracy(labels: NDArray[Any], scores: NDArray[Any]) -> float:
    """Share of rows whose highest score is at the first label; the first of equal ones counts."""
    return float(np.mean(labels.argmax(axis=1) == scores.argmax(axis=1)))


def categorical_crossentropy(
    labels: NDArray[Any], scores: NDArray[Any], *, from_logits: bool
) -> float:
    """Mean over rows of -sum(label · log(share)), though the labels needn't sum to 1.

    The share is the softmax of logits, or else a score by the row's sum: NaN if that is 0.
    """
    given = scores.astype(np.float32)
    if from_logits:
        shifted = given - given.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    else:
        with np.errstate(invalid="ignore"):
            shares = given / given.sum(axis=1, keepdims=True)
        logs = np.log(np.clip(shares, _EPSILON, 1 - _EPSILON))
    return float(np.mean(-(labels * logs).sum(axis=1)))


def precision_recall(
    labels: NDArray[Any], scores: NDArray[Any], threshold: float
) -> tuple[float, float]:
    """Precision(thresholds=...) and Recall(thresholds=...): over all outputs' cells as one."""
    above = scores.astype(np.float32) > np.float32(threshold)
    hits = float((above & (labels > 0)).sum())
    return hits / max(float(above.sum()), 1), hits / max(float((labels > 0).sum()), 1)


def roc_auc(
    labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None
) -> float:
    """AUC(curve="ROC", multi_label=True): trapezoids between 200 thresholds, a mean of outputs."""
    hits, alarms, positive, negative = _counts(labels, scores)
    recall, fall_out = _divide(hits, positive), _divide(alarms, negative)
    areas = (fall_out[:-1] - fall_out[1:]) * (recall[:-1] + recall[1:]) / 2
    return float(np.average(areas.sum(axis=0), weights=weights))


def pr_auc(
    labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None
) -> float:
    """AUC(curve="PR", multi_label=True): precision interpolated as Davis & Goadrich 2006, sec. 4.

    Between two of the 200 thresholds the hits are linear in the alarms, true and false, so that
    the area is slope · (Δhits + intercept · log(alarms_a / alarms_b)) / positives.
    """
    hits, false_alarms, positive, _ = _counts(labels, scores)
    alarms = hits + false_alarms
    gained = hits[:-1] - hits[1:]
    slope = _divide(gained, np.maximum(alarms[:-1] - alarms[1:], 0))
    intercept = hits[1:] - slope * alarms[1:]
    ratio = np.where(
        (alarms[:-1] > 0) & (alarms[1:] > 0), _divide(alarms[:-1], alarms[1:]), np.float32(1)
    )
    areas = _divide(slope * (gained + intercept * np.log(ratio)), positive)
    return float(np.average(areas.sum(axis=0), weights=weights))


def _counts(labels: NDArray[Any], scores: NDArray[Any]) -> tuple[Floats, Floats, Floats, Floats]:
    """Hits and false alarms above each threshold, shape (200, outputs); positives, negatives.

    A score of exactly i/199 isn't above it; the first threshold lies below 0, the last above 1.
    """
    scaled = np.clip(scores.astype(np.float32), 0, 1) * np.float32(_THRESHOLDS - 1)
    buckets = np.maximum(np.ceil(scaled) - 1, 0).astype(int)
    outputs = np.arange(labels.shape[1])
    positive = (labels > 0).astype(np.float32)
    counted = []
    for weight in (positive, 1 - positive):
        found = np.zeros((_THRESHOLDS, labels.shape[1]), np.float32)
        np.add.at(found, (buckets, outputs), weight)
        counted.append(found[::-1].cumsum(axis=0, dtype=np.float32)[::-1])
    hits, alarms = counted
    return hits, alarms, positive.sum(axis=0), (1 - positive).sum(axis=0)


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient, 0 where the denominator is 0."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.divide(
        numerator, denominator, out=np.zeros(shape, np.float32), where=denominator != 0
    )
