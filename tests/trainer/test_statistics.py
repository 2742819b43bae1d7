import json

import pytest

from tests.trainer.conftest import gold_lines, trainer, write
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
    loaded, labelled = dataset.count(Files((write(tmp_path / "gold.tsv", lines),)), Recipe())
    return statistics.describe(loaded, labelled)


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


def test_the_command_prints_and_writes_them(tmp_path):
    gold = write(tmp_path / "gold.tsv", gold_lines(200))
    done = trainer("data", "--gold", gold, "--out", tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert "gold.tsv: 200 rows read, 0 left out" in done.stdout
    assert json.loads((tmp_path / "out" / "statistics.json").read_text())["rows"] == 200
    assert (tmp_path / "out" / "labels.png").stat().st_size > 5000
    assert not (tmp_path / "splits.tsv").exists()
