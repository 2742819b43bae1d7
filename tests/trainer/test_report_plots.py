import pytest

from tests.trainer import evaluations
from trainer import compare, report_plots


@pytest.mark.parametrize("names", [("model",), ("model", "base", "champion")])
def test_any_choice_of_models_can_be_drawn(tmp_path, names):
    frame = evaluations.scored(evaluations.rows(120), names=names)
    found = evaluations.typed(evaluations.evaluation(frame, names))
    verdict = compare.decide(found) if len(names) > 1 else None

    paths = report_plots.draw(found, frame, verdict, tmp_path)

    assert [p.name for p in paths] == ["verdict.png", "roc.png", "pr.png", "reliability.png"]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in paths)


def test_a_category_without_examples_is_an_empty_panel(tmp_path):
    frame = evaluations.scored(evaluations.rows(60), names=("model",))
    found = evaluations.typed(evaluations.evaluation(frame, ("model",)))
    frame["threat"] = 0
    frame["rude"] = -1

    report_plots.draw(found, frame, None, tmp_path)

    assert (tmp_path / "roc.png").exists()
