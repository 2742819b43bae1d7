import json
from collections import Counter

import numpy as np
import pytest

from moderation.categories import TOXIC, Category
from moderation.policy import PRESETS
from moderation.registry import EMBEDDED
from tests.trainer.conftest import trainer
from trainer import suites, views
from trainer.config import TrainingError
from trainer.suites import SUITES, Case
from trainer.views import Flagged, View

CASES = suites.load()
STANDARD = PRESETS["standard"]
WORDS = {"сук": Category.OBSCENITY, "чеченц": Category.DISCRIMINATION, "убь": Category.THREAT}


class Lexicon:
    """A model that knows a few words only."""

    version = "words"
    categories = tuple(Category)

    def encode(self, text):
        return [[ord(sign) for sign in text.lower()]]

    def score(self, batch):
        rows = np.full((len(batch), len(Category)), 0.01, dtype=np.float32)
        for row, signs in zip(rows, batch, strict=True):
            for word, category in WORDS.items():
                if word in "".join(map(chr, signs)):
                    row[self.categories.index(category)] = 0.99
        return rows


@pytest.fixture(scope="module")
def result():
    return suites.run(Lexicon())


def of(suite):
    return [case for case in CASES if case.suite == suite]


def judge(expected, scores, **options):
    full = dict.fromkeys(Category, 0.0) | scores
    return suites.judge(Case("functional", "f", "text", expected, **options), full, STANDARD)


def test_there_are_enough_cases_of_each_suite():
    counts = Counter(case.suite for case in CASES)

    assert set(counts) == set(SUITES)
    assert counts["functional"] >= 300
    assert counts["counterfactual"] >= 200
    assert counts["evasions"] >= 300
    assert counts["mirror"] >= 150


@pytest.mark.parametrize("suite", SUITES)
def test_no_text_counts_twice(suite):
    texts = Counter(case.text for case in of(suite))

    assert [text for text, n in texts.items() if n > 1] == []


def test_every_case_has_labels_of_toxic_categories():
    for case in CASES:
        assert case.text.strip()
        assert case.any_toxic or case.expected, case
        assert set(case.expected) <= set(TOXIC)


def test_a_function_has_several_cases():
    counts = Counter(case.function for case in of("functional"))

    assert len(counts) >= 30
    assert min(counts.values()) >= 6


def test_every_identity_stands_in_every_context():
    cases = of("counterfactual")
    terms, templates = {case.term for case in cases}, {case.template for case in cases}

    assert len(terms) >= 30
    assert len(cases) == len(terms) * len(templates)
    assert not any(sign in case.text for case in cases for sign in "{}")
    assert any(case.text.startswith("Чеченцы") for case in cases)
    assert any("чеченцами" in case.text for case in cases)


def test_a_disguise_differs_from_its_plain_text():
    assert all(text != plain for _, text, plain in suites.disguises())


@pytest.mark.parametrize(
    ("expected", "scores", "wrong"),
    [
        ({Category.INSULT: 1}, {Category.INSULT: 0.99}, ()),
        ({Category.INSULT: 1}, {Category.INSULT: 0.01}, (Category.INSULT,)),
        ({Category.INSULT: 0}, {Category.INSULT: 0.99}, (Category.INSULT,)),
        ({Category.INSULT: 1}, {Category.INSULT: 0.99, Category.THREAT: 0.99}, ()),
    ],
)
def test_a_case_fails_where_a_judged_category_is_decided_wrongly(expected, scores, wrong):
    outcome = judge(expected, scores)

    assert outcome.wrong == wrong
    assert outcome.passed == (not wrong)


def test_the_threshold_is_that_of_the_preset():
    threshold = STANDARD.rules[Category.INSULT].threshold

    assert judge({Category.INSULT: 1}, {Category.INSULT: threshold}).passed
    assert not judge({Category.INSULT: 1}, {Category.INSULT: threshold - 0.01}).passed


def test_a_disguise_must_reach_any_threshold():
    assert judge({}, {Category.THREAT: 0.99}, any_toxic=True).passed
    assert not judge({}, {}, any_toxic=True).passed


def test_a_category_that_the_model_lacks_isnt_judged():
    case = Case("functional", "f", "text", {Category.RUDE: 1})

    assert suites.judge(case, {Category.INSULT: 0.9}, STANDARD).passed


def test_every_case_is_counted_once(result):
    assert sum(rate.n for rate in result.rates) == len(CASES)
    assert sum(rate.n - rate.passed for rate in result.rates) == len(result.failures)


def test_a_term_that_a_model_dislikes_stands_out(result):
    worst = result.gaps[0]

    assert worst.term == "chechens"
    assert worst.alarms > 0.9
    assert sum(gap.neutral for gap in result.gaps) == pytest.approx(0, abs=0.01)
    assert "чечен" in result.swaps[0].high.lower()
    assert "чечен" not in result.swaps[0].low.lower()


def test_the_report_has_every_function_and_suite_and_the_worst_swaps_in_words(result):
    text = suites.report(result)

    for rate in result.rates:
        assert f"{rate.suite:15}{rate.function}" in text
    for suite in SUITES:
        assert f"{suite:15}all" in text
    assert result.swaps[0].high in text


def test_a_failure_says_what_was_missed_or_wrongly_found(result):
    lines = [suites.describe(failure) for failure in result.failures]

    assert "functional/homonyms: +obscenity 0.99: сука ощенилась, семь щенков, все здоровы" in lines
    assert any(
        line.startswith("functional/direct_insult: -insult 0.01: ты идиот") for line in lines
    )


def test_the_command_judges_the_embedded_model_and_writes_json(tmp_path):
    target = tmp_path / "suites.json"
    done = trainer("suites", "--model", EMBEDDED, "--failures", "--json", target)

    assert done.returncode == 0, done.stderr
    assert "chat_routine" in done.stdout
    assert "\nfailures:\n" in done.stdout
    written = json.loads(target.read_text(encoding="utf-8"))
    rates = {(rate["suite"], rate["function"]): rate for rate in written["rates"]}
    routine = rates["functional", "chat_routine"]
    assert routine["passed"] > 0.8 * routine["n"]
    assert {"term", "neutral", "alarms", "hostile"} == set(written["gaps"][0])


def test_what_isnt_there_is_named(tmp_path):
    with pytest.raises(TrainingError, match="no such model directory"):
        suites.judges(tmp_path / "none", "standard")
    with pytest.raises(TrainingError, match="no such preset; known are observe"):
        suites.judges(EMBEDDED, "stndard")


def test_what_undoing_disguises_gains_and_costs_is_counted(result):
    found = {(view.suite, view.kind): view for view in result.views}
    spelt = views.compare(
        Lexicon(),
        STANDARD,
        [Flagged("evasions", "spaced", "с у к а", True), Flagged("mirror", "code", "f(x)", False)],
    )

    assert spelt == [View("evasions", "spaced", 1, 0, 1), View("mirror", "code", 1, 0, 0)]
    everything = views.total(result.views, "evasions")
    assert everything.n == len(of("evasions"))
    assert everything.as_written < everything.by_views
    assert found["evasions", "zero_width"].as_written < found["evasions", "zero_width"].by_views
    assert views.total(result.views, "mirror").n == len(of("mirror"))
    assert "false alarms" in suites.report(result)
