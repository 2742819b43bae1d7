import html
import re

import pytest

from bot.card import bar, bars, card, decision, happened, record
from bot.language import LANGUAGES, language
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.people import History
from moderation.policy import PRESETS, decide
from moderation.states import Act, ActState, Origin, PersonDecision, Step, Verdict
from moderation.tables import Chat, Enforcement, Report

POLICY = PRESETS["standard"]
RU, EN = language("ru"), language("en")
HISTORY = History(messages=12, cases=3, confirmed=2, strikes=1)


@pytest.fixture
def chat():
    return Chat(id=-1001, title="<Двор>", kind="supergroup", preferences={}, rights=[])


def done(*acts):
    return [Enforcement(act=act, step=Step.DECISION, state=ActState.DONE) for act in acts]


def drawn(case, chat, acts=(), words=RU, reports=(), link=None):
    return card(words, case, chat, POLICY, acts, HISTORY, reports, link)


def test_a_card_says_what_happened_and_escapes_what_people_wrote(case, chat):
    shown = drawn(case, chat, done(Act.DELETE, Act.NOTICE), link="https://t.me/c/1/7")
    assert "Удаление: оскорбление" in shown
    assert "Сообщение удалено; автор предупреждён." in shown
    assert "&lt;b&gt;Имя&lt;/b&gt;" in shown
    assert "a &lt; b &amp; c" in shown
    assert "&lt;Двор&gt;" in shown
    assert 'href="tg://user?id=5"' in shown
    assert "12 сообщений · карточек: 3, подтверждено: 2 · 1 предупреждение в силе" in shown


def test_the_card_speaks_english(case, chat):
    shown = drawn(case, chat, done(Act.DELETE, Act.NOTICE), EN)
    assert "Deletion: insult" in shown
    assert "The message was deleted; the author was warned." in shown
    assert not re.search("[а-яё]", shown.replace("Имя", "").replace("Двор", ""))


def test_the_weightiest_words_are_marked_even_among_signs_of_html(case, chat):
    case.text, case.marks = "ты <идиот> & дурак", [[3, 10], [13, 18]]
    shown = drawn(case, chat)
    assert "ты <b><u>&lt;идиот&gt;</u></b> &amp; <b><u>дурак</u></b>" in shown


@pytest.mark.parametrize("field", ["added_option", "added_task", "topic", "title"])
def test_a_card_says_that_words_stand_beyond_the_message_about_them(case, chat, field):
    case.prediction.field = field
    assert "Удалено только сообщение об этом. Сам" in drawn(case, chat, done(Act.DELETE))
    assert "Only the message about it is deleted." in drawn(case, chat, done(Act.DELETE), EN)
    assert "только сообщение" not in drawn(case, chat)
    case.prediction.field = "poll_option"
    assert "только сообщение" not in drawn(case, chat, done(Act.DELETE))


def test_obscene_words_are_hidden_until_touched(case, chat):
    assert "tg-spoiler" not in drawn(case, chat)
    case.flagged = ["obscenity"]
    assert "tg-spoiler" in drawn(case, chat)


def test_a_decided_card_says_who_decided(case, chat):
    case.verdict, case.resolved_by_name, case.resolved_at = Verdict.CORRECTED, "М & К", now()
    case.person, case.person_by_name, case.person_at = PersonDecision.BAN, "<Я>", now()
    shown = drawn(case, chat)
    assert "Исправлено" in shown
    assert "М &amp; К" in shown
    assert "Решено заблокировать</b> — &lt;Я&gt;" in shown


def test_a_report_names_who_reported(case, chat):
    case.origin = Origin.REPORT
    reports = [Report(reporter_name=f"<{i}>", reporter_id=i) for i in range(5)]
    shown = drawn(case, chat, reports=reports)
    assert "Жалоба" in shown
    assert "Пожаловались: &lt;0&gt;, &lt;1&gt;, &lt;2&gt; и ещё 2" in shown


def test_a_text_whose_time_is_over_is_told_as_such(case, chat):
    case.text = case.user_name = ""
    assert "Текст удалён" in drawn(case, chat)


@pytest.mark.parametrize("char", ["а", "<", "&", "🙂"])
def test_the_longest_message_makes_a_card_that_telegram_takes(case, chat, char):
    case.text, case.user_name, chat.title = char * 4096, char * 129, char * 128
    case.marks = [[0, 2000], [3000, 3001]]
    case.verdict, case.resolved_by_name, case.resolved_at = Verdict.CORRECTED, char * 129, now()
    acts = [
        Enforcement(act=act, step=step, state=ActState.FAILED, detail="нет прав" * 3)
        for act in Act
        for step in (Step.DECISION, Step.FORGIVE)
    ]
    reports = [Report(reporter_name=char * 129, reporter_id=i) for i in range(5)]
    shown = drawn(case, chat, acts, reports=reports, link="https://t.me/c/1/7")
    assert len(html.unescape(re.sub(r"<[^>]*>", "", shown))) < 4096


def test_a_refused_act_is_told_with_its_reason():
    failed = Enforcement(act=Act.DELETE, state=ActState.FAILED, detail="нет прав")
    assert happened(RU, [failed]) == "Удалить не удалось: нет прав."


def test_a_dry_run_is_told_as_such():
    skipped = Enforcement(act=Act.DELETE, state=ActState.SKIPPED)
    assert happened(RU, [skipped]) == "Режим наблюдения: удалил бы сообщение."


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("state", ActState)
def test_every_act_has_words_for_every_outcome(code, act, state):
    for detail in (None, "почему"):
        said = happened(language(code), [Enforcement(act=act, state=state, detail=detail)])
        assert f"act.{state.value}" not in said
        assert f".{act.value}" not in said


@pytest.mark.parametrize(
    ("score", "threshold", "expected"),
    [(0.0, None, "░░░░"), (1.0, None, "████"), (0.5, 0.75, "██░│░"), (0.9, 0.0, "│████")],
)
def test_a_bar_shows_score_and_threshold(score, threshold, expected):
    assert bar(score, threshold, 4) == expected


@pytest.mark.parametrize("code", LANGUAGES)
def test_bars_have_a_line_for_each_category_and_fit_a_phone(code):
    lines = bars(language(code), dict.fromkeys(Category, 0.5), POLICY).splitlines()
    assert len(lines) == len(TOXIC)
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) <= 30


def test_a_category_that_the_model_does_not_know_has_no_bar():
    assert len(bars(RU, {Category.THREAT: 0.5}, POLICY).splitlines()) == 1


def test_the_decision_is_told_with_its_reason():
    found = decide({Category.THREAT: 0.9}, POLICY)
    assert decision(RU, found) == "Решение: удалить (угроза 0,90)."
    assert decision(RU, decide({}, POLICY)) == "Решение: оставить."


def test_somebody_new_has_no_cases_to_tell_of():
    assert record(RU, History(1, 0, 0, 0)) == "1 сообщение"
