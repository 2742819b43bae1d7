"""Estimates of how good the bot is, against simulated groups whose truth is known."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.accuracy import (
    BOUNDS,
    ENOUGH_AUDITS,
    Estimate,
    Flagged,
    Insufficient,
    Stratum,
    precision,
    prevalence,
    probability,
    recall,
    stratum_of,
)

WORLDS = 200
FLAGGED_FROM = 0.6


@dataclass(frozen=True)
class Group:
    """Messages whose evidence is normal: around 0 for clean ones, around `quality` for others.

    The score is the probability of the category given the evidence, to the power `bent`: one that
    isn't 1 makes a model that is too sure of itself or too shy.
    """

    share: float
    quality: float
    volume: int = 10_000
    audits: int = 300
    judged: float = 0.6
    bent: float = 1.0

    def cells(self) -> np.ndarray:
        """The probabilities of toxic and clean messages by stratum, the flagged last: (2, 5)."""
        odds = np.array([(s ** (1 / self.bent)) for s in (*BOUNDS, FLAGGED_FROM)])
        odds = np.log(odds / (1 - odds)) - np.log(self.share / (1 - self.share))
        edges = [-np.inf, *(odds / self.quality + self.quality / 2), np.inf]
        toxic = np.diff([NormalDist(self.quality).cdf(edge) for edge in edges])
        clean = np.diff([NormalDist().cdf(edge) for edge in edges])
        return np.array([self.share * toxic, (1 - self.share) * clean])


def seen(world, group, rng):
    """What moderators see of a world, counts of shape (2, 5) as in `Group.cells`."""
    (*missed, right), (*clean, wrong) = world.tolist()
    judged = int(rng.binomial(right + wrong, group.judged))
    flagged = Flagged(right + wrong, judged, int(rng.hypergeometric(right, wrong, judged)))
    middles = (0.0, 0.1, 0.2, 0.4)
    totals = [bad + good for bad, good in zip(missed, clean, strict=True)]
    weights = [probability(middle, 0.001) * 1000 for middle in middles]
    base = min(1.0, group.audits / np.dot(weights, totals))
    strata = []
    for bad, good, middle in zip(missed, clean, middles, strict=True):
        audited = int(rng.binomial(bad + good, probability(middle, base)))
        found = int(rng.hypergeometric(bad, good, audited)) if audited else 0
        strata.append(Stratum(bad + good, audited, found))
    return flagged, strata


def simulated(group, worlds=WORLDS):
    """The shares of worlds whose truth the shown intervals hold, and the intervals' mean widths,
    for precision, recall and prevalence."""
    rng = np.random.default_rng(7)
    held = {name: [] for name in ("precision", "recall", "prevalence")}
    widths = {name: [] for name in held}
    for _ in range(worlds):
        world = rng.multinomial(group.volume, group.cells().ravel()).reshape(2, 5)
        flagged, strata = seen(world, group, rng)
        found = {
            "precision": (precision(flagged), world[0, 4] / max(world[:, 4].sum(), 1)),
            "recall": (recall(flagged, strata), world[0, 4] / max(world[0].sum(), 1)),
            "prevalence": (prevalence(flagged, strata), world[0].sum() / world.sum()),
        }
        for name, (estimate, truth) in found.items():
            if isinstance(estimate, Estimate):
                held[name].append(estimate.low - 1e-9 <= truth <= estimate.high + 1e-9)
                widths[name].append(estimate.high - estimate.low)
    shown = [name for name in held if len(held[name]) > worlds / 2]
    return {name: (np.mean(held[name]), np.mean(widths[name])) for name in shown}


@pytest.mark.parametrize(
    "group",
    [
        pytest.param(Group(0.01, 3.5), id="rare, good model: mostly few or no misses"),
        pytest.param(
            Group(0.01, 2, audits=320, judged=1, bent=1.5), id="rare, poor shy model, all judged"
        ),
        pytest.param(Group(0.05, 2, audits=140, judged=0.5), id="poor model"),
        pytest.param(Group(0.05, 3.5, audits=60, judged=0.3), id="good model, few audits"),
        pytest.param(Group(0.15, 3.5, audits=20, judged=0.5), id="common, very few audits"),
        pytest.param(Group(0.15, 2, volume=1500, audits=150, judged=0.5), id="a small group"),
        pytest.param(Group(0.15, 3.5, volume=40_000, audits=200, judged=0.3), id="a large group"),
        pytest.param(Group(0.05, 3.5, audits=300, bent=0.5), id="a model too sure of itself"),
    ],
)
def test_intervals_hold_the_truth_about_as_often_as_they_say(group):
    found = simulated(group)
    assert {"precision", "recall"} <= found.keys()
    for name, (held, _) in found.items():
        # Judged wholly, precision is known and always held.
        assert 0.92 <= held <= (1 if name == "precision" else 0.996), (name, held)


def test_more_audits_make_the_intervals_narrower():
    few, some, many = (simulated(Group(0.05, 3.5, audits=n), 50) for n in (100, 200, 400))
    for name in ("recall", "prevalence"):
        assert few[name][1] > 1.2 * some[name][1] > 1.44 * many[name][1]


def test_a_stratum_that_was_audited_wholly_leaves_nothing_open():
    flagged = Flagged(20, 20, 15)
    strata = [Stratum(60, 60, 5), Stratum(0, 0, 0)]
    assert precision(flagged) == Estimate(0.75, 0.75, 0.75, 20)
    assert recall(flagged, strata) == Estimate(0.75, 0.75, 0.75, 60)
    assert prevalence(flagged, strata) == Estimate(0.25, 0.25, 0.25, 60)


def test_misses_count_as_often_as_their_stratum_was_left_unread():
    found = recall(Flagged(100, 100, 90), [Stratum(9000, 300, 1), Stratum(100, 50, 15)])
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(90 / (90 + 30 + 30))
    assert found.low < 0.5
    assert 0.7 < found.high < 0.9


def test_no_miss_is_no_proof_that_there_are_none():
    found = recall(Flagged(100, 100, 90), [Stratum(9000, 300, 0)])
    assert isinstance(found, Estimate)
    assert (found.value, found.high) == (1, 1)
    assert 0.4 < found.low < 0.6  # up to 3.7 in 300 of 9000, about 110


def test_the_same_counts_give_the_same_figures():
    given_ = Flagged(80, 40, 30), [Stratum(5000, 200, 2), Stratum(300, 40, 6)]
    assert recall(*given_) == recall(*given_)
    assert prevalence(*given_) == prevalence(*given_)


def test_too_little_says_how_much_is_needed():
    flagged = Flagged(90, 60, 50)
    assert recall(flagged, [Stratum(9000, 38, 0)]) == Insufficient(38, 121, "audits")
    assert recall(flagged, [Stratum(9000, 38, 5)]) == Insufficient(38, 121, "audits")
    assert isinstance(recall(flagged, [Stratum(9000, 121, 0)]), Estimate)
    assert precision(Flagged(90, 4, 4)) == Insufficient(4, 15, "verdicts")
    assert precision(Flagged(6, 4, 4)) == Insufficient(4, 6, "verdicts")
    assert recall(Flagged(90, 4, 4), [Stratum(9000, 200, 1)]) == Insufficient(4, 15, "verdicts")


def test_a_rare_category_is_shown_after_as_many_audits_as_a_group_will_read():
    flagged = Flagged(3, 3, 3)
    short = recall(flagged, [Stratum(9000, 50, 0)])
    assert short == Insufficient(50, ENOUGH_AUDITS, "audits")
    found = recall(flagged, [Stratum(9000, ENOUGH_AUDITS, 0)])
    assert isinstance(found, Estimate)
    assert found.low < 0.05


def test_without_messages_of_the_category_there_is_nothing_to_recall():
    assert precision(Flagged(0, 0, 0)) is None
    assert prevalence(Flagged(0, 0, 0), []) is None
    assert recall(Flagged(0, 0, 0), []) is None
    assert recall(Flagged(0, 0, 0), [Stratum(9000, 400, 0)]) is None
    assert recall(Flagged(0, 0, 0), [Stratum(9000, 400, 4)]) == Estimate(0, 0, 0, 400)


@st.composite
def counts(draw):
    total = draw(st.integers(0, 5000))
    some = draw(st.integers(0, total))
    return total, some, draw(st.integers(0, some))


@given(counts(), st.lists(counts(), max_size=5))
def test_every_figure_is_a_share_within_its_interval(flagged, strata):
    flagged, strata = Flagged(*flagged), [Stratum(*numbers) for numbers in strata]
    for found in (precision(flagged), recall(flagged, strata), prevalence(flagged, strata)):
        if isinstance(found, Estimate):
            assert 0 <= found.low <= found.value <= found.high <= 1
        elif found is not None:
            assert found.have < found.need


@pytest.mark.parametrize("kind", [Flagged, Stratum])
@pytest.mark.parametrize("numbers", [(1, 2, 1), (3, 1, 2), (3, 2, -1)])
def test_impossible_counts_are_refused(kind, numbers):
    with pytest.raises(ValueError, match="counts must satisfy"):
        kind(*numbers)


def test_the_strata_are_the_bins_of_the_score():
    assert [stratum_of(s) for s in (0, 0.049, 0.05, 0.15, 0.29, 0.3, 1)] == [0, 0, 1, 2, 2, 3, 3]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_is_audited_no_less_often(score, other, base):
    low, high = sorted((score, other))
    assert base <= probability(low, base) <= probability(high, base) <= 1


@pytest.mark.parametrize(
    ("score", "base"), [(-0.1, 0.1), (1.1, 0.1), (float("nan"), 0.1), (0.5, 2)]
)
def test_what_is_no_probability_is_refused(score, base):
    with pytest.raises(ValueError, match="from 0 to 1"):
        probability(score, base)
