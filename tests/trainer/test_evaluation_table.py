import copy

import pytest

from tests.trainer import evaluations
from trainer.evaluation_table import table
from trainer.findings import Evaluation


@pytest.fixture(scope="module")
def result():
    return evaluations.evaluation(evaluations.scored(evaluations.rows(300)))


def line(text, title, start):
    """The first line after `title` that begins with `start`, as its cells."""
    lines = text.splitlines()
    first = next(i for i, found in enumerate(lines) if found.startswith(title))
    return next(found for found in lines[first:] if found.startswith(start)).split()


def test_a_figure_stands_with_its_interval_under_its_model(result):
    figure = result["models"][0]["figures"]["insult"]["ap"]
    cells = line(table(Evaluation(**result)), "average precision (AP)", "insult")

    assert cells[1:4] == [
        f"{figure['value']:.3f}",
        f"[{figure['low']:.3f},",
        f"{figure['high']:.3f}]",
    ]


def test_what_a_model_lacks_is_a_dash(result):
    assert "-" in line(table(Evaluation(**result)), "average precision (AP)", "discrimination")


def test_differences_have_signs(result):
    found = copy.deepcopy(result)
    found["comparisons"] = [c for c in found["comparisons"] if c["b"] == "champion"]
    difference = found["comparisons"][0]["differences"]["macro"]["ap"]["value"]

    assert line(table(Evaluation(**found)), "model - champion", "macro")[1] == f"{difference:+.3f}"


def test_slices_speed_and_suites_are_there(result):
    text = table(Evaluation(**result))

    assert "texts/s" in text
    assert "suites passed" in text
    assert result["slices"][0]["name"][:20] in text
