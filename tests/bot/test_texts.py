import pytest

from bot import texts
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.policy import PRESETS, Action, decide
from moderation.states import Act, ActState, Verdict
from moderation.tables import Chat, Enforcement

POLICY = PRESETS["standard"]


@pytest.fixture
def chat():
    return Chat(id=-1001, title="<Двор>", kind="supergroup", preferences={}, rights=[])


def done(*acts):
    return [Enforcement(act=act, state=ActState.DONE) for act in acts]


def test_a_card_says_what_happened_and_escapes_what_people_wrote(case, chat):
    card = texts.card(case, chat, POLICY, done(Act.DELETE, Act.NOTICE), "https://t.me/c/1/7")
    assert "Удаление: оскорбление" in card
    assert "Сообщение удалено; автор предупреждён." in card
    assert "&lt;b&gt;Имя&lt;/b&gt;" in card
    assert "a &lt; b &amp; c" in card
    assert "&lt;Двор&gt;" in card


def test_obscene_words_are_hidden_until_touched(case, chat):
    assert "tg-spoiler" not in texts.card(case, chat, POLICY, [], None)
    case.flagged = ["obscenity"]
    assert "tg-spoiler" in texts.card(case, chat, POLICY, [], None)


def test_a_decided_card_says_who_decided(case, chat):
    case.verdict, case.resolved_by_name, case.resolved_at = Verdict.CLEAN, "М & К", now()
    card = texts.card(case, chat, POLICY, [], None)
    assert "Не токсично" in card
    assert "М &amp; К" in card


@pytest.mark.parametrize("char", ["а", "<", "&", "🙂"])
def test_the_longest_message_makes_a_card_that_telegram_takes(case, chat, char):
    import html
    import re

    case.text, case.user_name, chat.title = char * 4096, char * 129, char * 128
    card = texts.card(case, chat, POLICY, done(*Act), "https://t.me/c/1/7")
    assert len(html.unescape(re.sub(r"<[^>]*>", "", card))) < 4096


def test_a_refused_act_is_told_with_its_reason():
    failed = Enforcement(act=Act.DELETE, state=ActState.FAILED, detail="нет прав")
    assert texts.happened([failed]) == "Удалить не удалось: нет прав."


def test_a_dry_run_is_told_as_such():
    skipped = Enforcement(act=Act.DELETE, state=ActState.SKIPPED)
    assert texts.happened([skipped]) == "Режим наблюдения: удалил бы сообщение."


@pytest.mark.parametrize("act", Act)
def test_every_act_has_words_for_every_outcome(act):
    for state in (ActState.DONE, ActState.FAILED, ActState.ATTEMPTED):
        assert texts.happened([Enforcement(act=act, state=state, detail="почему")])


@pytest.mark.parametrize(
    ("score", "threshold", "drawn"),
    [(0.0, None, "░░░░"), (1.0, None, "████"), (0.5, 0.75, "██░│░"), (0.9, 0.0, "│████")],
)
def test_a_bar_shows_score_and_threshold(score, threshold, drawn):
    assert texts.bar(score, threshold, 4) == drawn


def test_bars_have_a_line_for_each_category_and_fit_a_phone():
    lines = texts.bars(dict.fromkeys(Category, 0.5), POLICY).splitlines()
    assert len(lines) == len(TOXIC)
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) <= 30


def test_a_category_that_the_model_does_not_know_has_no_bar():
    assert len(texts.bars({Category.THREAT: 0.5}, POLICY).splitlines()) == 1


def test_the_greeting_names_missing_rights_and_only_those(chat):
    greeting = texts.greeting(chat)
    assert greeting.count("❌") == 2
    chat.rights = list(texts.RIGHT_TITLES)
    complete = texts.greeting(chat)
    assert complete.count("✅") == 2
    assert "недостающие" not in complete


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_a_title_and_a_hint(name):
    assert texts.PRESET_TITLES[name]
    assert texts.PRESET_HINTS[name]


def test_the_decision_is_told_with_its_reason():
    found = decide({Category.THREAT: 0.9}, POLICY)
    assert texts.decision(found) == "Решение: удалить (угроза 0,90)."
    assert texts.decision(decide({}, POLICY)) == "Решение: оставить."
    assert set(texts.ACTION_TITLES) == set(Action)
