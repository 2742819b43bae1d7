import numpy as np
import pytest

from tests.trainer.conftest import write
from tests.trainer.seed_rows import seed_lines
from trainer import seed, seed_model, seed_training
from trainer.config import TrainingError


def test_an_epochs_figures_are_those_of_the_notebook():
    labels = np.array([[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]], np.float32)
    shares = labels.sum(axis=0) / labels.sum()
    found = seed_training.metrics(np.where(labels, 4.0, -4.0), labels, shares)

    assert found["accuracy"] == found["precision"] == found["recall"] == 1.0
    assert found["roc_auc"] == found["pr_auc"] == pytest.approx(1.0)
    # Soft-max gives each of two right outputs a half, so that the right answer costs 2 log 2.
    assert found["crossentropy"] == pytest.approx(4 * np.log(2) / 3, abs=0.01)


def test_a_line_of_the_table_joins_what_was_logged_of_an_epoch():
    history = [
        {"loss": 0.4, "epoch": 1.0, "learning_rate": 1e-5},
        {"eval_loss": 0.3, "eval_roc_auc": 0.9, "epoch": 1.0},
        {"loss": 0.2, "epoch": 2.0},
        {"eval_loss": 0.25, "eval_roc_auc": 0.91, "epoch": 2.0},
        {"train_runtime": 9.0, "epoch": 2.0},
    ]
    table = seed_training.epochs(history)

    assert table.index.tolist() == [1, 2]
    assert table["valid loss"].tolist() == [0.3, 0.25]
    assert list(table) == ["train loss", "valid loss", "ROC-AUC"]


def silent(line):
    pass


@pytest.fixture
def rows(tmp_path):
    path = write(tmp_path / "seed.tsv", seed_lines(200))
    return seed.prepare(seed.read(path, None, 3208), 3208, silent)


def test_padding_every_row_to_the_longest_changes_nothing(tiny_model, rows, tmp_path):
    tables = []
    for pad in (True, False):
        model, tokenizer = seed_model.load(str(tiny_model), silent)
        settings = seed.Settings(epochs=1, batch_size=32, pad_to_longest=pad)
        tables.append(
            seed_training.fine_tune(model, tokenizer, rows, settings, tmp_path / "out", silent)
        )

    assert tables[0]["valid loss"].tolist() == pytest.approx(tables[1]["valid loss"], abs=1e-3)


def test_logits_that_are_no_longer_numbers_end_the_training():
    logits = np.full((2, 5), np.nan)

    with pytest.raises(TrainingError, match="no longer numbers"):
        seed_training.metrics(logits, np.eye(2, 5), np.ones(5))
