"""Votes of several moderators: what they settle on, alpha and confusions."""

from itertools import permutations

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.agreement import Confusion, alpha, confusions, resolve
from moderation.categories import TOXIC, Category

INSULT, RUDE, THREAT = Category.INSULT, Category.RUDE, Category.THREAT
NON_TOXIC = Category.NON_TOXIC
CLEAN = dict.fromkeys(TOXIC, 0) | {NON_TOXIC: 1}

VALUE = st.sampled_from([0, 1, None])
VOTE = st.dictionaries(st.sampled_from(list(Category)), VALUE)
UNITS = st.lists(st.dictionaries(st.integers(1, 4), VOTE, max_size=4), max_size=25)


def said(*categories):
    return CLEAN | dict.fromkeys(categories, 1) | ({NON_TOXIC: 0} if categories else {})


def pairs(mine, theirs, category=INSULT):
    return [{"a": {category: x}, "b": {category: y}} for x, y in zip(mine, theirs, strict=True)]


def test_most_votes_decide_and_a_tie_is_unknown():
    label = resolve([said(INSULT, RUDE), said(INSULT), said(RUDE, THREAT), said(INSULT)])
    assert label[INSULT] == 1
    assert label[RUDE] is None
    assert label[THREAT] == 0
    assert label[NON_TOXIC] == 0


def test_what_nobody_said_is_unknown():
    assert resolve([]) == dict.fromkeys(Category)
    assert resolve([{INSULT: None}, {RUDE: 0}]) == dict.fromkeys(Category) | {RUDE: 0}


def test_an_unknown_vote_leaves_the_decision_to_the_others():
    assert resolve([{INSULT: 1}, {INSULT: None}, {}])[INSULT] == 1


def test_not_toxic_says_no_to_every_category():
    assert resolve([{NON_TOXIC: 1}]) == CLEAN
    assert resolve([dict.fromkeys(TOXIC, 0)]) == CLEAN


def test_toxic_of_no_named_kind_stays_toxic():
    assert resolve([{NON_TOXIC: 0}]) == dict.fromkeys(Category) | {NON_TOXIC: 0}


def test_toxic_to_most_but_of_no_one_kind_is_unknown():
    label = resolve([said(INSULT), said(RUDE), said()])
    assert label == CLEAN | {NON_TOXIC: None}


@given(st.lists(VOTE, max_size=6))
def test_not_toxic_never_contradicts_the_categories(votes):
    label = resolve(votes)
    toxic = [label[category] for category in TOXIC]
    if label[NON_TOXIC] == 1:
        assert set(toxic) == {0}
    if 1 in toxic:
        assert label[NON_TOXIC] == 0


@given(st.lists(VOTE, max_size=4))
def test_the_order_of_votes_is_no_matter(votes):
    first = resolve(votes)
    assert all(resolve(order) == first for order in permutations(votes))


def test_alpha_of_the_textbook():
    """Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", A: two observers, binary."""
    meg = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    owen = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = alpha(pairs(meg, owen))[INSULT]
    assert found.value == pytest.approx(0.095, abs=5e-4)
    assert found.units == 10
    assert found.low < 0 < 0.6 < found.high


def test_alpha_with_missing_votes_by_hand():
    """Coincidences: 6 units no+no, 3 yes+yes, one no+no+yes, which gives a pair of no+no and two
    of no+yes over 2 raters each; the unit with one vote doesn't count."""
    units = pairs([0] * 6 + [1] * 3 + [1], [0] * 6 + [1] * 3 + [None])
    units.append({"a": {INSULT: 0}, "b": {INSULT: 0}, "c": {INSULT: 1}})
    no, yes = 6 * 2 + 2, 3 * 2 + 1
    observed, expected = 2 * 2 / 2, 2 * no * yes / (no + yes - 1)
    found = alpha(units)[INSULT]
    assert found.value == pytest.approx(1 - observed / expected)
    assert found.units == 10


@given(UNITS)
def test_alpha_is_that_of_the_reference_on_the_matrix_of_raters(units):
    found = alpha(units)[THREAT]
    if found.value is not None:
        rows = [[_threat(unit.get(rater)) for unit in units] for rater in range(1, 5)]
        reference = krippendorff.alpha(
            reliability_data=np.array(rows, float),
            value_domain=[0.0, 1.0],
            level_of_measurement="nominal",
        )
        assert found.value == pytest.approx(reference)
        assert found.low <= found.value <= found.high <= 1


def _threat(vote):
    label = resolve([vote or {}])[THREAT]
    return np.nan if label is None else label


@given(UNITS, st.permutations([1, 2, 3, 4]), st.randoms())
def test_who_said_it_and_in_what_order_is_no_matter(units, names, random):
    renamed = [{names[rater - 1]: vote for rater, vote in unit.items()} for unit in units]
    random.shuffle(renamed)
    assert alpha(renamed) == alpha(units)
    assert set(confusions(renamed)) == set(confusions(units))


@given(st.lists(st.sets(st.sampled_from(TOXIC)), min_size=10, max_size=40), st.integers(2, 4))
def test_raters_who_always_agree_have_an_alpha_of_one(texts, raters):
    found = alpha([{rater: said(*text) for rater in range(raters)} for text in texts])
    for category in TOXIC:
        varied = len({category in text for text in texts}) == 2
        assert found[category].value == (1 if varied else None)
    assert confusions([{1: said(*text), 2: said(*text)} for text in texts]) == []


def test_random_votes_have_an_alpha_near_zero():
    votes = np.random.default_rng(3).random((2000, 3)) < 0.3
    found = alpha([{i: {RUDE: int(v)} for i, v in enumerate(row)} for row in votes])[RUDE]
    assert found.low < 0 < found.high
    assert found.value == pytest.approx(0, abs=0.05)
    assert found.high - found.low < 0.1


@pytest.mark.parametrize(("units", "share"), [(10, 0.5), (40, 0.1), (150, 0.1)])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(units, share):
    wrong = 0.05  # of each rater's votes
    yes = share * (1 - wrong) + (1 - share) * wrong
    truth = 1 - wrong * (1 - wrong) / (yes * (1 - yes))
    rng, held = np.random.default_rng(5), []
    for _ in range(200):
        votes = (rng.random(units) < share) ^ (rng.random((2, units)) < wrong)
        found = alpha(pairs(*votes.astype(int).tolist()))[INSULT]
        if found.value is not None:
            held.append(found.low <= truth <= found.high)
    assert 0.9 <= np.mean(held) <= 0.99


def test_too_few_units_or_no_variation_have_no_alpha():
    few = alpha(pairs([0, 1] * 4, [0, 1] * 4))[INSULT]
    assert (few.value, few.low, few.high, few.units) == (None, None, None, 8)
    same = alpha(pairs([0] * 30, [0] * 30))[INSULT]
    assert (same.value, same.units) == (None, 30)
    assert alpha([])[NON_TOXIC].units == 0


def test_confusions_are_categories_said_instead_of_each_other():
    units = [
        {"a": said(INSULT), "b": said(RUDE)},
        {"a": said(RUDE), "b": said(INSULT), "c": said(RUDE)},
        {"a": said(INSULT, RUDE), "b": said(RUDE)},  # one more, but not instead
        {"a": said(THREAT), "b": said()},
        {"a": said(THREAT), "b": {RUDE: 1}},  # b says nothing of threats
    ]
    assert confusions(units) == [
        Confusion(INSULT, RUDE, 3),
        Confusion(THREAT, NON_TOXIC, 1),
    ]
