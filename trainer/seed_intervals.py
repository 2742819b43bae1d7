"""95 % intervals of precision, recall, areas and means, in closed form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from trainer.calibrate import wilson

_Z = 1.96


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the bounds of its 95 % interval; `str` is what tables show."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def share(hits: int, n: int) -> Interval | None:
    """The share of `hits` in `n` (Wilson 1927); None of nothing."""
    if n == 0:
        return None
    found, total = np.array([hits, n - hits]), np.array([n, n])
    low, rest = wilson(found, total)
    return Interval(hits / n, max(float(low), 0.0), min(1 - float(rest), 1.0))


def precision_recall(
    positive: NDArray[np.bool_], above: NDArray[np.bool_]
) -> tuple[Interval | None, Interval | None]:
    """Precision and recall of the positive class alone."""
    hits = int((positive & above).sum())
    return share(hits, int(above.sum())), share(hits, int(positive.sum()))


def mean(values: NDArray[Any]) -> Interval:
    """The mean of independent values, by the normal approximation."""
    value, spread = float(values.mean()), _Z * float(values.std()) / len(values) ** 0.5
    return Interval(value, value - spread, value + spread)


def average_precision(positive: NDArray[np.bool_], scores: NDArray[Any]) -> Interval:
    """Average precision with the logit interval of Boyd, Eng & Page 2013."""
    value = float(average_precision_score(positive, scores))
    if value >= 1.0:
        return Interval(value, value, value)
    logit = np.log(value / (1 - value))
    spread = _Z / (float(positive.sum()) * value * (1 - value)) ** 0.5
    low, high = 1 / (1 + np.exp(-(logit - spread))), 1 / (1 + np.exp(-(logit + spread)))
    return Interval(value, float(low), float(high))


def roc_auc(positive: NDArray[np.bool_], scores: NDArray[Any]) -> Interval:
    """The area under the ROC curve (DeLong 1988)."""
    areas, covariance = _delong(positive, scores[None])
    return _bounded(float(areas[0]), float(covariance[0, 0]), lowest=0.0)


def roc_auc_difference(
    positive: NDArray[np.bool_], scores: NDArray[Any], base: NDArray[Any]
) -> Interval:
    """How much larger the area of `scores` is than that of `base` on the same rows (DeLong)."""
    areas, covariance = _delong(positive, np.stack([scores, base]))
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return _bounded(float(areas[0] - areas[1]), float(variance), lowest=-1.0)


def _bounded(value: float, variance: float, lowest: float) -> Interval:
    spread = _Z * max(variance, 0.0) ** 0.5
    return Interval(value, max(value - spread, lowest), min(value + spread, 1.0))


def _delong(
    positive: NDArray[np.bool_], scores: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Areas of k models, shape (k,), and their covariance, by mid-ranks (Sun & Xu 2014)."""
    m, n = int(positive.sum()), int((~positive).sum())
    ranks = rankdata(scores, axis=1)
    of_positive = ranks[:, positive] - rankdata(scores[:, positive], axis=1)
    of_negative = ranks[:, ~positive] - rankdata(scores[:, ~positive], axis=1)
    below, over = of_positive / n, 1 - of_negative / m  # (k, m) and (k, n): placements
    covariance = np.atleast_2d(np.cov(below)) / m + np.atleast_2d(np.cov(over)) / n
    return below.mean(axis=1), covariance
