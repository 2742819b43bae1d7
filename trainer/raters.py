"""What a candidate's gain rests on: moderators' labels it has not seen, and not two moderators'."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.categories import TOXIC
from trainer import bootstrap
from trainer.bootstrap import Samples
from trainer.data import Matrix
from trainer.figures import MACRO
from trainer.intervals import difference, mean

_LEFT_OUT = 2
# Of fewer on either side an AP jumps by more than any model gains.
_LEAST = 5


def on_labels(
    raters: Sequence[frozenset[int]] | None,
    scores: Sequence[Matrix],
    labels: Matrix,
    weights: NDArray[Any],
) -> dict[str, Any] | None:
    """The difference in AP of two models on the rows that moderators labelled, for the categories
    that have some positives and negatives there, and their mean; None if nobody is known behind
    the rows. Arguments as in `without_two`."""
    if raters is None or len(scores) < 2:
        return None
    labelled = np.array([bool(found) for found in raters], bool)
    counts = {c.value: labels[labelled, i] for i, c in enumerate(TOXIC)}
    enough = [
        name for name, found in counts.items()
        if min((found == 1).sum(), (found == 0).sum()) >= _LEAST
    ]  # fmt: skip
    gains = _gains(scores, labels, weights * labelled, enough)
    return {"rows": int(labelled.sum()), "ap": gains}


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
    gains = _gains(scores, labels, weights * kept, [c.value for c in TOXIC])
    return {"rows": int(kept.sum()), "ap": gains}


def _gains(
    scores: Sequence[Matrix], labels: Matrix, weights: NDArray[Any], asked: Sequence[str]
) -> dict[str, Any]:
    """The differences in AP of those categories that both models know, and of their mean."""
    one, other = (_ap(model, labels, weights) for model in scores)
    names = [name for name in asked if name in one and name in other]
    unknown = [np.full(len(weights), np.nan)]
    one[MACRO], other[MACRO] = (
        mean([found[name] for name in names] or unknown) for found in (one, other)
    )
    return {name: difference(one[name], other[name]) for name in (MACRO, *names)}


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
