"""The candidate beside every other model on the same rows: paired differences, and decisions."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from moderation.categories import TOXIC, Category
from trainer.bootstrap import Samples
from trainer.data import Matrix
from trainer.figures import MACRO, Limits, mean_of
from trainer.intervals import difference, holm, mcnemar

CANDIDATE = "model"
_COMPARED = ("roc_auc", "ap", "precision", "recall", "f1")


def compare(
    other: str,
    sampled: Mapping[str, Mapping[str, Samples]],
    scores: Mapping[str, Matrix],
    labels: Matrix,
    limits: Limits,
) -> dict[str, Any]:
    """The candidate minus another, category by category, and whose decisions are right.

    The mean is over the categories that both know: a base may lack one. Over a single one it
    would be no mean.
    """
    one, two = dict(sampled[CANDIDATE]), dict(sampled[other])
    common = [c for c in TOXIC if not np.isnan(one[c]["ap"][0] + two[c]["ap"][0])]
    if len(common) < 2:
        common = []
    one[MACRO], two[MACRO] = mean_of(one, common), mean_of(two, common)
    differences = {
        name: {figure: difference(one[name][figure], two[name][figure]) for figure in _COMPARED}
        for name in (MACRO, *map(str, Category))
    }
    tests = {}
    for i, category in enumerate(Category):
        a, b = (scores[name][:, i].astype(float) for name in (CANDIDATE, other))
        known = (labels[:, i] >= 0) & ~np.isnan(a) & ~np.isnan(b)
        if known.any():
            limit, truth = limits[category], labels[known, i] > 0.5
            tests[category.value] = mcnemar(a[known] >= limit, b[known] >= limit, truth)
    return {"a": CANDIDATE, "b": other, "differences": differences, "mcnemar": holm(tests)}
