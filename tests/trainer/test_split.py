from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.categories import Category
from trainer.config import Recipe, TrainingError
from trainer.split import CALIBRATION, FIT, PARTS, TEST, VALIDATION, Ledger, assign, without

RECIPE = Recipe()


def frame(groups, splits=None, keys=None, labels=None):
    """Rows of groups; `labels` gives the category of each row."""
    splits = splits or ["train"] * len(groups)
    keys = keys or [f"text {i}" for i in range(len(groups))]
    rows = pd.DataFrame({"group": groups, "split": splits, "key": keys})
    labels = labels or [Category.NON_TOXIC] * len(groups)
    return rows.assign(**{c.value: [float(c is label) for label in labels] for c in Category})


ROWS = st.lists(
    st.tuples(st.sampled_from("абвгдежз"), st.sampled_from(["", "train", "test"]),
              st.sampled_from([*Category])),
    max_size=40,
)  # fmt: skip


def made(rows):
    groups, splits, labels = map(list, zip(*rows, strict=True)) if rows else ([], [], [])
    return frame(groups, splits, labels=labels)


@given(ROWS, ROWS)
def test_no_row_moves_when_rows_are_added(rows, added):
    ledger = Ledger()
    before = assign(made(rows), RECIPE, ledger)
    after = assign(made(rows + added), RECIPE, ledger)

    assert list(after[: len(rows)]) == list(before)


@given(ROWS)
def test_every_row_has_a_part_and_a_new_group_has_one(rows):
    found = made(rows)
    found["part"] = assign(found, RECIPE, Ledger())

    assert set(found.part) <= set(PARTS)
    assert (found.part[found.split == "test"] == TEST).all()
    new = found[~found.group.isin(found.group[found.split == "test"])]
    assert (new.groupby("group").part.nunique() <= 1).all()


def test_a_row_that_a_file_marks_as_test_is_one_from_then_on():
    ledger = Ledger()
    ledger.add(["а"], [FIT])

    assert list(assign(frame(["1"], ["test"], ["а"]), RECIPE, ledger)) == [TEST]
    assert list(assign(frame(["1"], [""], ["а"]), RECIPE, ledger)) == [TEST]


def test_the_order_of_the_file_means_nothing():
    rows = frame([str(i // 2) for i in range(400)], labels=[[*Category][i % 6] for i in range(400)])
    straight = assign(rows, RECIPE, Ledger())
    turned = assign(rows[::-1].reset_index(drop=True), RECIPE, Ledger())

    assert list(turned)[::-1] == list(straight)


def test_each_part_has_its_share_of_each_label():
    labels = [Category.THREAT if i % 50 == 0 else [*Category][i % 3] for i in range(6000)]
    rows = frame([str(i // 3) for i in range(6000)], labels=labels)
    rows["part"] = assign(rows, RECIPE, Ledger())
    for category in (Category.THREAT, Category.INSULT, Category.OBSCENITY):
        shares = rows[rows[category] == 1].part.value_counts(normalize=True)
        assert abs(shares[CALIBRATION] - 0.1) < 0.03
        assert abs(shares[VALIDATION] - 0.1) < 0.03
        assert TEST not in shares


def test_added_rows_keep_the_shares():
    first = frame([f"a{i}" for i in range(1000)])
    more = frame([f"b{i}" for i in range(1000)], keys=[f"more {i}" for i in range(1000)])
    ledger = Ledger()
    assign(first, RECIPE, ledger)
    found = assign(pd.concat([first, more], ignore_index=True), RECIPE, ledger)

    assert list(found.value_counts()[[FIT, CALIBRATION, VALIDATION]]) == [1600, 200, 200]


def test_a_test_row_is_in_no_part_of_the_training_rows():
    groups = [str(i) for i in range(100)]

    assert set(assign(frame(groups, ["test"] * 100), RECIPE, Ledger())) == {TEST}


def test_a_training_row_of_a_file_that_marks_its_test_rows_is_never_one():
    assert TEST not in set(assign(frame([str(i) for i in range(300)]), RECIPE, Ledger()))


def test_rows_of_a_file_without_marks_get_a_test_part():
    recipe = replace(RECIPE, test_share=0.25)
    found = assign(frame([str(i) for i in range(400)], [""] * 400), recipe, Ledger())

    assert found.value_counts()[TEST] == 100


def test_rows_of_a_group_stay_together():
    assert assign(frame(["один"] * 50), RECIPE, Ledger()).nunique() == 1


def test_a_new_row_goes_where_the_most_held_out_of_its_group_stands():
    ledger = Ledger()
    ledger.add(["а", "б"], [FIT, VALIDATION])
    rows = frame(["1", "1", "1"], keys=["а", "б", "в"])

    assert list(assign(rows, RECIPE, ledger)) == [FIT, VALIDATION, VALIDATION]


def test_a_new_row_like_a_test_row_is_held_out_too():
    rows = frame(["1", "1"], ["test", ""])

    assert list(assign(rows, RECIPE, Ledger())) == [TEST, TEST]


def test_a_ledger_survives_being_written_and_read(tmp_path):
    ledger = Ledger()
    ledger.add(["первый", "второй"], [FIT, TEST])
    ledger.write(tmp_path / "new" / "splits.tsv")
    found = Ledger.read(tmp_path / "new" / "splits.tsv")

    assert [found.part(key) for key in ("первый", "второй", "третий")] == [FIT, TEST, None]
    assert "первый" not in (tmp_path / "new" / "splits.tsv").read_text(encoding="utf-8")


def test_a_ledger_that_cant_be_written_is_said_in_one_line(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(TrainingError, match="can't be written: "):
        Ledger().write(tmp_path / "file" / "splits.tsv")


@pytest.mark.parametrize("content", ["нет\n", "a\tb\tc\n", "abc\tdev\n"])
def test_what_is_no_ledger_is_refused_with_its_line(tmp_path, content):
    path = tmp_path / "splits.tsv"
    path.write_text(f"{'0' * 64}\tfit\n{content}", encoding="utf-8")

    with pytest.raises(TrainingError, match=r"splits\.tsv:2: not a hash and the part"):
        Ledger.read(path)


def test_rows_near_to_those_kept_apart_are_dropped():
    rows = frame(["1", "2", "3", "4"], ["train", "train", "test", "train"], ["а", "б", "в", "г"])
    kept_apart = frame(["1", "9"], keys=["щ", "б"])

    assert list(without(rows, kept_apart).key) == ["г"]
