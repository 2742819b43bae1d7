import json

import pytest

from moderation.categories import Category
from tests.trainer.conftest import write
from trainer.config import TrainingError
from trainer.predict import predict

ODD = [
    "",
    "привет",
    " ",
    "a" * 5000,
    "х\u200bу\u200bй",
    "\U0001f595",
    '"кавычки',
    "привет",
    "\x00\x01",
]


def silent(line):
    pass


def score(model, lines, tmp_path, column="text"):
    source = write(tmp_path / "texts.tsv", [column, *lines])
    assert predict(model, source, tmp_path / "scores.jsonl", silent) == len(lines)
    with (tmp_path / "scores.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_every_text_has_a_line_in_its_order(model, tmp_path):
    rows = score(model, ODD, tmp_path)

    assert [row["text"].replace("\ufffd", "\x00") for row in rows] == ODD
    for row in rows:
        assert set(row["scores"]) == set(Category)
        assert all(0 <= p <= 1 for p in row["scores"].values())
    assert rows[1]["scores"] == pytest.approx(rows[7]["scores"], abs=1e-5)


def test_the_column_of_the_original_recipe_will_do(model, tmp_path):
    assert score(model, ["привет"], tmp_path, column="text_res")[0]["text"] == "привет"


def test_bytes_that_are_not_utf8_are_scored_too(model, tmp_path):
    source = tmp_path / "texts.tsv"
    source.write_bytes(b"text\n\xff\xfe\nok\n")
    predict(model, source, tmp_path / "scores.jsonl", silent)

    assert len((tmp_path / "scores.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_nothing_is_left_of_a_run_that_failed(model, tmp_path):
    source = write(tmp_path / "texts.tsv", ["text", "привет"])

    def fail(line):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        predict(model, source, tmp_path / "scores.jsonl", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["texts.tsv"]


def test_a_directory_that_isnt_there_is_named(model, tmp_path):
    source = write(tmp_path / "texts.tsv", ["text", "привет"])

    with pytest.raises(TrainingError, match="no such directory"):
        predict(model, source, tmp_path / "none" / "scores.jsonl", silent)


def test_a_model_that_isnt_there_is_named(tmp_path):
    source = write(tmp_path / "texts.tsv", ["text", "привет"])

    with pytest.raises(TrainingError, match="no such model directory"):
        predict(tmp_path / "none", source, tmp_path / "scores.jsonl", silent)
