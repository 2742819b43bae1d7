import html
import re
from datetime import UTC, datetime

import pytest

from bot import retrain_words
from bot.language import LANGUAGES, language
from bot.training import Criterion, Figures, Gate, Result, Row
from moderation.agreement import Agreement
from moderation.categories import TOXIC, Category
from moderation.growth import Growth
from moderation.states import RunDecision, RunState
from moderation.tables import TrainingRun

RU = language("ru")
NOON = datetime(2026, 10, 5, 12, 30, tzinfo=UTC)
WIDTH = 34  # letters in a line of a phone
OLD = Figures(ap=0.9, precision=0.91, recall=0.8)
NEW = Figures(ap=0.904, precision=0.86, recall=0.87)
ROWS = [Row(category=c, base=OLD, champion=OLD, candidate=NEW) for c in ("macro", *TOXIC, "any")]
GATE = Gate(
    criteria=[
        Criterion(name="a", ru="Порезы <b>", en="Cuts"),
        Criterion(name="b", ru="Размер", en="Size"),
    ],
    reasons=["a"],
)


def shown(words):
    return html.unescape(re.sub(r"<[^>]*>", "", words)).replace("\N{NO-BREAK SPACE}", " ")


def run(**values):
    return TrainingRun(**{"id": 1, "state": RunState.FINISHED, "version": "v2"} | values)


def result(**values):
    return Result(version="v2", table=ROWS, summary_ru=["Находит больше."]).model_copy(
        update=values
    )


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_table_fits_a_phone(code):
    drawn = retrain_words.table(language(code), ROWS).splitlines()
    assert max(map(len, drawn)) <= WIDTH
    assert len(drawn) == 1 + 4 * len(ROWS)


def test_arrows_show_what_changed_for_the_eye():
    drawn = retrain_words.table(RU, ROWS[:1]).splitlines()
    assert [line.split() for line in drawn] == [
        ["база", "была", "новая"], ["В", "среднем"], ["AP", "0,90", "0,90", "0,90"],
        ["точность", "0,91", "0,91", "0,86↓"], ["полнота", "0,80", "0,80", "0,87↑"],
    ]  # fmt: skip


def test_what_was_not_measured_is_a_dash_or_left_out():
    row = Row(category="insult", champion=Figures(ap=0.5), candidate=Figures())
    assert [line.split() for line in retrain_words.table(RU, [row]).splitlines()[1:]] == [
        ["Оскорбление"], ["AP", "—", "0,50", "—"],
    ]  # fmt: skip


def test_the_verdict_names_reasons_only_where_the_gate_keeps():
    better = shown(retrain_words.verdict(RU, run(), result(promote=True), GATE))
    assert "можно включать" in better
    assert "Порезы" not in better
    keep = shown(retrain_words.verdict(RU, run(), result(promote=False), GATE, sure=True))
    for words in ("советует оставить", "✗ Порезы <b>", "• Находит больше.", "Это будет записано"):
        assert words in keep
    assert "Размер" not in keep


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("decision", RunDecision)
def test_a_decision_says_who_and_when(code, decision):
    decided = run(decision=decision, decided_by=77, decided_at=NOON)
    said = retrain_words.verdict(language(code), decided, result(), GATE)
    assert 'href="tg://user?id=77"' in said
    assert "12:30 UTC" in said


def test_what_nobody_pressed_says_so():
    decided = run(decision=RunDecision.ENABLED, decided_at=NOON)
    assert "без вопроса" in retrain_words.verdict(RU, decided, result(), GATE)


def test_a_verdict_fits_a_message_whatever_is_said():
    gate = Gate(criteria=[Criterion(name="a", ru="о" * 900, en="o")] * 20, reasons=["a"])
    long = result(summary_ru=["а" * 900] * 20)
    said = retrain_words.verdict(RU, run(), long, gate)
    assert len(said) <= retrain_words.LIMIT
    assert "полнота" in said


def test_growth_says_what_is_new_and_what_is_missing():
    agreement = {Category.INSULT: Agreement(0.8, 0.7, 0.9, 20)}
    found = Growth(1250, {Category.INSULT: 900, Category.NON_TOXIC: 350}, 4, agreement)
    said = shown(retrain_words.grown(RU, found, "v1", NOON, 200))
    for words in (
        "работает v1 от 5 октября.", "метками: 1 250, модераторов: 4",
        "оскорбление 900, не токсично 350", "отложу около 188", "оскорбление 0,80", "Обучить",
    ):  # fmt: skip
        assert words in said
    few = shown(retrain_words.grown(RU, Growth(12, {}, 1, {}), "v1", NOON, 200))
    assert "нужно 200: не хватает 188" in few
    assert "Обучить" not in few


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("state", [s for s in RunState if s is not RunState.RUNNING])
def test_every_ending_has_its_words(code, state):
    ended = run(state=state, detail="KeyError <x>", cancelled_by=5)
    said = retrain_words.ended(language(code), ended, None)
    assert said
    if state in (RunState.FAILED, RunState.INTERRUPTED):
        assert "<pre>KeyError &lt;x&gt;</pre>" in said


def test_too_few_labels_are_counted():
    ended = retrain_words.ended(RU, run(state=RunState.FAILED), Result(missing=7))
    assert "не хватает 7" in ended
