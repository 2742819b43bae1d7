import json

import pytest

from tests.trainer import evaluations
from tests.trainer.evaluations import better, model, set_ap
from tests.trainer.verdicts import criterion, decide, outcome
from trainer.criteria_labels import LEAST_NEW_LABELS
from trainer.verdict import Outcome

CONTENT = json.dumps(evaluations.evaluation(evaluations.scored(evaluations.rows())))


@pytest.fixture
def content():
    return json.loads(CONTENT)


def gain(value, low):
    difference = {"value": value, "low": low, "high": 1.0}
    return {"rows": 60, "right": 0.9 + value, "before": 0.9, "difference": difference}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (gain(0.01, 0.001), Outcome.PASSED),
        (gain(0.01, 0.0), Outcome.FAILED),
        (gain(-0.01, -0.02), Outcome.FAILED),
        ({"rows": 0}, Outcome.INSUFFICIENT),
    ],
)
def test_without_gold_rows_the_gain_must_show_on_labels(content, found, expected):
    better(content)["gain"] = found

    assert outcome(content, "labels_right") is expected
    assert decide(content).promote is (expected is Outcome.PASSED)


@pytest.mark.parametrize(("low", "expected"), [(-0.001, Outcome.PASSED), (-0.003, Outcome.FAILED)])
def test_there_the_other_rows_only_show_that_nothing_is_lost(content, low, expected):
    better(content)["gain"] = gain(0.1, 0.05)
    set_ap(content, "macro", -0.0005, -0.0005 - low)

    assert outcome(content, "macro_ap") is expected


def test_with_gold_rows_labels_need_not_show_it(content):
    assert "labels_right" not in {c.name for c in decide(better(content)).criteria}


def without_two(macro, **categories):
    figures = {"macro": macro, "insult": 0.0, **categories}
    return {"rows": 500, "ap": {name: {"value": value} for name, value in figures.items()}}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (without_two(0.0), Outcome.PASSED),
        (without_two(-0.0019), Outcome.PASSED),
        (without_two(-0.0021), Outcome.FAILED),
        (without_two(0.01, insult=-0.011), Outcome.FAILED),
        (without_two(None), Outcome.FAILED),
    ],
)
def test_a_gain_must_stay_without_the_two_moderators_it_owes_most(content, found, expected):
    better(content)["raters"] = found

    assert outcome(content, "raters") is expected


def test_a_category_that_two_moderators_made_up_is_named(content):
    better(content)["raters"] = without_two(0.01, insult=-0.02)
    (reason,) = decide(content).reasons

    assert "оскорбление" in reason.ru
    assert "insult" in reason.en


@pytest.mark.parametrize(
    ("doubted", "expected"), [(0, Outcome.PASSED), (40, Outcome.PASSED), (41, Outcome.INSUFFICIENT)]
)
def test_labels_that_contradict_a_sure_model_wait_for_a_person(content, doubted, expected):
    better(content)["labels"] = {"new": 400, "needed": 200, "total": 400, "doubted": doubted}

    assert outcome(content, "doubted") is expected


@pytest.mark.parametrize(("new", "expected"), [(49, Outcome.INSUFFICIENT), (50, Outcome.PASSED)])
def test_how_many_new_labels_it_takes_is_for_the_operator_to_say(content, new, expected):
    better(content)["labels"] = {"new": new, "needed": 50}

    assert outcome(content, "new_labels") is expected


def test_a_model_of_no_moderator_is_not_asked_about_them(content):
    assert not {"raters", "doubted"} & {c.name for c in decide(better(content)).criteria}


@pytest.mark.parametrize(
    ("sources", "given", "expected"),
    [
        ({"gold": 9000}, None, Outcome.NOT_APPLICABLE),
        ({"feedback:1": 150, "feedback": 50}, None, Outcome.PASSED),
        ({"feedback:1": LEAST_NEW_LABELS - 1}, None, Outcome.INSUFFICIENT),
        ({"feedback:1": 5000}, 199, Outcome.INSUFFICIENT),
        (None, 200, Outcome.PASSED),
    ],
)
def test_enough_new_corrections_are_needed_where_any_were_learned_from(
    content, sources, given, expected
):
    model(content)["sources"] = sources

    assert outcome(content, "new_labels", None, given) is expected


def test_corrections_that_the_incumbent_had_are_not_new(content):
    better(content)
    model(content, "champion")["sources"] = {"feedback:1": 101}

    assert criterion(decide(content), "new_labels").number == 199
