"""How far moderators deviate from the base, which has learnt none of their labels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moderation.categories import TOXIC
from trainer.data import Matrix

SURE = 0.8
# Honest moderators contradict a sure base in a tenth to a quarter of their texts, and in half of
# them where they teach it a new word; those of a raid in nine of ten (docs/experiments.md).
DOUBTED = 0.75
FEWEST = 20  # texts of a moderator, below which the share says little


def contradicts(votes: pd.DataFrame, keys: Sequence[str], scores: Matrix) -> NDArray[np.bool_]:
    """Whether each vote says the opposite of what the base is sure of, in any toxic category;
    `scores` are the base's, of the texts with `keys`."""
    place = {key: row for row, key in enumerate(keys)}
    rows = votes.key.map(place).to_numpy(int)
    said = votes[[c.value for c in TOXIC]].to_numpy(float)
    p = scores[rows, : len(TOXIC)].astype(float)
    differs = np.where((said < 0) | np.isnan(p), 0.0, np.abs(said - p))
    return np.asarray((differs >= SURE).any(axis=1))


def doubted(votes: pd.DataFrame, opposite: NDArray[np.bool_]) -> frozenset[str]:
    """The texts that nobody labelled but moderators who nearly always say the opposite."""
    of_each = pd.Series(opposite).groupby(votes.moderator.to_numpy()).agg(["mean", "size"])
    deviating = of_each.index[(of_each["mean"] >= DOUBTED) & (of_each["size"] >= FEWEST)]
    alone = votes.moderator.isin(deviating).groupby(votes.key).all()
    return frozenset(map(str, alone.index[alone]))
