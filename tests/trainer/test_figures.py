import numpy as np
import pytest

from moderation.categories import TOXIC, Category
from trainer.figures import MACRO, acts, any_toxic, is_toxic, sample

LIMITS = dict.fromkeys(Category, 0.5)
ONCE = np.ones((1, 4), np.float32)


def scores(**columns):
    found = np.full((4, 6), np.nan, np.float32)
    for name, values in columns.items():
        found[:, list(Category).index(Category(name))] = values
    return found


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
    whole = sample(scores(**dict.fromkeys(TOXIC, ranked)), labels, is_toxic(labels), LIMITS, ONCE)
    part = sample(scores(insult=ranked), labels, is_toxic(labels), LIMITS, ONCE)

    assert whole[MACRO]["ap"][0] == 1
    assert np.isnan(part[MACRO]["ap"][0])
    assert part["insult"]["ap"][0] == 1
