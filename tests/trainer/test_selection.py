import pytest

from tests.trainer.conftest import gold_lines, write
from trainer import selection
from trainer.config import Recipe, TrainingError
from trainer.split import FIT, TEST, Ledger


def select(path, part="test", train=None, splits=None, said=None):
    said = [] if said is None else said
    return selection.select(path, part, train, splits, Recipe(), said.append)


def test_the_files_test_rows_are_judged_and_baselines_learn_from_the_others(gold):
    rows = select(gold)

    assert (len(rows.judged), len(rows.train), rows.part) == (72, 288, "test")
    assert set(rows.judged.split) == {"test"}


def test_of_a_file_without_test_rows_all_are_judged_and_it_is_said(tmp_path):
    said = []
    path = write(tmp_path / "a.csv", ["text,insult", "первый текст,1", "второй текст,0"])
    rows = select(path, said=said)

    assert (len(rows.judged), len(rows.train), rows.part) == (2, 0, "all")
    assert rows.notes == ("a.csv: no row is marked as a test row, so all are judged",)
    assert list(rows.notes) == said


def test_the_ledger_knows_the_test_rows_of_such_a_file(tmp_path):
    path = write(tmp_path / "a.csv", ["text,insult", "первый текст,1", "второй текст,0"])
    ledger = Ledger()
    ledger.add(["первый текст", "второй текст"], [TEST, FIT])
    ledger.write(tmp_path / "splits.tsv")

    assert list(select(path, splits=tmp_path / "splits.tsv").judged.text) == ["первый текст"]


def test_the_ledger_beside_a_model_is_the_one_that_it_was_trained_by(tiny_model, own_model):
    (own_model.parent / "splits.tsv").write_text("", encoding="utf-8")

    assert selection.ledger(str(own_model)) == own_model.parent / "splits.tsv"
    assert selection.ledger(str(tiny_model)) is None
    assert selection.ledger("someone/hub-model") is None


def test_another_part_is_judged_without_a_test_row_anywhere(gold):
    rows = select(gold, "validation")

    assert "test" not in {*rows.judged.split, *rows.train.split}
    assert rows.notes[0].startswith("any model may have learnt rows of the validation part")
    assert 20 < len(rows.judged) < 40


def test_training_rows_near_to_a_judged_one_are_left_out(gold, tmp_path):
    more = write(
        tmp_path / "more.tsv",
        ["text\tlabels\tsplit\tgroup\tsource", "раз два три\tinsult\ttrain\t0\tм"],
    )
    rows = select(gold, train=more)

    assert rows.train.empty
    assert len(rows.notes) == 1
    assert rows.notes[0].startswith("1 of 1 training rows share text or group with judged ones")


def test_a_near_duplicate_is_known_even_where_no_file_has_groups(tmp_path):
    text = "это довольно длинный текст о погоде в городе на завтра и послезавтра"
    judged = write(tmp_path / "a.csv", ["text,insult", f"{text},1", "другое,0"])
    more = write(tmp_path / "b.csv", ["text,insult", f"{text}!,1", "совсем о чём-то ещё,0"])

    assert list(select(judged, "all", train=more).train.text) == ["совсем о чём-то ещё"]


def test_a_missing_ledger_is_refused(gold, tmp_path):
    with pytest.raises(TrainingError, match="no such ledger"):
        select(gold, splits=tmp_path / "none.tsv")


def test_it_is_said_that_no_training_row_is_near_to_a_judged_one(gold):
    assert select(gold).notes == (
        "none of 288 training rows shares its text or group with a judged one",
    )


def test_what_the_ledger_holds_out_no_baseline_learns(tmp_path):
    texts = ["первый текст", "второй текст", "третий текст"]
    path = write(tmp_path / "a.csv", ["text,insult", *(f"{text},1" for text in texts)])
    ledger = Ledger()
    ledger.add(texts, ["validation", TEST, FIT])
    ledger.write(tmp_path / "splits.tsv")
    rows = select(path, "validation", splits=tmp_path / "splits.tsv")

    assert list(rows.judged.text) == ["первый текст"]
    assert list(rows.train.text) == ["третий текст"]


@pytest.mark.parametrize(("part", "said"), [("tset", "no such part"), ("calibration", "no row in")])
def test_nothing_to_judge_is_said_in_one_line(tmp_path, part, said):
    path = write(tmp_path / "gold.tsv", list(gold_lines(2)))

    with pytest.raises(TrainingError, match=said):
        select(path, part)
