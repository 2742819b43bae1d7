"""The figures of a model on all resamples: for each category, their mean, and toxicity at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from moderation.categories import TOXIC, Category
from trainer import bootstrap
from trainer.bootstrap import Samples
from trainer.data import Matrix
from trainer.intervals import mean

Limits: TypeAlias = Mapping[Category, float]
MACRO, ANY = "macro", "any"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model says of all rows: scores, shape (n, 6), and whether it would act."""

    scores: Matrix
    acts: NDArray[np.bool_]


def any_toxic(scores: Matrix) -> Matrix:
    """The highest score of the toxic categories that are known; NaN if none is."""
    toxic = scores[:, : len(TOXIC)]
    known = ~np.isnan(toxic)
    return np.where(known.any(axis=1), np.where(known, toxic, -1).max(axis=1), np.nan)


def is_toxic(labels: Matrix) -> NDArray[np.float64]:
    """Whether each row has any toxic label: 1, 0, or -1 where the known ones don't decide."""
    toxic = labels[:, : len(TOXIC)]
    clean = (toxic == 0).all(axis=1) | (labels[:, -1] == 1)
    return np.where(
        (toxic == 1).any(axis=1) | (labels[:, -1] == 0), 1.0, np.where(clean, 0.0, -1.0)
    )


def acts(scores: Matrix, rules: Limits) -> NDArray[np.bool_]:
    """Whether a toxic category reaches the threshold of its rule, in double precision as decisions
    are made; one without a rule is allowed, and NaN reaches none.
    """
    ruled = [(i, rules[c]) for i, c in enumerate(TOXIC) if c in rules]
    columns, thresholds = zip(*ruled, strict=True)
    return np.asarray((scores[:, columns].astype(float) >= thresholds).any(axis=1))


def sample(
    judged: Judged, labels: Matrix, toxic: NDArray[Any], limits: Limits, weights: NDArray[Any]
) -> dict[str, Samples]:
    """The figures of a model on every resample, for each category, their mean and «any»."""
    scores = judged.scores.astype(float)
    found = {
        c.value: bootstrap.measure(scores[:, i], scores[:, i] >= limits[c], labels[:, i], weights)
        for i, c in enumerate(Category)
    }
    present = [c for i, c in enumerate(TOXIC) if (labels[:, i] == 1).any()]
    knows_all = all(not np.isnan(found[c.value]["brier"][0]) for c in present)
    found[MACRO] = mean_of(found, present if knows_all else [])
    found[ANY] = bootstrap.measure(any_toxic(scores), judged.acts, toxic, weights)
    return found


def mean_of(found: Mapping[str, Samples], categories: Sequence[Category]) -> Samples:
    """The mean figures over some categories; NaN over none."""
    nothing = np.full_like(next(iter(found.values()))["ap"], np.nan)
    return {
        name: mean([found[c.value][name] for c in categories] or [nothing])
        for name in bootstrap.FIGURES
    }
