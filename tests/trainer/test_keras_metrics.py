import json
from pathlib import Path

import numpy as np
import pytest

from trainer import keras_metrics

# Written by make_keras_reference.py with real Keras.
REFERENCE = json.loads(Path(__file__).with_name("keras_reference.json").read_text(encoding="utf-8"))
VALUES = REFERENCE["values"]
LOGITS, SCORES, LABELS = (
    np.array(REFERENCE[name], np.float32) for name in ("logits", "scores", "labels")
)
SHARES = np.array(REFERENCE["label weights"])


def test_the_reference_was_made_with_the_notebooks_keras_and_has_the_awkward_rows():
    assert REFERENCE["made with"] == "tensorflow 2.12.0, keras 2.12.0"
    assert (LABELS.sum(axis=1) == 0).any()
    assert (LABELS.sum(axis=1) > 1).any()
    assert len(np.unique(SCORES[:, 0])) < len(SCORES)


@pytest.mark.parametrize("weights", [None, SHARES], ids=["mean", "weighted"])
@pytest.mark.parametrize(
    ("curve", "metric"), [("ROC", keras_metrics.roc_auc), ("PR", keras_metrics.pr_auc)]
)
def test_the_areas_are_those_of_keras(curve, metric, weights):
    kind = "mean" if weights is None else "weighted"

    assert metric(LABELS, SCORES, weights) == pytest.approx(VALUES[f"auc {curve} {kind}"], abs=2e-6)


@pytest.mark.parametrize(
    ("curve", "metric"), [("ROC", keras_metrics.roc_auc), ("PR", keras_metrics.pr_auc)]
)
def test_one_column_gives_kerass_area_without_outputs(curve, metric):
    found = metric(LABELS.reshape(-1, 1), SCORES.reshape(-1, 1))

    assert found == pytest.approx(VALUES[f"auc {curve} flattened"], abs=2e-6)


@pytest.mark.parametrize("limit", [0.1, 0.5, 0.9])
def test_the_accuracy_of_binary_scores_is_that_of_keras(limit):
    found = keras_metrics.categorical_accuracy(LABELS, np.greater(SCORES, np.float32(limit)))

    assert found == pytest.approx(VALUES[f"categorical accuracy at {limit}"], abs=1e-6)


def test_the_accuracy_of_logits_is_that_of_keras():
    found = keras_metrics.categorical_accuracy(LABELS, LOGITS)

    assert found == pytest.approx(VALUES["categorical accuracy"], abs=1e-6)


def test_precision_and_recall_are_those_of_keras():
    found = keras_metrics.precision_recall(LABELS, SCORES, 0.3)

    assert found == pytest.approx((VALUES["precision at 0.3"], VALUES["recall at 0.3"]), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "given", "from_logits"), [("logits", LOGITS, True), ("scores", SCORES, False)]
)
def test_the_crossentropies_are_those_of_keras(name, given, from_logits):
    found = keras_metrics.categorical_crossentropy(LABELS, given, from_logits=from_logits)

    assert found == pytest.approx(VALUES[f"crossentropy of {name}"], rel=1e-5)


def test_scores_that_are_all_zero_leave_no_crossentropy_as_in_keras():
    zeros, label = np.zeros((1, 5), np.float32), LABELS[:1]
    found = keras_metrics.categorical_crossentropy(label, zeros, from_logits=False)

    assert not REFERENCE["crossentropy of scores is a number where all scores are 0"]
    assert np.isnan(found)


def test_an_all_zero_row_counts_as_the_first_output():
    """The fault that makes the original's accuracy say "not toxic" of no answer at all."""
    labels = np.array([[1, 0, 0, 0, 0], [0, 0, 1, 0, 1]], np.float32)

    assert keras_metrics.categorical_accuracy(labels, np.zeros((2, 5))) == 0.5
