import json

import pytest

from tests.trainer.conftest import corpus_lines, gold_lines, trainer, write
from trainer import dataset, statistics
from trainer.config import Recipe
from trainer.dataset import Files


@pytest.fixture
def counted(tmp_path):
    lines = [
        *gold_lines(300),
        "ты идиот\tinsult\ttrain\t901\tм",
        "Ты  идиот\trude\ttrain\t902\tм",
        "без полей",
    ]
    files = Files((write(tmp_path / "gold.tsv", lines),))
    return statistics.describe(*dataset.count(files, Recipe()))


def test_rows_duplicates_contradictions_and_bad_rows_are_counted(counted):
    found = counted["files"]["gold.tsv"]

    assert found == {
        "read": 303,
        "rejected": 1,
        "reasons": {"1 fields, not 5": 1},
        "merged": 1,
        "contradictions": 1,
    }
    assert counted["rows"] == 301


def test_every_label_is_counted_for_all_rows_parts_and_sources(counted):
    for category in ("obscenity", "insult", "non_toxic"):
        whole = counted["labels"][category]
        parts = [found[category]["positive"] for found in counted["parts"].values()]
        sources = [found[category]["positive"] for found in counted["sources"].values()]
        assert whole["positive"] == sum(parts) == sum(sources)
        assert whole["positive"] + whole["negative"] + whole["unknown"] == 301
    assert counted["labels"]["insult"]["unknown"] == 1


def test_the_chart_names_every_category(counted):
    (axes,) = statistics.chart(counted["labels"]).axes
    named = [label.get_text() for label in axes.get_yticklabels()]

    assert named == ["Не токсично", "Грубость", "Дискриминация", "Угроза", "Оскорбление", "Мат"]
    assert [bar.get_width() for bar in axes.patches][4] == counted["labels"]["insult"]["positive"]


def test_corpus_and_pool_are_counted_by_source(gold, tmp_path):
    corpus = write(tmp_path / "corpus.tsv", corpus_lines(20))
    pool = write(tmp_path / "pool.tsv", ["text\tsource", "просто текст\tпул"])
    found = statistics.describe(*dataset.count(Files((gold,), (corpus,), (pool,)), Recipe()))
    sources = found["other_sources"]

    assert (found["rows"], found["others"]["rows"]) == (360, 21)
    assert sources["ruparadetox_toxic"]["non_toxic"]["negative"] == 10
    assert sources["ruparadetox_toxic"]["insult"]["unknown"] == 10
    assert sources["пул"]["non_toxic"]["unknown"] == 1
    assert "corpus and pool, to be learnt" in statistics.table(found)


def test_files_of_one_name_are_told_apart_by_their_folders(gold, tmp_path):
    (tmp_path / "other").mkdir()
    other = write(tmp_path / "other" / gold.name, gold_lines(20, seed=5))
    found = statistics.describe(*dataset.count(Files((gold, other)), Recipe()))

    assert list(found["files"]) == [f"{tmp_path.name}/gold.tsv", "other/gold.tsv"]


def test_the_command_prints_and_writes_them(tmp_path):
    gold = write(tmp_path / "gold.tsv", gold_lines(200))
    done = trainer("data", "--gold", gold, "--out", tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert "gold.tsv: 200 rows read, 0 left out" in done.stdout
    assert json.loads((tmp_path / "out" / "statistics.json").read_text())["rows"] == 200
    assert (tmp_path / "out" / "labels.png").stat().st_size > 5000
    assert not (tmp_path / "splits.tsv").exists()
