"""The figures of a model on all resamples: for each category, their mean, and toxicity at all."""

from collections.abc import Mapping, Sequence
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


def acts(scores: Matrix, limits: Limits) -> NDArray[np.bool_]:
    """Whether any toxic category reaches its threshold; a NaN reaches none."""
    thresholds = np.array([limits[c] for c in TOXIC], np.float32)
    return np.asarray((scores[:, : len(TOXIC)] >= thresholds).any(axis=1))


def sample(
    scores: Matrix, labels: Matrix, toxic: NDArray[Any], limits: Limits, weights: NDArray[Any]
) -> dict[str, Samples]:
    """The figures of a model on every resample, for each category, their mean and «any»."""
    found = {
        c.value: bootstrap.measure(scores[:, i], scores[:, i] >= limits[c], labels[:, i], weights)
        for i, c in enumerate(Category)
    }
    judged = [c for i, c in enumerate(TOXIC) if (labels[:, i] == 1).any()]
    knows_all = all(not np.isnan(found[c.value]["brier"][0]) for c in judged)
    found[MACRO] = mean_of(found, judged if knows_all else [])
    found[ANY] = bootstrap.measure(any_toxic(scores), acts(scores, limits), toxic, weights)
    return found


def mean_of(found: Mapping[str, Samples], categories: Sequence[Category]) -> Samples:
    """The mean figures over some categories; NaN over none."""
    nothing = np.full_like(next(iter(found.values()))["ap"], np.nan)
    return {
        name: mean([found[c.value][name] for c in categories] or [nothing])
        for name in bootstrap.FIGURES
    }
