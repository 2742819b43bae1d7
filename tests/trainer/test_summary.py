import numpy as np
import pytest

from trainer.summary import evaluate, table


def figures(scores, labels):
    full_scores, full_labels = np.zeros((len(scores), 6)), np.full((len(scores), 6), -1.0)
    full_scores[:, 0], full_labels[:, 0] = scores, labels
    return evaluate(full_scores, full_labels)


def test_the_figures_of_a_category_are_those_of_its_known_rows():
    row = figures([0.9, 0.6, 0.55, 0.1, 0.99], [1, 1, 0, 0, -1])["obscenity"]

    assert row == {
        "roc_auc": 1.0,
        "ap": 1.0,
        "precision": pytest.approx(2 / 3, abs=1e-4),
        "recall": 1.0,
        "f1": 0.8,
        "support": 2,
        "n": 4,
    }


def test_one_class_has_no_auc():
    row = figures([0.9, 0.6], [1, 1])["obscenity"]

    assert (row["roc_auc"], row["ap"]) == (None, None)


def test_a_category_that_nobody_knows_has_no_figures():
    assert set(figures([0.9], [-1])["obscenity"].values()) == {None, 0}


def test_macro_is_the_mean_of_the_toxic_categories():
    rng = np.random.default_rng(0)
    labels = (rng.random((50, 6)) < 0.4).astype(float)
    found = evaluate(rng.random((50, 6)), labels)
    names = ("obscenity", "insult", "threat", "discrimination", "rude")

    assert found["macro"]["ap"] == pytest.approx(np.mean([found[n]["ap"] for n in names]), abs=1e-4)
    assert found["macro"]["n"] == 50


def test_the_table_has_a_line_for_each_category():
    text = table(figures([0.9, 0.2], [1, 0]))

    assert "obscenity            1.0000     1.0000" in text
    assert len(text.splitlines()) == 8
