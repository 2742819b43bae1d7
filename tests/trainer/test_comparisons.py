import numpy as np
import pytest

from moderation.categories import TOXIC, Category
from trainer.comparisons import compare
from trainer.figures import Judged, acts, is_toxic, sample

LIMITS = dict.fromkeys(Category, 0.5)
LABELS = np.tile(np.array([[1.0], [0.0], [1.0], [0.0]], np.float32), (1, 6))
RIGHT, WRONG = [0.9, 0.1, 0.8, 0.2], [0.1, 0.9, 0.8, 0.2]


def scores(**columns):
    found = np.full((4, 6), np.nan, np.float32)
    for name, values in columns.items():
        found[:, list(Category).index(Category(name))] = values
    return found


def compared(other):
    given = {"model": scores(**dict.fromkeys(Category, RIGHT)), "other": other}
    weights = np.ones((3, 4), np.float32)
    sampled = {
        name: sample(Judged(p, acts(p, LIMITS)), LABELS, is_toxic(LABELS), LIMITS, weights)
        for name, p in given.items()
    }
    return compare("other", sampled, given, LABELS, LIMITS)


def test_a_difference_is_that_of_the_figures_on_the_same_rows():
    found = compared(scores(**dict.fromkeys(Category, WRONG)))

    assert (found["a"], found["b"]) == ("model", "other")
    assert found["differences"]["insult"]["roc_auc"]["value"] == pytest.approx(1 - 0.25)
    assert found["differences"]["macro"]["recall"]["value"] == pytest.approx(1 - 0.5)
    assert found["mcnemar"]["insult"] == {
        "only_a_right": 2,
        "only_b_right": 0,
        "p": 0.5,
        "p_holm": 1.0,
    }


def test_the_mean_is_over_what_both_know():
    found = compared(scores(insult=WRONG, threat=RIGHT))["differences"]

    assert found["rude"]["roc_auc"]["value"] is None
    assert found["macro"]["roc_auc"]["value"] == pytest.approx(0.75 / 2)


def test_over_one_common_category_there_is_no_mean():
    found = compared(scores(obscenity=WRONG))

    assert found["differences"]["macro"]["ap"]["value"] is None
    assert found["differences"]["obscenity"]["ap"]["value"] > 0
    assert set(found["mcnemar"]) == {"obscenity"}


def test_a_model_compared_with_itself_differs_in_nothing():
    found = compared(scores(**dict.fromkeys(Category, RIGHT)))

    assert {d["f1"]["value"] for d in found["differences"].values()} == {0.0}
    assert {found["mcnemar"][c]["p_holm"] for c in TOXIC} == {1.0}
