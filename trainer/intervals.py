"""95 % intervals of figures and of their differences from resamples, and tests of decisions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

Interval = dict[str, float | None]


def interval(samples: NDArray[np.float64]) -> Interval:
    """A figure and its percentile interval; `samples[0]` is of the rows themselves.

    The interval holds the figure: resamples of a biased one such as ECE may all lie above it.
    """
    if np.isnan(samples[0]):
        return {"value": None, "low": None, "high": None}
    value, drawn = float(samples[0]), samples[1:][~np.isnan(samples[1:])]
    if not len(drawn):
        return {"value": _rounded(value), "low": None, "high": None}
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "value": _rounded(value),
        "low": _rounded(min(low, value)),
        "high": _rounded(max(high, value)),
    }


def difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> Interval:
    """`one` - `other` on the same resamples, and a two-sided p: twice the smaller share of
    resamples on either side of nothing (Efron & Tibshirani 1993)."""
    samples = one - other
    found = interval(samples)
    drawn = samples[1:][~np.isnan(samples[1:])]
    if found["value"] is None or not len(drawn):
        return {**found, "p": None}
    tail = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return {**found, "p": round(float(min(1.0, 2 * (tail + 1) / (len(drawn) + 1))), 4)}


def mean(samples: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The mean figure of categories, over those that have one; NaN if none has.

    A resample that lost a category's few positives has no mean: the others' would be of other
    things.
    """
    known = [values for values in samples if not np.isnan(values[0])]
    return np.mean(known, axis=0) if known else np.full(len(samples[0]), np.nan)


def mcnemar(
    one: NDArray[np.bool_], other: NDArray[np.bool_], truth: NDArray[np.bool_]
) -> dict[str, Any]:
    """Rows that only one of two deciders gets right, and the exact p (McNemar 1947)."""
    only_a = int(((one == truth) & (other != truth)).sum())
    only_b = int(((one != truth) & (other == truth)).sum())
    n = only_a + only_b
    p = float(binomtest(only_a, n, 0.5).pvalue) if n else 1.0
    return {"only_a_right": only_a, "only_b_right": only_b, "p": p}


def holm(found: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The tests with their p corrected for being several (Holm 1979)."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, (name, test) in enumerate(sorted(found.items(), key=lambda item: item[1]["p"])):
        highest = max(highest, min(1.0, test["p"] * (len(found) - rank)))
        adjusted[name] = highest
    return {name: {**test, "p_holm": adjusted[name]} for name, test in found.items()}


def _rounded(value: float) -> float:
    return round(float(value), 5)
