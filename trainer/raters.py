"""What a candidate's gain rests on: moderators' labels it has not seen, and not two moderators'."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.categories import TOXIC
from trainer import bootstrap
from trainer.bootstrap import Samples
from trainer.data import Matrix
from trainer.figures import MACRO, Limits
from trainer.intervals import difference, interval, mean

_LEFT_OUT = 2


def on_labels(
    raters: Sequence[frozenset[int]] | None,
    scores: Sequence[Matrix],
    labels: Matrix,
    limits: Limits,
    weights: NDArray[Any],
) -> dict[str, Any] | None:
    """How many of the toxic categories two models decide rightly, by the thresholds `limits`, of
    the rows that moderators labelled, and the difference; None if nobody is known behind the rows.

    The mean of each row's share of known categories, so that a text counts once. AP would hide what
    a group's labels teach: greetings and insults by a new word are told apart by many a model that
    lets both pass. Other arguments as in `without_two`.
    """
    if raters is None or len(scores) < 2:
        return None
    thresholds = [limits[c] for c in TOXIC]
    truth = labels[:, : len(TOXIC)]
    known = (truth >= 0) & np.array([bool(found) for found in raters], bool)[:, None]
    rows = known.any(axis=1)
    drawn = weights[:, rows].astype(float)
    shares = []
    for model in scores:
        decided = np.nan_to_num(model[rows, : len(TOXIC)].astype(float)) >= thresholds
        right = ((decided == (truth[rows] > 0.5)) & known[rows]).sum(axis=1) / known[rows].sum(
            axis=1
        )
        shares.append(_mean(right, drawn))
    new, old = shares
    return {
        "rows": int(rows.sum()),
        "right": interval(new)["value"],
        "before": interval(old)["value"],
        "difference": difference(new, old),
    }


def without_two(
    raters: Sequence[frozenset[int]] | None,
    scores: Sequence[Matrix],
    labels: Matrix,
    weights: NDArray[Any],
) -> dict[str, Any] | None:
    """The difference in AP of two models on the rows that the two moderators with whose labels the
    first one gains most have no say in; None if nobody is known behind the rows.

    `raters` names those behind each row, `scores` are the candidate's and the incumbent's.
    """
    if raters is None or len(scores) < 2:
        return None
    kept = np.ones(len(labels), bool)
    everybody = sorted(frozenset().union(*raters))
    for _ in range(min(_LEFT_OUT, len(everybody))):
        without = [kept & np.array([one not in found for found in raters]) for one in everybody]
        means = [_macro(scores, labels, rows[None].astype(np.float32)) for rows in without]
        # A category without a row left has no gain, and who leaves none out of it is worst of all.
        kept = without[int(np.argmin(np.nan_to_num(means, nan=-np.inf)))]
    one, other = (_ap(model, labels, weights * kept) for model in scores)
    names = [c.value for c in TOXIC if c.value in one and c.value in other]
    unknown = [np.full(len(weights), np.nan)]
    one[MACRO], other[MACRO] = (
        mean([found[name] for name in names] or unknown) for found in (one, other)
    )
    return {
        "rows": int(kept.sum()),
        "ap": {name: difference(one[name], other[name]) for name in (MACRO, *names)},
    }


def _mean(values: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """The mean on each resample; NaN where none is drawn."""
    total = weights.sum(axis=1)
    return np.asarray(np.where(total > 0, weights @ values / np.maximum(total, 1), np.nan))


def _macro(scores: Sequence[Matrix], labels: Matrix, weights: NDArray[Any]) -> float:
    one, other = (_ap(model, labels, weights) for model in scores)
    changes = [one[name][0] - other[name][0] for name in one.keys() & other.keys()]
    return float(np.mean(changes)) if changes else float("nan")


def _ap(scores: Matrix, labels: Matrix, weights: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """The AP of each category that the model knows and the rows have both classes of."""
    found: dict[str, NDArray[np.float64]] = {}
    for i, category in enumerate(TOXIC):
        column = scores[:, i].astype(float)
        samples: Samples = bootstrap.measure(column, column >= 0.5, labels[:, i], weights)
        if not np.isnan(samples["ap"][0]):
            found[category.value] = samples["ap"]
    return found
