import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from trainer import seed_intervals as intervals


def ranked(n, seed=0):
    """Labels, and two models' scores of them, the first the better."""
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.3
    shared = rng.normal(size=n)
    scores = positive * 1.5 + shared + rng.normal(size=n) * 0.3
    base = positive * 0.8 + shared + rng.normal(size=n) * 0.3
    return positive, scores, base


def resampled(positive, figure, draws=200):
    rng = np.random.default_rng(1)
    rows = rng.integers(0, len(positive), (draws, len(positive)))
    return np.std([figure(row) for row in rows])


def half(interval):
    return (interval.high - interval.low) / 2 / 1.96


def test_a_share_has_wilsons_interval():
    found = intervals.share(8, 10)

    assert found.value == 0.8
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_nothing_has_no_share():
    assert intervals.share(0, 0) is None


@pytest.mark.parametrize(("hits", "bounds"), [(0, (0.0, 0.2775)), (10, (0.7225, 1.0))])
def test_an_interval_ends_at_the_ends(hits, bounds):
    found = intervals.share(hits, 10)

    assert (found.low, found.high) == pytest.approx(bounds, abs=1e-4)


def test_precision_and_recall_are_those_of_the_positive_class():
    positive, above = np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 0], bool)
    precision, recall = intervals.precision_recall(positive, above)

    assert precision.value == pytest.approx(2 / 3)
    assert recall.value == pytest.approx(2 / 3)


def test_the_area_and_its_interval_agree_with_resampling():
    positive, scores, _ = ranked(500)
    found = intervals.roc_auc(positive, scores)
    spread = resampled(positive, lambda row: roc_auc_score(positive[row], scores[row]))

    assert found.value == pytest.approx(roc_auc_score(positive, scores))
    assert half(found) == pytest.approx(spread, rel=0.2)


def test_equal_scores_count_by_half():
    positive, scores = np.array([1, 1, 0, 0], bool), np.array([0.5, 0.9, 0.5, 0.1])

    assert intervals.roc_auc(positive, scores).value == pytest.approx(3.5 / 4)


def test_the_difference_of_two_models_on_the_same_rows_is_paired():
    positive, scores, base = ranked(500)
    found = intervals.roc_auc_difference(positive, scores, base)
    spread = resampled(
        positive,
        lambda row: (
            roc_auc_score(positive[row], scores[row]) - roc_auc_score(positive[row], base[row])
        ),
    )
    alone = half(intervals.roc_auc(positive, scores))

    assert found.value == pytest.approx(
        roc_auc_score(positive, scores) - roc_auc_score(positive, base)
    )
    assert half(found) == pytest.approx(spread, rel=0.2)
    assert half(found) < alone


def test_average_precision_has_an_interval_inside_0_and_1():
    positive, scores, _ = ranked(500)
    found = intervals.average_precision(positive, scores)

    assert found.value == pytest.approx(average_precision_score(positive, scores))
    assert 0 < found.low < found.value < found.high < 1


def test_a_perfect_order_has_no_spread_of_its_average_precision():
    found = intervals.average_precision(np.array([True, False]), np.array([0.9, 0.1]))

    assert (found.low, found.high) == (1.0, 1.0)


def test_an_interval_is_shown_with_its_bounds():
    assert str(intervals.mean(np.array([0.0, 1.0]))) == "0.500 [-0.193, 1.193]"
