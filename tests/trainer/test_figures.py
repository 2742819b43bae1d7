import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.categories import TOXIC, Category
from moderation.policy import PRESETS, decide
from trainer.figures import ANY, MACRO, Judged, acts, any_toxic, is_toxic, sample

LIMITS = dict.fromkeys(Category, 0.5)
ONCE = np.ones((1, 4), np.float32)


def scores(**columns):
    found = np.full((4, 6), np.nan, np.float32)
    for name, values in columns.items():
        found[:, list(Category).index(Category(name))] = values
    return found


def sampled(given, labels):
    return sample(Judged(given, acts(given, LIMITS)), labels, is_toxic(labels), LIMITS, ONCE)


def test_a_text_is_toxic_by_any_label_and_clean_only_if_all_are_known_or_it_is_said():
    labels = np.full((5, 6), -1.0, np.float32)
    labels[0, 1] = 1
    labels[1, :5] = 0
    labels[2, 5] = 1
    labels[3, 5] = 0
    labels[4, :4] = 0

    assert is_toxic(labels).tolist() == [1, 0, 0, 1, -1]


def test_the_score_of_toxicity_is_the_highest_that_the_model_knows():
    found = any_toxic(scores(insult=[0.1, 0.9, 0.2, np.nan], rude=[0.3, 0.2, np.nan, np.nan]))

    assert found[:3].tolist() == pytest.approx([0.3, 0.9, 0.2])
    assert np.isnan(found[3])


def test_it_acts_where_a_toxic_category_reaches_its_threshold():
    given = scores(insult=[0.5, 0.49, 0.1, 0.1], non_toxic=[0.1, 0.1, 0.9, 0.9])

    assert acts(given, LIMITS).tolist() == [True, False, False, False]


def test_the_mean_needs_every_category_that_the_rows_have():
    labels = np.tile(np.array([[1.0], [0.0], [1.0], [0.0]], np.float32), (1, 6))
    ranked = [0.9, 0.1, 0.8, 0.2]
    whole = sampled(scores(**dict.fromkeys(TOXIC, ranked)), labels)
    part = sampled(scores(insult=ranked), labels)

    assert whole[MACRO]["ap"][0] == 1
    assert np.isnan(part[MACRO]["ap"][0])
    assert part["insult"]["ap"][0] == 1


def test_a_category_without_a_positive_has_no_figures_and_is_left_out_of_the_mean():
    labels = np.tile(np.array([[1.0], [0.0], [1.0], [0.0]], np.float32), (1, 6))
    labels[:, 5] = 1 - labels[:, 5]
    labels[:, 2] = 0
    ranked = [0.9, 0.1, 0.8, 0.2]
    found = sampled(scores(**dict.fromkeys(TOXIC, ranked)), labels)

    assert all(np.isnan(found["threat"][name][0]) for name in ("ap", "roc_auc", "recall", "f1"))
    assert found["threat"]["alarms"][0] == 0.5
    assert found[MACRO]["ap"][0] == 1
    assert found[ANY]["recall"][0] == 1


@given(st.lists(st.floats(0, 1, width=32), min_size=6, max_size=6), st.sampled_from([*PRESETS]))
def test_it_acts_where_the_bot_would(given_scores, preset):
    policy = PRESETS[preset]
    rules = {c: rule.threshold for c, rule in policy.rules.items()}
    found = acts(np.array([given_scores], np.float32), rules)

    decision = decide(dict(zip(Category, given_scores, strict=True)), policy)
    assert found.tolist() == [bool(decision.over)]
