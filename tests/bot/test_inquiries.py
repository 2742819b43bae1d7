from datetime import timedelta

import pytest
from markupsafe import Markup

from bot.greeting import greeting, missing, mode
from bot.inquiries import rules, why
from bot.language import LANGUAGES, language
from bot.members import NEEDED_RIGHTS
from moderation.categories import Category
from moderation.columns import now
from moderation.policy import PRESETS, Action
from moderation.preferences import Override, Preferences
from moderation.tables import Chat, Strike

RU = language("ru")


@pytest.fixture
def chat():
    return Chat(id=-1, title="Двор", kind="supergroup", preferences={}, rights=[])


def test_the_rules_tell_the_policy_and_the_ladder():
    told = rules(RU, Preferences(mute_after=3, ban_after=5))
    assert "Мат — удаляю" in told
    assert "Грубость — предупреждаю" in told
    assert "3-е нарушение за 7 дней" in told
    assert "5-е — блокировка" in told


def test_what_a_group_allows_is_no_rule():
    allowed = Preferences(overrides={Category.OBSCENITY: Override(action=Action.NONE)})
    assert "Мат" not in rules(RU, allowed)
    everything = {category: Override(action=Action.NONE) for category in Category}
    assert rules(RU, Preferences(overrides=everything)) == "Я здесь ничего не запрещаю."


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("action", Action)
def test_every_policy_has_rules_in_words(code, preset, action):
    overrides = {Category.THREAT: Override(action=action)}
    told = rules(language(code), Preferences(preset=preset, overrides=overrides, ban_after=2))
    assert "rules." not in told


def test_why_tells_what_stands_and_until_when():
    strikes = [Strike(expires_at=now() + timedelta(days=days)) for days in (1, 3)]
    told = why(RU, [Markup("• было")], strikes)
    assert "2 предупреждения в силе, последнее до" in told
    assert RU.moment(strikes[1].expires_at) in told
    assert why(RU, [], []) == "С вашими сообщениями я ничего не делал."


def test_the_greeting_names_missing_rights_and_only_those(chat):
    assert greeting(chat).count("❌") == 2
    assert missing(chat) == list(NEEDED_RIGHTS)
    chat.rights = list(NEEDED_RIGHTS)
    complete = greeting(chat)
    assert complete.count("✅") == 2
    assert "недостающие" not in complete


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_greeted_in_words(chat, code, preset):
    chat.preferences = {"preset": preset, "language": code}
    told = greeting(chat)
    assert "preset." not in told
    assert "greeting." not in told


def test_the_mode_says_until_when_the_bot_only_observes():
    until = now() + timedelta(days=2)
    assert RU.moment(until) in mode(RU, Preferences(observe_until=until))
    assert mode(RU, Preferences(observe_until=now() - timedelta(days=1))) == "обычный"
