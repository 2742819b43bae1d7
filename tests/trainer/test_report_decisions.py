import numpy as np
import pandas as pd
import pytest

from moderation.categories import Category
from tests.trainer import evaluations
from trainer import report_decisions


@pytest.fixture
def scores():
    """Ten texts: four threats with scores of .9 .8 .7 .2, six others, one of which has .75."""
    labels = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    frame = pd.DataFrame({c.value: [-1] * 10 for c in Category} | {"threat": labels})
    frame["model/threat"] = [0.9, 0.8, 0.7, 0.2, 0.75, 0.1, 0.1, 0.1, 0.1, np.nan]
    frame["champion/threat"] = [0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
    return frame


@pytest.fixture(scope="module")
def evaluation():
    frame = evaluations.scored(evaluations.rows())
    return evaluations.typed(evaluations.evaluation(frame))


def test_right_and_wrong_decisions_are_counted_at_the_threshold(evaluation, scores):
    found = report_decisions.confusion(evaluation, scores, "champion")
    (row,) = found.rows

    assert row.name == "Угроза"
    assert [cell.value for cell in row.cells] == ["3", "1", "1", "4"]
    assert [cell.note for cell in row.cells] == ["1", "0", "3", "6"]


def test_without_an_incumbent_nothing_stands_below(evaluation, scores):
    found = report_decisions.confusion(evaluation, scores, "")

    assert {cell.note for cell in found.rows[0].cells} == {""}


def test_the_threshold_in_service_is_marked_among_the_others(evaluation, scores):
    (found,) = report_decisions.thresholds(evaluation, scores)

    assert [row.name for row in found.rows] == [f"0,{i}0" for i in range(1, 10)]
    assert found.marked == "0,70"


def test_each_threshold_has_recall_precision_and_alarms_with_intervals(evaluation, scores):
    (found,) = report_decisions.thresholds(evaluation, scores)
    at = {row.name: row.cells for row in found.rows}

    recall, precision, alarms = at["0,70"]
    assert recall.value == precision.value == "75\N{NO-BREAK SPACE}%"
    assert recall.note == "30–95"  # Wilson's interval of 3 in 4
    assert (alarms.value, alarms.note) == ("444", "189–733")


def test_a_threshold_between_the_round_ones_is_added(evaluation, scores):
    changed = evaluation.model_copy(update={"thresholds": {"threat": 0.75}})
    (found,) = report_decisions.thresholds(changed, scores)

    assert [row.name for row in found.rows][6:9] == ["0,70", "0,75", "0,80"]


def test_precision_of_no_decisions_is_a_dash(evaluation, scores):
    scores["model/threat"] = 0.01
    (found,) = report_decisions.thresholds(evaluation, scores)

    assert found.rows[0].cells[1].value == "—"
