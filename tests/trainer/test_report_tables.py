import json

import pytest

from tests.trainer import evaluations
from trainer import report_tables, suites

CONTENT = json.dumps(evaluations.evaluation(evaluations.scored(evaluations.rows())))


@pytest.fixture
def content():
    return json.loads(CONTENT)


def row(table, name):
    return next(row for row in table.rows if row.name == name)


def threats(content):
    tables = report_tables.figures(evaluations.typed(content))
    return next(table for table in tables if table.title == "Угроза")


def test_the_new_model_stands_first_and_baselines_last(content):
    found = report_tables.models(evaluations.typed(content))

    assert [m.name for m in found] == ["model", "champion", "base", "ngrams", "lexicon", "majority"]


@pytest.mark.parametrize(
    ("value", "arrow"), [(0.05, "▼"), (-0.05, "▲"), (0.001, "")], ids=["lower", "higher", "even"]
)
def test_an_arrow_marks_a_model_that_surely_differs_from_the_new_one(content, value, arrow):
    evaluations.set_ap(content, "threat", value)

    assert row(threats(content), "AP").cells[1].arrow == arrow


def test_a_figure_has_its_interval_below(content):
    figure = {"value": 0.8123, "low": 0.7512, "high": 0.861}
    evaluations.model(content)["figures"]["threat"]["recall"] = figure

    cell = row(threats(content), "находит").cells[0]
    assert (cell.value, cell.note) == ("81\N{NO-BREAK SPACE}%", "75–86")


def test_what_a_model_lacks_is_a_dash(content):
    evaluations.model(content, "base")["figures"]["threat"] = None

    assert {r.cells[2].value for r in threats(content).rows} == {"—"}


def test_the_summary_of_a_category_tells_the_change(content):
    evaluations.set_ap(content, "threat", 0.031)
    cell = report_tables.change(evaluations.typed(content), "threat", "champion")

    assert (cell.note, cell.arrow) == ("+0,031", "▲")


def test_every_function_of_the_suites_has_a_russian_title():
    functions = {case.function for case in suites.load()}

    assert functions - set(report_tables.function_titles()) == set()


def test_a_suite_begins_with_its_total(content):
    found = next(iter(report_tables.suites(evaluations.typed(content))))

    assert found.head == ["новая", "действующая", "исходная"]
    assert [cell.note for cell in found.rows[0].cells] == ["18 из 20", "18 из 20", "12 из 20"]
    assert row(found, "Угроза с отрицанием").cells[0].note == "9 из 10"


def test_gaps_are_told_in_points_the_widest_first(content):
    found = report_tables.gaps(evaluations.typed(content))

    assert [(r.name, r.cells[0].value) for r in found.rows] == [
        ("соседи", "+5,0"),
        ("гости", "−3,0"),
    ]


def test_people_are_named_in_russian(content):
    evaluations.model(content)["suites"]["gaps"][0]["term"] = "ukrainians"

    assert report_tables.gaps(evaluations.typed(content)).rows[0].name == "украинцы"


def test_clean_chat_tells_how_many_false_alarms_there_may_be(content):
    cell = report_tables.clean_chat(evaluations.typed(content)).rows[0].cells[0]

    assert (cell.value, cell.note) == ("0,4\N{NO-BREAK SPACE}%", "до 0,9\N{NO-BREAK SPACE}%")


def test_parts_of_the_rows_have_the_incumbents_figures_below(content):
    found = list(report_tables.slices(evaluations.typed(content), "champion"))

    assert [table.title for table in found] == ["Откуда тексты", "Длина, слов"]
    assert found[0].rows[0].cells[0].note == "0,90"


def test_parts_with_too_few_texts_to_measure_are_left_out(content):
    for part in content["slices"]:
        if part["name"] == "чат":
            part["models"]["model"] = dict.fromkeys(part["models"]["model"])
    found = next(report_tables.slices(evaluations.typed(content), "champion"))

    assert [r.name for r in found.rows] == ["форум"]
