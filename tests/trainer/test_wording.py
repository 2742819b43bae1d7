import json

import pytest

from tests.trainer import evaluations
from trainer import wording
from trainer.findings import Figure

CONTENT = json.dumps(evaluations.evaluation(evaluations.scored(evaluations.rows())))


def headline(language="ru", **figures):
    """The headline where threats differ by `figures` (value, low, high) and nothing else does."""
    content = json.loads(CONTENT)
    found = evaluations.differences(content)
    for category in found:
        found[category] = {
            name: {"value": 0.0, "low": -0.01, "high": 0.01, "p": 1.0}
            for name in ("recall", "precision")
        }
    for name, (value, low, high) in figures.items():
        found["threat"][name] = {"value": value, "low": low, "high": high, "p": 0.01}
    return wording.headline(evaluations.typed(content), "champion", language)


@pytest.mark.parametrize(
    ("value", "digits", "options", "said"),
    [
        (0.894, 2, {}, "0,89"),
        (-0.0049, 3, {"sign": True}, "−0,005"),
        (0.0120, 3, {"sign": True}, "+0,012"),
        (-0.0001, 2, {}, "0,00"),
        (0.0001, 2, {"sign": True}, "0,00"),
        (None, 2, {}, "—"),
        (0.894, 2, {"language": "en"}, "0.89"),
    ],
)
def test_numbers_have_the_marks_of_the_language(value, digits, options, said):
    assert wording.decimal(value, digits, **options) == said


def test_an_interval_is_told_by_its_ends():
    assert wording.span(Figure(value=0.5, low=0.41, high=0.6)) == "0,41–0,60"
    found = Figure(value=0.1, low=-0.02, high=0.2)
    assert wording.span(found, sign=True) == "от −0,02 до +0,20"
    assert wording.span(Figure()) == ""


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "1 строка"),
        (3, "3 строки"),
        (11, "11 строк"),
        (112, "112 строк"),
        (3804, "3 804 строки"),
    ],
)
def test_a_noun_agrees_with_its_number(number, said):
    shown = wording.count(number, "строка", "строки", "строк").replace("\N{NO-BREAK SPACE}", " ")

    assert shown == said


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"recall": (0.06, 0.01, 0.11)}, "угрозы: находит на 6 п. п. больше, доля ложных прежняя"),
        (
            {"recall": (-0.05, -0.09, -0.01), "precision": (0.03, 0.01, 0.05)},
            "угрозы: находит на 5 п. п. меньше, доля ложных на 3 п. п. ниже",
        ),
        (
            {"precision": (-0.004, -0.007, -0.001)},
            "угрозы: находит столько же, доля ложных на 0,4 п. п. выше",
        ),
        ({"recall": (0.06, -0.01, 0.13)}, "по решениям заметных отличий нет"),
    ],
)
def test_the_headline_tells_what_moderators_will_notice(figures, said):
    assert [line.replace("\N{NO-BREAK SPACE}", " ") for line in headline(**figures)] == [said]


def test_a_model_without_a_name_of_ours_keeps_its_own():
    assert wording.model("champion") == "действующая модель"
    assert wording.model("teacher") == "teacher"


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({}, "no notable difference in decisions"),
        (
            {"recall": (0.06, 0.02, 0.1), "precision": (0.0, -0.01, 0.01)},
            "threat: finds 6 points more, share of false alarms as before",
        ),
        (
            {"recall": (0.0, -0.1, 0.1), "precision": (-0.004, -0.006, -0.002)},
            "threat: finds as many, share of false alarms 0.4 points higher",
        ),
    ],
)
def test_the_headline_says_the_same_in_english(figures, said):
    found = headline("en", **figures)

    assert [line.replace("\N{NO-BREAK SPACE}", " ") for line in found] == [said]
