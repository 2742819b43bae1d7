import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from trainer.config import Recipe
from trainer.split import CALIBRATION, FIT, TEST, VALIDATION, assign, part, without

RECIPE = Recipe()


def frame(groups, splits=None, keys=None):
    splits = splits or ["train"] * len(groups)
    keys = keys or [f"text {i}" for i in range(len(groups))]
    return pd.DataFrame({"group": groups, "split": splits, "key": keys})


@given(st.lists(st.text(), unique=True), st.lists(st.text(), unique=True))
def test_no_row_moves_when_rows_are_added(groups, added):
    before = assign(frame(groups), RECIPE)
    after = assign(frame(groups + added), RECIPE)

    assert list(after[: len(groups)]) == list(before)


def test_the_parts_have_about_the_shares_of_the_recipe():
    counts = assign(frame([str(i) for i in range(10000)]), RECIPE).value_counts(normalize=True)

    assert counts[FIT] > 0.78
    assert all(0.09 < counts[name] < 0.11 for name in (CALIBRATION, VALIDATION))


def test_the_parts_are_the_same_on_every_machine():
    assert [part(str(i), RECIPE) for i in range(40)].count(FIT) == 37


def test_a_test_row_is_in_no_part_of_the_training_rows():
    groups = [str(i) for i in range(100)]

    assert set(assign(frame(groups, ["test"] * 100), RECIPE)) == {TEST}


def test_rows_of_a_group_stay_together():
    assert assign(frame(["один"] * 50), RECIPE).nunique() == 1


def test_rows_near_to_those_kept_apart_are_dropped():
    rows = frame(["1", "2", "3", "4"], ["train", "train", "test", "train"], ["а", "б", "в", "г"])
    kept_apart = frame(["1", "9"], keys=["щ", "б"])

    assert list(without(rows, kept_apart).key) == ["г"]
