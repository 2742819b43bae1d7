import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.intervals import difference, holm, interval, mcnemar, mean

samples = st.lists(st.floats(-1, 1), min_size=3, max_size=50).map(np.array)


@given(samples)
def test_a_model_differs_from_itself_by_exactly_nothing(found):
    assert difference(found, found) == {"value": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}


@given(samples)
def test_the_bounds_hold_the_figure_and_are_within_all_that_was_drawn(found):
    shown = interval(found)

    assert shown["low"] <= shown["value"] <= shown["high"]
    assert found.min() - 1e-5 <= shown["low"]
    assert shown["high"] <= found.max() + 1e-5


def test_a_figure_that_the_rows_dont_have_is_none_whatever_the_resamples_say():
    assert interval(np.array([np.nan, 0.5, 0.6])) == {"value": None, "low": None, "high": None}


def test_a_clear_difference_has_a_small_p_and_its_reverse_the_same():
    one, other = np.linspace(0.8, 0.9, 1001), np.linspace(0.5, 0.6, 1001)

    assert (
        difference(one, other)["p"] == difference(other, one)["p"] == pytest.approx(0.002, abs=1e-3)
    )
    assert difference(other, one)["value"] == pytest.approx(-0.3)


def test_the_mean_is_over_the_categories_that_are_known():
    nothing = np.array([np.nan, np.nan])

    assert mean([np.array([0.2, 0.4]), np.array([0.4, 0.8]), nothing]).tolist() == pytest.approx(
        [0.3, 0.6]
    )
    assert np.isnan(mean([nothing])).all()


def test_a_resample_without_a_category_has_no_mean_and_bounds_no_interval():
    found = mean([np.array([0.2, 0.4, np.nan]), np.array([0.4, 0.8, 0.6])])

    assert found[:2].tolist() == pytest.approx([0.3, 0.6])
    assert interval(found) == {"value": 0.3, "low": 0.3, "high": 0.6}
    assert interval(np.array([0.5, np.nan])) == {"value": 0.5, "low": None, "high": None}
    assert difference(found[[0, 2]], found[[0, 2]])["p"] is None


def test_mcnemar_counts_who_is_right_alone():
    truth = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], bool)
    one = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 1], bool)
    other = np.array([0, 0, 0, 1, 1, 1, 1, 0, 0, 0], bool)
    found = mcnemar(one, other, truth)

    assert (found["only_a_right"], found["only_b_right"]) == (6, 1)
    assert found["p"] == pytest.approx(2 * (1 + 7) / 2**7)  # the binomial tails by hand
    assert mcnemar(one, one, truth)["p"] == 1.0


def test_holm_corrects_from_the_smallest_and_never_turns_the_order():
    found = holm({name: {"p": p} for name, p in {"а": 0.01, "б": 0.04, "в": 0.03}.items()})

    assert {name: test["p_holm"] for name, test in found.items()} == pytest.approx(
        {"а": 0.03, "в": 0.06, "б": 0.06}
    )
