import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from trainer.bootstrap import FIGURES, measure, reliability, resample

rows = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5001, 0.9, 1.0]),  # so that there are ties
        st.sampled_from([1.0, 0.0, -1.0]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=40,
)


@given(rows)
def test_every_figure_is_scikit_learns_with_the_rows_weights(given_rows):
    scores, labels, weights = (np.array(column, float) for column in zip(*given_rows, strict=True))
    found = {
        name: values[0]
        for name, values in measure(scores, scores >= 0.5, labels, weights[None]).items()
    }
    known = (labels >= 0) & (weights > 0)
    y, p, w = labels[known] > 0.5, scores[known], weights[known]
    if not known.any():
        assert np.isnan(list(found.values())).all()
        return
    assert found["brier"] == pytest.approx(brier_score_loss(y, p, sample_weight=w, pos_label=True))
    assert found["alarms"] == pytest.approx(np.average(p >= 0.5, weights=w))
    if y.all() or not y.any():
        assert np.isnan(found["roc_auc"])
        assert np.isnan(found["ap"])
        return
    assert found["roc_auc"] == pytest.approx(roc_auc_score(y, p, sample_weight=w))
    assert found["ap"] == pytest.approx(average_precision_score(y, p, sample_weight=w))
    precision, recall, f1, _ = precision_recall_fscore_support(
        y, p >= 0.5, average="binary", sample_weight=w, zero_division=0
    )
    assert [found[name] for name in ("precision", "recall", "f1")] == pytest.approx(
        [precision, recall, f1]
    )
    clean = ~y
    assert found["false_alarms"] == pytest.approx(np.average(p[clean] >= 0.5, weights=w[clean]))


def test_calibration_error_is_the_mean_gap_over_the_bins():
    scores, labels = np.array([0.1, 0.1, 0.9, 0.9]), np.array([0.0, 1.0, 1.0, 1.0])
    found = measure(scores, scores > 0.5, labels, np.ones((1, 4)))["ece"][0]

    assert found == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)
    assert [(b["n"], b["mean"], b["share"]) for b in reliability(scores, labels)] == [
        (2, 0.1, 0.5),
        (2, 0.9, 1.0),
    ]


@given(st.lists(st.sampled_from("абвг"), min_size=1, max_size=30), st.integers(0, 5))
def test_rows_of_a_group_are_drawn_together_and_as_many_groups_as_there_are(groups, seed):
    drawn = resample(np.array(groups), 20, seed)
    firsts = [groups.index(group) for group in sorted(set(groups))]

    assert (drawn[0] == 1).all()
    for i, group in enumerate(groups):
        assert (drawn[:, i] == drawn[:, groups.index(group)]).all()
    assert (drawn[1:, firsts].sum(axis=1) == len(firsts)).all()
    assert (drawn == resample(np.array(groups), 20, seed)).all()


def test_a_category_that_a_model_lacks_has_no_figures():
    found = measure(
        np.full(3, np.nan), np.zeros(3, bool), np.array([1.0, 0.0, 1.0]), np.ones((2, 3))
    )

    assert set(found) == set(FIGURES)
    assert np.isnan(list(found.values())).all()
