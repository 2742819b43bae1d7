import json

import pytest

from tests.trainer import evaluations
from trainer import findings
from trainer.config import TrainingError
from trainer.findings import Difference


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("evaluation")
    return directory, evaluations.write(directory, n=120)


def test_an_evaluation_is_read_as_it_was_written(written):
    directory, content = written
    found = findings.read(directory)

    assert found.candidate.version == "20260102-model"
    assert (
        found.candidate.of("threat").ap.value
        == content["models"][0]["figures"]["threat"]["ap"]["value"]
    )
    assert found.comparison("base").of("discrimination", "ap").value is None
    assert found.threshold("insult") == 0.75


def test_a_category_that_a_model_lacks_has_empty_figures(written):
    content = json.loads(json.dumps(written[1]))
    del content["models"][0]["figures"]["rude"]
    content["models"][1]["figures"]["rude"] = None
    content["models"][2]["figures"]["rude"] = {"ap": None, "support": 3}
    found = evaluations.typed(content)

    assert [m.of("rude").ap.value for m in found.models[:3]] == [None, None, None]
    assert found.models[2].of("rude").support == 3


@pytest.mark.parametrize(
    ("low", "high", "sign"), [(0.01, 0.1, 1), (-0.1, -0.01, -1), (-0.1, 0.1, 0), (None, None, 0)]
)
def test_a_difference_has_a_sign_where_its_interval_leaves_0_out(low, high, sign):
    assert Difference(value=0.0, low=low, high=high).sign == sign


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "schema: "),
        ({"seed": "seven"}, "seed: "),
        ({"models": []}, "no model named 'model'"),
    ],
)
def test_what_is_no_evaluation_is_said_with_its_place(written, tmp_path, change, said):
    evaluations.save(tmp_path, written[1] | change)

    with pytest.raises(TrainingError, match=r"evaluation\.json: ") as error:
        findings.read(tmp_path)
    assert said in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"evaluation\.json: No such file"):
        findings.read(tmp_path)
