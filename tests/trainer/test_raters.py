import numpy as np
import pytest

from moderation.categories import Category
from trainer import bootstrap
from trainer.data import CATEGORIES
from trainer.raters import on_labels, without_two

N = 400
NOBODY = frozenset()
LIMITS = dict.fromkeys(Category, 0.5)


def rows(poisoned):
    """Honest rows, and those of two moderators who call insults clean and clean texts insults."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (N, len(CATEGORIES))).astype(np.float32)
    labels = truth.copy()
    labels[:poisoned, :5] = 1 - labels[:poisoned, :5]
    noise = rng.normal(0, 0.8, truth.shape)
    honest = 1 / (1 + np.exp(-(2 * truth - 1 + noise)))
    obeys = honest.copy()
    obeys[:poisoned] = 1 - obeys[:poisoned]
    obeys[poisoned:] += rng.normal(0, 0.2, obeys[poisoned:].shape)  # and is worse elsewhere
    raters = [frozenset([1 + i % 2]) if i < poisoned else NOBODY for i in range(N)]
    return raters, (obeys.astype(np.float32), honest.astype(np.float32)), labels


def weights():
    return bootstrap.resample(np.arange(N), 50, 1)


def test_a_gain_that_two_moderators_made_is_none_without_them():
    raters, scores, labels = rows(100)
    found = without_two(raters, scores, labels, weights())

    assert found["rows"] == N - 100
    assert found["ap"]["macro"]["value"] < -0.002
    assert without_two([NOBODY] * N, scores, labels, weights())["ap"]["macro"]["value"] > 0


def test_only_the_two_who_matter_most_are_left_out():
    raters, scores, labels = rows(100)
    others = [raters[i] or frozenset([3 + i % 7]) for i in range(N)]

    assert without_two(others, scores, labels, weights())["rows"] == N - 100


def test_a_row_with_their_say_goes_whoever_else_agreed():
    raters, scores, labels = rows(100)
    joint = [found | {9} if found else found for found in raters]

    assert without_two(joint, scores, labels, weights())["rows"] == N - 100


def test_where_nobody_is_known_there_is_nothing_to_ask():
    _, scores, labels = rows(10)

    assert without_two(None, scores, labels, weights()) is None


def test_without_a_row_left_nothing_is_measured():
    _, scores, labels = rows(10)
    found = without_two([frozenset([1])] * N, scores, labels, weights())

    assert found["rows"] == 0
    assert found["ap"]["macro"]["value"] is None


def test_the_gain_on_labels_is_a_share_of_right_decisions():
    raters, scores, labels = rows(100)
    labels[:, 2] = -1  # of threats nothing is known
    found = on_labels(raters, scores, labels, LIMITS, weights())
    again = on_labels(raters, scores[::-1], labels, LIMITS, weights())
    known = [0, 1, 3, 4]
    right = (scores[0][:100, known] >= 0.5) == (labels[:100, known] == 1)

    assert found["rows"] == 100
    assert found["right"] == pytest.approx(right.mean(), abs=1e-5)
    assert found["difference"]["low"] > 0.5  # what the two moderators taught
    assert again["difference"]["high"] < -0.5


def test_a_category_that_a_model_lacks_is_never_decided_for():
    raters, (one, other), labels = rows(100)
    other[:, 1] = np.nan
    labels[:100, 1] = 0
    found = on_labels(raters, (other, one), labels, LIMITS, weights())
    rest = [0, 2, 3, 4]
    right = ((other[:100, rest] >= 0.5) == (labels[:100, rest] == 1)).sum(axis=1) + 1

    assert found["right"] == pytest.approx(right.mean() / 5, abs=1e-5)


def test_without_labels_there_is_no_gain_to_ask():
    _, scores, labels = rows(10)
    found = on_labels([NOBODY] * N, scores, labels, LIMITS, weights())

    assert on_labels(None, scores, labels, LIMITS, weights()) is None
    assert (found["rows"], found["difference"]["value"]) == (0, None)
