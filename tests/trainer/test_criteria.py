import json

import pytest

from moderation.categories import TOXIC
from tests.trainer import evaluations
from tests.trainer.evaluations import better, differences, model, set_ap
from tests.trainer.verdicts import criterion, decide, outcome
from trainer.criteria import LEAST_POSITIVES
from trainer.verdict import Outcome

CONTENT = json.dumps(evaluations.evaluation(evaluations.scored(evaluations.rows())))


@pytest.fixture
def content():
    return json.loads(CONTENT)


def test_a_category_that_the_base_lacks_is_not_asked(content):
    assert outcome(content, "category_ap/discrimination", "base") is Outcome.NOT_APPLICABLE


def test_the_comparison_with_a_baseline_needs_no_suites_of_it(content):
    for category in ("macro", *TOXIC):
        set_ap(content, category, 0.02, against="ngrams")
    verdict = decide(content, "ngrams")

    assert verdict.promote
    assert criterion(verdict, "regressions").outcome is Outcome.NOT_APPLICABLE
    assert criterion(verdict, "suite/mirror").outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("value", "half", "expected"),
    [
        (0.005, 0.0069, Outcome.PASSED),
        (0.005, 0.0071, Outcome.FAILED),
        (0.0, 0.0, Outcome.FAILED),
        (-0.001, 0.0005, Outcome.FAILED),
    ],
)
def test_the_mean_must_grow_and_surely_not_fall(content, value, half, expected):
    set_ap(content, "macro", value, half)

    assert outcome(content, "macro_ap") is expected


@pytest.mark.parametrize("category", TOXIC)
def test_one_category_that_may_have_got_worse_keeps_the_incumbent(content, category):
    set_ap(better(content), category, 0.001, half=0.012)
    verdict = decide(content)

    assert [c.name for c in verdict.reasons] == [f"category_ap/{category}"]
    assert "ухудшение не исключено" in verdict.reasons[0].ru


def test_a_certain_loss_is_not_called_a_possible_one(content):
    set_ap(better(content), "threat", -0.03)

    assert "не исключено" not in decide(content).reasons[0].ru


def test_non_toxic_decides_nothing(content):
    set_ap(better(content), "non_toxic", -0.2)

    assert decide(content).promote


@pytest.mark.parametrize("positives", [0, LEAST_POSITIVES - 1])
def test_a_category_with_few_examples_keeps_the_incumbent(content, positives):
    better(content)["data"]["positives"]["threat"] = positives
    if not positives:
        for one in content["models"]:
            one["figures"]["threat"]["ap"] = {"value": None, "low": None, "high": None}
    verdict = decide(content)

    assert not verdict.promote
    assert [c.outcome for c in verdict.reasons] == [Outcome.INSUFFICIENT]
    assert "мало примеров" in verdict.reasons[0].ru


def test_a_category_that_the_candidate_lost_keeps_the_incumbent(content):
    better(content)
    model(content)["figures"]["rude"] = None

    assert outcome(content, "category_ap/rude") is Outcome.FAILED


def test_what_was_not_measured_keeps_the_incumbent(content):
    better(content)
    model(content).update(speed=None, size_bytes=None, suites=None)
    differences(content).clear()

    found = {c.name for c in decide(content).reasons if c.outcome is Outcome.INSUFFICIENT}
    assert {"macro_ap", "category_ap/threat", "regressions", "speed", "size"} <= found


def test_a_case_newly_wrong_keeps_the_incumbent_however_many_others_are_mended(content):
    suites = better(content) and model(content)["suites"]
    suites["failed"] = [["regressions", "once_flagged", "другой случай"]]

    assert outcome(content, "regressions") is Outcome.FAILED


def test_a_case_that_the_incumbent_fails_too_is_reported_but_passes(content):
    found = criterion(decide(better(content)), "regressions")

    assert found.outcome is Outcome.PASSED
    assert "верно 9 из 10" in found.ru


@pytest.mark.parametrize("suite", ["functional", "evasions", "mirror"])
def test_a_suite_with_fewer_cases_right_keeps_the_incumbent(content, suite):
    rates = better(content) and model(content)["suites"]["rates"]
    next(r for r in rates if r["suite"] == suite)["passed"] -= 1

    assert [c.name for c in decide(content).reasons] == [f"suite/{suite}"]


@pytest.mark.parametrize(("n", "lost", "promote"), [(99, 1, False), (100, 1, True), (532, 5, True),
                                                    (532, 6, False)])  # fmt: skip
def test_a_large_suite_may_lose_one_case_in_a_hundred(content, n, lost, promote):
    better(content)
    for name in ("model", "champion"):
        rates = model(content, name)["suites"]["rates"]
        passed = n - (lost if name == "model" else 0)
        rates[:] = [r for r in rates if r["suite"] != "mirror"]
        rates.append({"suite": "mirror", "function": "plate", "n": n, "passed": passed})

    assert decide(content).promote is promote


@pytest.mark.parametrize(("alarms", "promote"), [(0.069, True), (0.071, False)])
def test_the_widest_gap_may_grow_by_two_in_a_hundred(content, alarms, promote):
    better(content)
    model(content)["suites"]["gaps"][0]["alarms"] = alarms

    assert decide(content).promote is promote


@pytest.mark.parametrize(
    ("took", "before", "promote"),
    [(50, 9, True), (51, 9, False), (89, 60, True), (91, 60, False)],
)
def test_time_is_bound_by_the_incumbents_and_by_what_nobody_notices(content, took, before, promote):
    better(content)
    model(content)["speed"]["p95_ms"] = took
    model(content, "champion")["speed"]["p95_ms"] = before

    assert decide(content).promote is promote


@pytest.mark.parametrize(
    ("megabytes", "before", "promote"), [(8, 1, True), (9, 1, False), (29, 20, True)]
)
def test_size_is_bound_by_the_incumbents_and_by_what_is_small_anyway(
    content, megabytes, before, promote
):
    better(content)
    model(content)["size_bytes"] = megabytes * 2**20
    model(content, "champion")["size_bytes"] = before * 2**20

    assert decide(content).promote is promote
