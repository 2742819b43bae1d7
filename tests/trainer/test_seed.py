import gzip

import numpy as np
import pandas as pd
import pytest

from tests.trainer.conftest import write
from tests.trainer.seed_rows import seed_lines
from trainer import seed
from trainer.config import TrainingError


def quiet(said):
    pass


def frame(*rows):
    return pd.DataFrame([[*row, None, None][:4] for row in rows], columns=["text_res", *seed.MARKS])


@pytest.fixture
def prepared(tmp_path):
    path = write(tmp_path / "seed.tsv", seed_lines(400))
    return seed.prepare(seed.read(path, None, 3208), 3208, quiet)


def test_the_six_marks_become_five_outputs_and_discrimination_joins_threat():
    marks = [
        "0",
        "Оскорбление",
        "Мат/нецензурное",
        "Угроза",
        "Дискриминация",
        "Грубое высказывание",
    ]
    found = seed.vectors(frame(*[["текст", mark] for mark in marks]))

    assert found.argmax(axis=1).tolist() == [0, 1, 2, 3, 3, 4]
    assert found.dtype == np.float32


def test_marks_of_any_column_count_and_an_unknown_one_counts_for_nothing():
    found = seed.vectors(
        frame(["а", None, "Угроза", "Мат/нецензурное"], ["б", "спам"], ["в", "спам", "Угроза"])
    )

    assert found.tolist() == [[0, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0]]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Что за долб@ебы", "что за долб ебы"),
        ("Ёж,  ёж!\nsuka", "ёж ёж"),
        ("🖕 ok 123", ""),
    ],
)
def test_only_russian_letters_are_left(text, cleaned):
    assert seed.clean(text) == cleaned


def test_of_repeats_only_the_non_toxic_ones_are_dropped(tmp_path):
    lines = [*seed_lines(400), "привет\t0\t\t", "привет\t0\t\t"]
    lines += ["сдохни\tУгроза\t\t", "сдохни\tУгроза\t\t"]
    path = write(tmp_path / "seed.tsv", lines)
    made = seed.prepare(seed.read(path, None, 3208), 3208, quiet)

    repeats = made.unique.raw.value_counts()
    assert repeats["привет"] == 1
    assert repeats["сдохни"] == 2


def test_non_toxic_rows_are_thinned_and_threats_doubled_before_validation_is_split_off(prepared):
    rest = prepared.unique.drop(prepared.test.index)
    resampled = pd.concat([prepared.fit, prepared.validation])

    assert len(prepared.test) == 40
    assert resampled["non-toxic"].sum() == round(rest["non-toxic"].sum() * 0.6)
    assert resampled.threat.sum() == 2 * rest.threat.sum()
    assert len(prepared.validation) == np.ceil(len(resampled) * 0.2)
    threats = prepared.validation[prepared.validation.threat == 1]
    assert threats.index.isin(prepared.fit.index).any()


def test_test_rows_without_a_letter_are_lost(tmp_path):
    lines = [*seed_lines(300), *[f"🖕 {i}\tМат/нецензурное\t\t" for i in range(100)]]
    path = write(tmp_path / "seed.tsv", lines)
    made = seed.prepare(seed.read(path, None, 3208), 3208, quiet)

    assert (made.fit.text == "").any()
    assert len(made.test) < 40
    assert (made.test.text != "").all()
    assert made.test.raw.map(seed.clean).tolist() == made.test.text.tolist()


def test_test_rows_whose_text_was_fitted_are_known(tmp_path):
    lines = [*seed_lines(300), *["сдохни!\tУгроза\t\t"] * 60]
    path = write(tmp_path / "seed.tsv", lines)
    made = seed.prepare(seed.read(path, None, 3208), 3208, quiet)

    assert made.test.text[seed.twins(made)].unique().tolist() == ["сдохни"]


def test_the_same_seed_gives_the_same_rows(tmp_path, prepared):
    path = write(tmp_path / "again.tsv", seed_lines(400))
    again = seed.prepare(seed.read(path, None, 3208), 3208, quiet)

    pd.testing.assert_frame_equal(again.fit, prepared.fit)


def test_a_sample_is_taken_of_a_file(tmp_path):
    path = write(tmp_path / "seed.tsv", seed_lines(50))

    assert len(seed.read(path, 20, 1)) == 20
    assert len(seed.read(path, 100, 1)) == 50


def test_quotes_do_not_join_lines(tmp_path):
    path = write(
        tmp_path / "seed.tsv", [next(seed_lines(1)), '"он сказал\t0\t\t', 'и ушёл"\t0\t\t']
    )

    assert seed.read(path, None, 1).text_res.tolist() == ['"он сказал', 'и ушёл"']


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (None, "No such file or directory"),
        ([], "No columns to parse"),
        (["text\tlabels", "а\tinsult"], "no column text_res, mark1, mark2, mark3"),
        (["text_res\tmark1\tmark2\tmark3", "а\tб\tв\tг\tд"], "Length of header"),
        (["text_res\tmark1\tmark2\tmark3", "а\t0\t\t", "а\t0\t\t\tд"], "Expected 4 fields"),
    ],
)
def test_a_file_that_is_not_the_recipes_is_refused(tmp_path, lines, said):
    path = tmp_path / "seed.tsv"
    if lines is not None:
        path.write_text("\n".join(lines), encoding="utf-8")

    with pytest.raises(TrainingError, match=said):
        seed.read(path, None, 1)


def test_a_spoilt_archive_is_refused(tmp_path):
    path = tmp_path / "seed.tsv.gz"
    path.write_bytes(gzip.compress(b"text_res")[:10] + b"garbage" * 9)

    with pytest.raises(TrainingError, match=r"seed\.tsv\.gz: Error -3"):
        seed.read(path, None, 1)


def test_data_that_leave_a_class_empty_are_refused(tmp_path):
    lines = [line for line in seed_lines(400) if "Грубое" not in line]
    path = write(tmp_path / "seed.tsv", lines)

    with pytest.raises(TrainingError, match=r"only 0 of .* rows with dangerous"):
        seed.prepare(seed.read(path, None, 3208), 3208, quiet)


def test_too_few_rows_are_refused(tmp_path):
    path = write(tmp_path / "seed.tsv", seed_lines(1))

    with pytest.raises(TrainingError, match="1 rows are too few"):
        seed.prepare(seed.read(path, None, 3208), 3208, quiet)
