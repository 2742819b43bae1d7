import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from trainer import seed_tables

RNG = np.random.default_rng(3208)
LABELS = (RNG.random((300, 5)) < [0.4, 0.2, 0.25, 0.1, 0.15]).astype(np.float32)
SCORES = np.clip(LABELS * 0.4 + RNG.random((300, 5)) * 0.6, 0, 1).astype(np.float32)


def test_a_score_on_a_threshold_is_not_above_it():
    labels = np.eye(5, dtype=np.float32)
    table = seed_tables.aggregate(labels, np.full((5, 5), 0.3, np.float32))

    assert table.loc["recall", ["0.2", "0.3"]].tolist() == [1.0, 0.0]


def test_the_accuracy_of_a_category_is_its_recall():
    """The fault that makes two of the original's five figures one."""
    table = seed_tables.categories(LABELS, SCORES)

    assert table.loc[("threat", "accuracy")].tolist() == table.loc[("threat", "recall")].tolist()


def test_means_over_both_classes_flatter_a_rare_category():
    table = seed_tables.categories(LABELS, SCORES)
    above = SCORES[:, 3] > 0.3
    true = (LABELS[above, 3] == 1).mean()

    assert table.loc[("threat", "precision"), "0.3"] > true


def test_a_categorys_area_is_the_true_one_and_stands_once():
    row = seed_tables.categories(LABELS, SCORES).loc[("insult", "roc_auc")]

    assert row.iloc[0] == pytest.approx(roc_auc_score(LABELS[:, 1], SCORES[:, 1]))
    assert row.iloc[1:].isna().all()


def test_the_multi_label_precision_is_of_the_first_two_outputs_alone():
    spoilt = SCORES.copy()
    spoilt[:, 2:] = 1 - spoilt[:, 2:]
    mine, theirs = (seed_tables.outputs(LABELS, scores) for scores in (SCORES, spoilt))

    assert mine.loc["precision"].tolist() == theirs.loc["precision"].tolist()
    assert mine.loc["recall"].tolist() == theirs.loc["recall"].tolist()
    assert mine.loc["ROC-AUC", "0.1"] > theirs.loc["ROC-AUC", "0.1"]


def test_the_aggregate_is_the_highest_of_the_four_toxic_outputs():
    scores = np.array([[0.9, 0.1, 0.2, 0.8, 0.3]], np.float32)

    assert seed_tables.any_toxic(scores).tolist() == [np.float32(0.8)]


def test_the_aggregates_roc_auc_is_of_zeros_and_ones():
    table = seed_tables.aggregate(LABELS, SCORES)
    toxic, scores = seed_tables.any_toxic(LABELS), seed_tables.any_toxic(SCORES)

    assert table.loc["roc_auc", "0.5"] == pytest.approx(roc_auc_score(toxic, scores > 0.5))
    assert table.loc["roc_auc", "0.5"] < roc_auc_score(toxic, scores)


def test_a_table_has_a_column_for_each_threshold():
    table = seed_tables.aggregate(LABELS, SCORES)

    assert list(table) == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]
    assert len(seed_tables.text(table).splitlines()) == 6
