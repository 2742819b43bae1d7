"""Figures of scores on resampled rows, all resamples at once: group bootstrap, paired.

The first "resample" holds every row once, so its figures are those of the rows themselves. Weighted
figures equal scikit-learn's with `sample_weight`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Samples = dict[str, Array]  # figure -> its values, shape (1 + resamples,); NaN where undefined
FIGURES = ("roc_auc", "ap", "precision", "recall", "f1", "alarms", "false_alarms", "brier", "ece")
BINS = 15
_CELLS = 2**20  # rows times resamples at once, so that a large file needs no more memory


def resample(groups: NDArray[Any], resamples: int, seed: int) -> NDArray[np.float32]:
    """How often each row is drawn, shape (1 + resamples, rows); rows of a group come together.

    Groups are drawn with replacement, as many as there are (Field & Welsh 2007).
    """
    _, numbers = np.unique(groups, return_inverse=True)
    n = int(numbers.max()) + 1 if len(numbers) else 0
    rng = np.random.default_rng(seed)
    weights = np.ones((1 + resamples, len(groups)), np.float32)
    for i in range(resamples):
        drawn = np.bincount(rng.integers(n, size=n), minlength=n)
        weights[1 + i] = drawn[numbers]
    return weights


def measure(
    scores: NDArray[Any], decisions: NDArray[np.bool_], labels: NDArray[Any], weights: NDArray[Any]
) -> Samples:
    """Every figure of `FIGURES` for each row of `weights`, over the rows whose label is known.

    `scores` are probabilities, `labels` 1, 0 or -1 for unknown, all of shape (rows,). ECE is over
    fifteen bins of equal width (Naeini et al. 2015).
    """
    known = (labels >= 0) & np.isfinite(scores)
    if not known.any():
        return {name: np.full(len(weights), np.nan) for name in FIGURES}
    p, above, positive = scores[known].astype(float), decisions[known], labels[known] > 0.5
    step = max(_CELLS // len(p), 1)
    found = [
        _measure(p, above, positive, weights[i : i + step, known])
        for i in range(0, len(weights), step)
    ]
    return {name: np.concatenate([part[name] for part in found]) for name in FIGURES}


def _measure(
    p: Array, above: NDArray[np.bool_], positive: NDArray[np.bool_], w: NDArray[Any]
) -> Samples:
    return {
        **_areas(p, positive, w),
        **_decided(above, positive, w),
        "brier": _ratio(w @ (p - positive) ** 2, w.sum(axis=1, dtype=float)),
        "ece": _calibration_error(p, positive, w),
    }


def reliability(scores: NDArray[Any], labels: NDArray[Any]) -> list[dict[str, float]]:
    """For each bin that has texts: bounds, texts, mean score, share with the label."""
    known = (labels >= 0) & np.isfinite(scores)
    p, positive = scores[known], labels[known] > 0.5
    bins = _bins(p)
    return [
        {
            "low": b / BINS,
            "high": (b + 1) / BINS,
            "n": int((bins == b).sum()),
            "mean": round(float(p[bins == b].mean()), 4),
            "share": round(float(positive[bins == b].mean()), 4),
        }
        for b in range(BINS)
        if (bins == b).any()
    ]


def _areas(p: Array, positive: NDArray[np.bool_], w: NDArray[Any]) -> Samples:
    """Areas under the ROC and the precision-recall curve, from one sort of the rows."""
    order = np.argsort(-p, kind="stable")
    ranked = p[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # the last row of each tie
    hits = np.cumsum(w[:, order] * positive[order], axis=1, dtype=float)[:, ends]
    misses = np.cumsum(w[:, order] * ~positive[order], axis=1, dtype=float)[:, ends]
    gained = np.diff(hits, axis=1, prepend=0.0)
    lost = np.diff(misses, axis=1, prepend=0.0)
    pairs = (lost * (hits - gained / 2)).sum(axis=1)
    all_hits, all_misses = hits[:, -1], misses[:, -1]
    precision = hits / np.maximum(hits + misses, 1e-12)
    return {
        "roc_auc": _ratio(pairs, all_hits * all_misses),
        "ap": np.where(all_misses > 0, _ratio((gained * precision).sum(axis=1), all_hits), np.nan),
    }


def _decided(above: NDArray[np.bool_], positive: NDArray[np.bool_], w: NDArray[Any]) -> Samples:
    both = w @ (above & positive).astype(float)
    found, wanted = w @ above.astype(float), w @ positive.astype(float)
    total = w.sum(axis=1, dtype=float)
    return {
        # Without an alarm no alarm is right, as scikit-learn's zero_division=0 has it.
        "precision": np.where(wanted > 0, both / np.maximum(found, 1e-12), np.nan),
        "recall": _ratio(both, wanted),
        "f1": np.where(wanted > 0, _ratio(2 * both, found + wanted), np.nan),
        "alarms": _ratio(found, total),
        "false_alarms": _ratio(found - both, total - wanted),
    }


def _calibration_error(p: Array, positive: NDArray[np.bool_], w: NDArray[Any]) -> Array:
    member = _bins(p)[:, None] == np.arange(BINS)  # (rows, BINS)
    gap = w @ (member * (p - positive)[:, None])
    return _ratio(np.abs(gap).sum(axis=1), w.sum(axis=1, dtype=float))


def _bins(p: NDArray[Any]) -> NDArray[np.int64]:
    return np.minimum((p * BINS).astype(np.int64), BINS - 1)


def _ratio(part: Array, whole: Array) -> Array:
    """`part` / `whole`, NaN where there is no whole."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)
