"""Several moderators' votes on texts: what they settle on, and how far they agree.

A vote says of categories yes (1), no (0) or nothing (None, or no key). A unit is a text with its
votes by rater. Agreement is only that of raters who didn't see each other's votes.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import krippendorff
import numpy as np
from numpy.typing import NDArray

from moderation.categories import TOXIC, Category

Vote = Mapping[Category, int | None]
Rater = TypeVar("Rater", bound=Hashable)

Counts = NDArray[np.int64]  # of the raters of each unit who said no and yes, shape (units, 2)

FEWEST_UNITS = 10

_DRAWS = 1000
_SEED = 0
# Half a unit for each thing that two raters can do: both no, one each, both yes.
_PRIOR = np.array([[2, 0], [1, 1], [0, 2]], np.int64)
_PRIOR_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha, 1 for agreement and 0 for chance, below for less; its 95 % interval;
    and the units with at least two known votes. None where undefined."""

    value: float | None
    low: float | None
    high: float | None
    units: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many times one rater said `one` and another `other` instead."""

    one: Category
    other: Category
    count: int


def resolve(votes: Sequence[Vote]) -> dict[Category, int | None]:
    """What most known votes say of each category; a tie, or no vote, is unknown.

    A text is not toxic if no category is left, and toxic as soon as there is one. Where most say
    that it is toxic but not most by any one category, `non_toxic` is unknown.
    """
    completed = [_completed(vote) for vote in votes]
    label = {category: _majority([vote[category] for vote in completed]) for category in Category}
    toxic = [label[category] for category in TOXIC]
    clean = all(value == 0 for value in toxic)
    if 1 in toxic:
        label[Category.NON_TOXIC] = 0
    elif (label[Category.NON_TOXIC] == 1) != clean:
        label[Category.NON_TOXIC] = None if clean or label[Category.NON_TOXIC] else 0
    return label


def alpha(units: Sequence[Mapping[Rater, Vote]]) -> dict[Category, Agreement]:
    """Krippendorff's nominal alpha for each category (Krippendorff 2011), with a bootstrap interval
    over units.

    The value is None with fewer than `FEWEST_UNITS` units, or if all known votes are the same:
    there is no telling agreement from habit then.

    Resampled units cover as few as 12 % of simulated truths at 10 units and 44-96 % at 40, as rare
    disagreements are missing from most samples. Random weights of the units (Rubin 1981) and of
    half a unit for each of what two raters can do cover 91-99 % at any number.
    """
    completed = [[_completed(vote) for vote in unit.values()] for unit in units]
    return {category: _agreement(_counts(completed, category)) for category in Category}


def confusions(units: Sequence[Mapping[Rater, Vote]]) -> list[Confusion]:
    """The pairs of categories that raters take for each other, the most frequent first.

    Counted for every two raters of a unit of whom one says the one and not the other category, and
    the other the reverse; not toxic counts as a category. To learn about two raters, give the units
    of those two.
    """
    counted: Counter[tuple[Category, Category]] = Counter()
    for unit in units:
        for mine, theirs in combinations([_completed(vote) for vote in unit.values()], 2):
            for pair in combinations(Category, 2):
                said = ([mine[c] for c in pair], [theirs[c] for c in pair])
                counted[pair] += said in (([1, 0], [0, 1]), ([0, 1], [1, 0]))
    return [Confusion(*pair, count) for pair, count in counted.most_common() if count]


def _completed(vote: Vote) -> dict[Category, int | None]:
    """The vote with what follows from it; a category says more than "not toxic"."""
    full = {category: vote.get(category) for category in Category}
    if any(full[category] == 1 for category in TOXIC):
        return full | {Category.NON_TOXIC: 0}
    if full[Category.NON_TOXIC] == 1:
        return full | dict.fromkeys(TOXIC, 0)
    if all(full[category] == 0 for category in TOXIC) and full[Category.NON_TOXIC] is None:
        full[Category.NON_TOXIC] = 1
    return full


def _majority(values: Sequence[int | None]) -> int | None:
    yes, no = values.count(1), values.count(0)
    return None if yes == no else int(yes > no)


def _counts(units: Sequence[Sequence[Mapping[Category, int | None]]], category: Category) -> Counts:
    """The counts of units with at least two known votes, in an order that is only theirs."""
    values = [[vote[category] for vote in unit] for unit in units]
    pairs = sorted((unit.count(0), unit.count(1)) for unit in values)
    return np.array([pair for pair in pairs if sum(pair) >= 2], np.int64).reshape(-1, 2)


def _agreement(counts: Counts) -> Agreement:
    if len(counts) < FEWEST_UNITS or not counts.sum(axis=0).all():
        return Agreement(None, None, None, len(counts))
    value = float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))
    low, high = np.percentile(_draws(counts), [2.5, 97.5])
    return Agreement(value, float(min(low, value)), float(max(high, value)), len(counts))


def _draws(counts: Counts) -> NDArray[np.float64]:
    """Alphas of a population of such units, shape (draws,)."""
    rows = np.concatenate([counts, _PRIOR])
    weight = np.concatenate([np.ones(len(counts)), np.full(len(_PRIOR), _PRIOR_WEIGHT)])
    drawn = np.random.default_rng(_SEED).gamma(weight, size=(_DRAWS, len(rows)))
    votes = drawn @ rows
    disagreement = drawn @ (rows.prod(axis=1) / (rows.sum(axis=1) - 1))
    found: NDArray[np.float64] = 1 - disagreement * votes.sum(axis=1) / votes.prod(axis=1)
    return found
