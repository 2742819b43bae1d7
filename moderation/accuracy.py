"""How good the bot is in a group, from verdicts on what it flagged and blind audits of the rest.

A message that the bot acted on or showed is *flagged*; moderators judge some of those. The others
*passed*; a random sample of them, drawn by `probability`, is labelled by moderators who don't see
the score. Counts are of one category over one period. A stratum is the passed messages of one bin
of the score that were drawn with one probability: when the base share changes, a new one begins.
"Random" is meant twice: verdicts and labels must not be given for the clear cases alone.

The method is stratified estimation with the flagged messages as one more stratum (Pinterest 2026,
arXiv:2602.18518; Cochran, Sampling Techniques, 1977, ch. 5).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Bins of the highest calibrated score of the toxic categories, and how much more often than the
# lowest a message of each is audited. By Neyman's allocation a share goes with sqrt(p(1 - p)),
# p the part that is toxic: about .01, .09, .2 and .4 here.
BOUNDS = (0.05, 0.15, 0.3)
FACTORS = (1, 3, 4, 5)

# When a figure is shown must not hang on what the labels say, see `recall`.
ENOUGH_VERDICTS = 15  # a half is then known to a quarter: 1.96² · .5 · .5 / .25²
ENOUGH_AUDITS = 300  # a group hardly reads more; from here on the interval says how little is known
LEAST_RECALL = 0.25  # what audits without a miss must show for recall
MOST_PREVALENCE = 0.05  # and, of the passed messages, for prevalence

_DRAWS = 2000
_SEED = 0
_NO_MISS = 3.69  # -ln(.025): no miss in n audits leaves at most 3.69 / n (97.5 %)


@dataclass(frozen=True, slots=True)
class Flagged:
    """Messages flagged for a category, how many got a verdict, and for how many it was yes."""

    total: int
    judged: int
    right: int

    def __post_init__(self) -> None:
        if not 0 <= self.right <= self.judged <= self.total:
            raise ValueError(f"counts must satisfy 0 <= right <= judged <= total, not {self}")


@dataclass(frozen=True, slots=True)
class Stratum:
    """Passed messages of a stratum, how many have an audit label that is known for the category,
    and how many of these have the category."""

    total: int
    audited: int
    missed: int

    def __post_init__(self) -> None:
        if not 0 <= self.missed <= self.audited <= self.total:
            raise ValueError(f"counts must satisfy 0 <= missed <= audited <= total, not {self}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share from 0 to 1, its 95 % interval, and the labels that it rests on: verdicts for
    precision, audits for recall and prevalence."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Insufficient:
    """Too few labels to say anything of use: how many there are, and about how many are needed."""

    have: int
    need: int
    of: Literal["verdicts", "audits"]


Result = Estimate | Insufficient | None


def stratum_of(score: float) -> int:
    """The stratum of a passed message by its highest toxic score, 0 to `len(BOUNDS)`.

    Raises ValueError for what is no score from 0 to 1.
    """
    if not 0 <= score <= 1:
        raise ValueError(f"a score is from 0 to 1, not {score}")
    return bisect_right(BOUNDS, score)


def probability(score: float, base: float) -> float:
    """The probability with which a passed message of this score is audited.

    `base` is that of the lowest stratum, where nearly all messages are; most misses are where a
    score nearly reached a threshold, and there a label says more. Raises ValueError for a score or
    a base that is not from 0 to 1.
    """
    if not 0 <= base <= 1:
        raise ValueError(f"a share is from 0 to 1, not {base}")
    return min(1.0, base * FACTORS[stratum_of(score)])


def precision(flagged: Flagged) -> Result:
    """The share of flagged messages that have the category; None if none was flagged.

    Jeffreys' interval for the messages that nobody judged (Brown, Cai & DasGupta 2001), those
    judged being known. `need` is `ENOUGH_VERDICTS` whatever the verdicts are: a rule that looked
    at them would sooner show the lucky ones.
    """
    if not flagged.total:
        return None
    if (short := _short_of_verdicts(flagged)) is not None:
        return short
    drawn = _true_positives(flagged) / flagged.total
    return _estimate(flagged.right / flagged.judged, drawn, flagged.judged)


def recall(flagged: Flagged, strata: Sequence[Stratum]) -> Result:
    """The share of messages with the category that were flagged.

    None if enough labels found no such message, flagged or missed: there was nothing to recall.
    `need` is the number of audits that would show `LEAST_RECALL` if they found no miss, so the
    fewer are flagged, the more; at most `ENOUGH_AUDITS`. It looks at no label: shown as soon as it
    was narrow (0.6), the interval covered down to 20 % of truths, as the lucky ones are narrow.

    Jeffreys' prior in every stratum covers as few as 81 % of simulated truths, as half a miss that
    nobody saw is added to each stratum and weighted up; split over the strata, it covers 82 %.
    Mid-p (Fay & Kim 2017) covers 94-99 %, with intervals a tenth wider: no miss is added or, in
    every second draw, one, in the stratum where it weighs most and wherever nothing was audited.
    """
    cells = _Cells.of(strata)
    allowed = flagged.total * (1 / LEAST_RECALL - 1)
    if (short := _short_of_verdicts(flagged) or cells.short(allowed)) is not None:
        return short
    found, missed = _expected(flagged), cells.expected
    if not found + missed:
        return None
    drawn = _true_positives(flagged)
    return _estimate(found / (found + missed), drawn / (drawn + cells.draws()), cells.n)


def prevalence(flagged: Flagged, strata: Sequence[Stratum]) -> Result:
    """The share of all messages that have the category; None if there were no messages.

    `need` is the number of audits that would show `MOST_PREVALENCE` if they found no miss.
    """
    cells = _Cells.of(strata)
    passed = cells.total.sum()
    total = flagged.total + passed
    if not total:
        return None
    allowed = passed * MOST_PREVALENCE
    if (short := _short_of_verdicts(flagged) or cells.short(allowed)) is not None:
        return short
    drawn = (_true_positives(flagged) + cells.draws()) / total
    return _estimate((_expected(flagged) + cells.expected) / total, drawn, cells.n)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The strata that aren't empty, as arrays of shape (strata,)."""

    total: NDArray[np.int64]
    audited: NDArray[np.int64]
    missed: NDArray[np.int64]

    @classmethod
    def of(cls, strata: Sequence[Stratum]) -> "_Cells":
        rows = [(s.total, s.audited, s.missed) for s in strata if s.total]
        return cls(*np.array(rows, np.int64).reshape(-1, 3).T)

    @property
    def n(self) -> int:
        return int(self.audited.sum())

    @property
    def expected(self) -> float:
        """The Horvitz-Thompson estimate of all missed."""
        return float((self.total * self.missed / np.maximum(self.audited, 1)).sum())

    def short(self, allowed: float) -> Insufficient | None:
        """What is missing for audits without a miss to leave at most `allowed` in any stratum."""
        needed = (_NO_MISS * self.total - allowed) / (_NO_MISS + allowed)
        lacking = int(np.ceil(np.maximum(needed - self.audited, 0)).sum())
        need = min(self.n + lacking, ENOUGH_AUDITS)
        return Insufficient(self.n, need, "audits") if self.n < need else None

    def draws(self) -> Floats:
        """Draws, shape (draws,), from the confidence distribution of how many were missed: those
        seen, and those among the messages left."""
        if not len(self.total):
            return np.zeros(_DRAWS)
        generator = np.random.default_rng(_SEED + 1)
        left = self.total - self.audited
        weighs = left / (self.audited + 1)
        unseen = (weighs == weighs.max()) | (self.audited == 0)
        added = unseen * (generator.random((_DRAWS, 1)) < 0.5)
        ones = np.maximum(self.missed + added, 1e-9)  # next to no misses is a rate of 0
        rate = generator.beta(ones, self.audited - self.missed + 0.5)
        unread = generator.binomial(left, rate).sum(axis=1)
        found: Floats = self.missed.sum() + unread.astype(float)
        return found


def _true_positives(flagged: Flagged) -> Floats:
    """Draws, shape (draws,), of how many flagged messages have the category."""
    generator = np.random.default_rng(_SEED)
    rate = generator.beta(flagged.right + 0.5, flagged.judged - flagged.right + 0.5, _DRAWS)
    unjudged = generator.binomial(flagged.total - flagged.judged, rate)
    found: Floats = flagged.right + unjudged.astype(float)
    return found


def _expected(flagged: Flagged) -> float:
    return flagged.total * flagged.right / max(flagged.judged, 1)


def _short_of_verdicts(flagged: Flagged) -> Insufficient | None:
    need = min(flagged.total, ENOUGH_VERDICTS)
    return Insufficient(flagged.judged, need, "verdicts") if flagged.judged < need else None


def _estimate(value: float, drawn: Floats, n: int) -> Estimate:
    """The percentile interval, widened to hold the value: without a miss that is an end of it."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(value, float(min(low, value)), float(max(high, value)), n)
