from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import typer

from moderation.categories import Category
from moderation.classifier import TorchClassifier, score_texts
from tests.trainer.conftest import trainer, write
from tests.trainer.seed_rows import seed_lines
from trainer.__main__ import app
from trainer.config import TrainingError
from trainer.seed import Settings, read
from trainer.seed_run import Run, run

PLOTS = ["histograms", "labels", "lengths", "precision_recall", "roc", "text"]


def silent(line):
    pass


@pytest.fixture(scope="module")
def given(tmp_path_factory, tiny_model):
    directory = tmp_path_factory.mktemp("seed")
    rows = read(write(directory / "seed.tsv", seed_lines(400)), None, 3208)
    settings = Settings(epochs=2, learning_rate=1e-3, batch_size=16)
    return Run(rows, str(tiny_model), directory / "out", settings, text="Ты — дурак!")


@pytest.fixture(scope="module")
def finished(given):
    said = []
    return given.out, run(given, said.append), said


def test_every_table_is_given_and_written(finished):
    out, tables, _ = finished

    assert (out / "tables.txt").read_text(encoding="utf-8") == tables + "\n"
    titles = [part.splitlines()[0].split(",")[0] for part in tables.split("\n\n")]
    assert titles == [
        "Rows and labels after each step",
        "Epochs",
        "Categories",
        "Categories",
        "Honest: precision and recall of the positive class",
        "Multi-label",
        "Multi-label",
        "Honest: whole rows",
        "Toxic or not",
        "Toxic or not",
        "Honest: ROC-AUC",
        "Honest: average precision",
    ]


def test_the_table_of_epochs_has_a_line_for_each(finished):
    (table,) = [part for part in finished[1].split("\n\n") if part.startswith("Epochs")]

    epochs = [line.split() for line in table.splitlines()[2:]]
    assert [epoch for epoch, *_ in epochs] == ["1", "2"]
    assert float(epochs[1][2]) < float(epochs[0][2])


def test_every_plot_is_written(finished):
    out, _, _ = finished

    assert sorted(path.stem for path in out.glob("*.png")) == PLOTS
    assert all((out / f"{name}.png").read_bytes().startswith(b"\x89PNG") for name in PLOTS)


def test_progress_is_shown(finished):
    said = "\n".join(finished[2])

    assert "preparing: test: 40 rows" in said
    assert "fine-tuning: epoch 2, valid loss" in said
    assert "discrimination is joined to threat" in said


def test_the_last_epochs_model_can_be_served(finished):
    """The recipe's five outputs are names that the bot knows."""
    classifier = TorchClassifier(finished[0] / "model", "cpu")
    (scores,) = score_texts(classifier, ["сдохни завтра"])

    assert set(Category) - set(scores) == {Category.DISCRIMINATION}
    assert sorted(path.name for path in (finished[0] / "model").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_the_test_rows_are_kept(finished):
    rows = pd.read_csv(finished[0] / "test.tsv", sep="\t", index_col=0)

    assert len(rows) == 40
    assert {"text", "raw", "non-toxic", "dangerous"} <= set(rows)


def test_a_directory_that_holds_something_is_left_alone(given, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(TrainingError, match="not an empty directory"):
        run(replace(given, out=tmp_path), silent)


def test_nothing_is_left_of_a_run_whose_base_cannot_be_read(given, own_model, tmp_path):
    (own_model / "model.safetensors").unlink()

    with pytest.raises(TrainingError, match=r"no \*.safetensors"):
        run(replace(given, base=str(own_model), out=tmp_path / "new"), silent)
    assert not (tmp_path / "new").exists()


def test_a_learning_rate_that_breaks_the_weights_is_said(given, tmp_path):
    settings = replace(given.settings, epochs=1, learning_rate=1e30)

    with pytest.raises(TrainingError, match="no longer numbers"):
        run(replace(given, settings=settings, out=tmp_path / "out"), silent)


def test_what_cannot_be_done_is_said_in_one_line(tmp_path):
    options = ["--data", "none.tsv", "--base", "none", "--out", tmp_path / "out"]
    done = trainer("seed", *options)

    assert done.returncode == 1
    assert done.stderr.splitlines() == ["error: none.tsv: No such file or directory"]


def test_every_option_is_explained_and_in_the_documentation():
    page = (Path(__file__).parents[2] / "docs" / "original-recipe.md").read_text(encoding="utf-8")
    options = typer.main.get_command(app).commands["seed"].params

    assert len(options) == 11
    for option in options:
        assert option.help
        assert f"| `{option.opts[0]}` |" in page
