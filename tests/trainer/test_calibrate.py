import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from moderation.categories import Category
from trainer import calibrate
from trainer.calibrate import blend, logits, platt, threshold, thresholds, wilson
from trainer.data import Examples


def test_platt_undoes_a_known_distortion():
    rng = np.random.default_rng(0)
    true = rng.normal(-1, 2, 20000)
    labels = (rng.random(len(true)) < 1 / (1 + np.exp(-true))).astype(float)
    line = platt((true - 3) / 2, labels)

    assert line["slope"] == pytest.approx(2, abs=0.1)
    assert line["intercept"] == pytest.approx(3, abs=0.15)


@pytest.mark.parametrize("labels", [[1, 1, 1], [0, 0, 0], [-1, -1, -1], [1, 0, 0]])
def test_what_cant_be_fitted_stays_as_it_is(labels):
    # The last of them would turn the order of the scores round.
    line = platt(np.array([-5.0, 1.0, 2.0]), np.array(labels, dtype=float))

    assert line == {"slope": 1.0, "intercept": 0.0}


def test_unknown_labels_take_no_part():
    scores, labels = np.array([-2.0, -1, 1, 2, 9]), np.array([0.0, 1, 0, 1, -1])

    assert platt(scores, labels) == platt(scores[:4], labels[:4])


def test_a_blend_weighs_each_branch_by_what_it_is_worth():
    rng = np.random.default_rng(0)
    true = rng.normal(0, 2, 20000)
    labels = (rng.random(len(true)) < 1 / (1 + np.exp(-true))).astype(float)
    good, poor = true + rng.normal(0, 0.5, len(true)), true + rng.normal(0, 2, len(true))
    line = blend(good, poor, labels)

    assert line["slope"] > 3 * line["ngrams"] > 0


def test_ngrams_that_speak_against_a_category_are_left_out():
    rng = np.random.default_rng(0)
    true = rng.normal(0, 2, 2000)
    labels = (true > 0).astype(float)

    assert blend(true, -true, labels) == platt(true, labels)


@given(st.floats(0, 1))
def test_logits_give_the_probability_back(p):
    assert 1 / (1 + np.exp(-logits(np.array([p])))) == pytest.approx([p], abs=2e-7)


@pytest.mark.parametrize(("hits", "n", "bound"), [(10, 10, 0.722), (0, 10, 0.0), (80, 100, 0.711)])
def test_the_wilson_bound_is_that_of_the_books(hits, n, bound):
    assert wilson(np.array([hits]), np.array([n]))[0] == pytest.approx(bound, abs=0.001)


def test_a_threshold_keeps_the_precision_and_no_lower_one_does():
    scores = np.linspace(1, 0, 400)
    labels = np.concatenate([np.ones(200), np.zeros(200)])
    found = threshold(scores, labels, 0.9)

    taken = scores >= found
    assert wilson(labels[taken].sum(), taken.sum()) >= 0.9
    lower = scores >= scores[scores < found].max()
    assert wilson(labels[lower].sum(), lower.sum()) < 0.9


def test_a_precision_out_of_reach_has_no_threshold():
    assert threshold(np.array([0.9, 0.8]), np.array([1.0, 1.0]), 0.8) is None


def test_rows_of_equal_score_stand_or_fall_together():
    labels = np.concatenate([np.ones(60), np.zeros(60)])

    assert threshold(np.full(120, 0.7), labels, 0.8) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from([-1.0, 0.0, 1.0])), max_size=60))
def test_a_stricter_target_never_has_a_lower_threshold(rows):
    scores, labels = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    found = [threshold(scores, labels, target) for target in (0.3, 0.5, 0.8)]
    limits = [np.inf if limit is None else limit for limit in found]

    assert limits == sorted(limits)


def test_thresholds_are_given_for_every_category_and_target():
    found = thresholds(np.full((3, 6), 0.5), np.ones((3, 6)), (0.8, 0.95))

    assert found == {c.value: {"0.8": None, "0.95": None} for c in Category}


def test_a_trained_model_is_calibrated_in_every_category(model):
    lines = json.loads((model / "calibration.json").read_text())

    assert set(lines) == set(Category)
    assert all(line["slope"] > 0 for line in lines.values())


def adjusted(model, folder, shift):
    """The lines before and after, where the texts' scores should be shifted."""
    copy = shutil.copytree(model, folder / "copy")
    texts = [f"{start} {i}" for i in range(20) for start in ("ты идиот", "привет", "убью тебя")]
    scores = calibrate.served_scores(model, texts)
    wanted = expit(logits(scores) + shift).astype(np.float32)
    calibrate.adjust(copy, model, Examples(texts, wanted, np.full(len(texts), 10, np.float32)))
    return [json.loads((path / "calibration.json").read_text()) for path in (model, copy)]


def test_a_model_that_says_what_it_should_keeps_its_calibration(model, tmp_path):
    before, after = adjusted(model, tmp_path, 0.0)

    for category, line in before.items():
        assert after[category] == pytest.approx(line, abs=0.02)


def test_a_calibration_follows_what_is_told_of_it(model, tmp_path):
    before, after = adjusted(model, tmp_path, 1.0)

    for category, line in before.items():
        assert after[category]["intercept"] > line["intercept"] + 0.3


def test_a_calibration_of_every_category_is_needed_to_keep_near_to(model, tmp_path):
    assert calibrate.is_whole(model)
    assert not calibrate.is_whole(tmp_path)
    (tmp_path / "calibration.json").write_text('{"insult": {}}')
    assert not calibrate.is_whole(tmp_path)
