import numpy as np
import pytest

from tests.trainer.test_seed_tables import LABELS, SCORES
from trainer import seed_honest

MODELS = {"base": 1 - SCORES, "base, raw text": SCORES[:, ::-1].copy(), "fine-tuned": SCORES}


def number(shown):
    return float(shown.split()[0])


def test_precision_and_recall_are_of_the_positive_class():
    table = seed_honest.positive_class(LABELS, MODELS)
    above, positive = SCORES[:, 3] > 0.3, LABELS[:, 3] == 1
    row = table.loc[("threat", "0.3")]

    assert number(row["fine-tuned precision"]) == pytest.approx(positive[above].mean(), abs=1e-3)
    assert number(row["fine-tuned recall"]) == pytest.approx(above[positive].mean(), abs=1e-3)


def test_a_model_that_never_alarms_has_no_precision():
    table = seed_honest.positive_class(LABELS, {"silent": np.zeros_like(SCORES)})

    assert table.loc[("insult", "0.1"), "silent precision"] == "-"
    assert number(table.loc[("insult", "0.1"), "silent recall"]) == 0


def test_every_output_and_both_aggregates_have_an_area_with_its_interval():
    unseen = np.arange(len(LABELS)) >= 30
    table = seed_honest.areas(LABELS, MODELS, unseen)

    names = ["non-toxic", "insult", "obscenity", "threat", "dangerous", "all four", "any toxic"]
    assert list(table.index) == names
    insult = table.loc["insult"]
    gain = number(insult["fine-tuned"]) - number(insult["base, raw text"])
    assert number(insult["gain over base, raw text"]) == pytest.approx(gain, abs=2e-3)
    assert insult["fine-tuned, no twins"] != insult["fine-tuned"]


def test_no_area_is_made_up_where_only_twins_are_left():
    table = seed_honest.areas(LABELS, MODELS, np.zeros(len(LABELS), bool))

    assert table.loc["threat", "fine-tuned, no twins"] == "-"


def test_average_precision_stands_beside_what_chance_would_reach():
    table = seed_honest.average_precisions(LABELS, MODELS)

    assert table.loc["threat", "positives"] == f"{LABELS[:, 3].mean():.3f}"


def test_a_row_is_right_only_if_all_its_outputs_are():
    labels = np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 1]], np.float32)
    scores = np.array([[0.9, 0, 0, 0, 0], [0, 0.9, 0, 0, 0]], np.float32)
    table = seed_honest.whole_rows(labels, {"model": scores})

    assert number(table.loc["all right at 0.5", "model"]) == 0.5
