import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.categories import TOXIC
from tests.trainer import evaluations
from tests.trainer.conftest import trainer
from tests.trainer.evaluations import better, differences, model, set_ap
from trainer import compare
from trainer.config import TrainingError

CONTENT = json.dumps(evaluations.evaluation(evaluations.scored(evaluations.rows())))
FIGURES = st.floats(-0.2, 0.2)
# The machine may be busy.
NO_DEADLINE = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture
def content():
    return json.loads(CONTENT)


def decide(content, *arguments):
    return compare.decide(evaluations.typed(content), *arguments)


def test_a_candidate_that_is_better_everywhere_is_promoted(content):
    verdict = decide(better(content))

    assert verdict.promote
    assert verdict.reasons == ()
    assert verdict.incumbent == "champion"
    assert verdict.data_digest == content["data"]["digest"]


def test_without_a_champion_the_base_is_the_incumbent(content):
    content["models"].remove(model(content, "champion"))

    assert decide(content).incumbent == "base"


def test_a_model_never_passes_against_itself(content):
    same = model(content)
    index = content["models"].index(model(content, "champion"))
    content["models"][index] = same | {"name": "champion"}
    for category in ("macro", *TOXIC):
        set_ap(content, category, 0.0, half=0.0)
    verdict = decide(content, None, 10**6)

    assert [c.name for c in verdict.reasons] == ["macro_ap"]


def test_a_model_that_was_not_judged_is_no_incumbent(content):
    content["models"].remove(model(content, "champion"))

    with pytest.raises(TrainingError, match="no champion"):
        decide(content, "champion")


@NO_DEADLINE
@given(st.lists(FIGURES, min_size=6, max_size=6), st.sampled_from(TOXIC), st.floats(0.006, 0.5))
def test_a_loss_beyond_the_margin_never_promotes(values, category, loss):
    content = json.loads(CONTENT)
    for name, value in zip(("macro", *TOXIC), values, strict=True):
        set_ap(content, name, value)
    set_ap(content, category, -loss)

    assert not decide(content).promote


@NO_DEADLINE
@given(st.lists(FIGURES, min_size=6, max_size=6), st.sampled_from(("macro", *TOXIC)), FIGURES)
def test_what_makes_a_figure_worse_never_opens_the_way(values, category, change):
    content = json.loads(CONTENT)
    for name, value in zip(("macro", *TOXIC), values, strict=True):
        set_ap(content, name, value)
    before = decide(content).promote
    found = differences(content)[category]["ap"]["value"]
    set_ap(content, category, found - abs(change))

    assert before or not decide(content).promote
    assert all(math.isfinite(c.number) for c in decide(content).criteria if c.number is not None)


def test_the_command_promotes_with_0_and_keeps_with_3(content, tmp_path):
    evaluations.save(tmp_path, better(content))
    done = trainer("compare", "--evaluation", tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Новая модель лучше")
    written = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    assert (written["promote"], written["reasons"]) == (True, [])
    assert written["criteria"][0]["name"] == "macro_ap"

    target = tmp_path / "other.json"
    options = ["--new-labels", 3, "--out", target, "--language", "en"]
    done = trainer("compare", "--evaluation", tmp_path, *options)

    assert done.returncode == 3
    assert "Keep the incumbent." in done.stdout
    assert "? New corrections: 3; needed: 200." in done.stdout
    assert json.loads(target.read_text(encoding="utf-8"))["reasons"] == ["new_labels"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--against", "champion"], "compares the candidate with no champion"),
        (["--against", "teacher"], "must be one of champion, base, ngrams"),
        (["--language", "fr"], "--language fr: must be ru or en"),
    ],
)
def test_a_question_that_cant_be_answered_ends_with_1(content, tmp_path, arguments, said):
    content["models"].remove(model(content, "champion"))
    evaluations.save(tmp_path, content)
    done = trainer("compare", "--evaluation", tmp_path, *arguments)

    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
