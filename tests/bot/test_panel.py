import html
import itertools
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot import panel_views, panel_words
from bot.language import LANGUAGES, language
from bot.panel_data import (
    CHOICES,
    FOLDERS,
    MAX_EXEMPT,
    SECTIONS,
    Draft,
    Open,
    Put,
    chosen,
    drafted,
    parent,
    put,
    rule_of,
)
from bot.panel_views import Panel
from moderation import changes
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.policy import PRESETS, Action
from moderation.preferences import Preferences
from moderation.preview import Change, Example, Preview
from moderation.tables import Chat, PreferenceChange

CHAT = -1_009_999_999_999  # as long as Telegram's ids get
FURTHEST = -(2**63) + 1
RULES = [
    Draft(chat=CHAT, category=i, threshold=threshold, action=action.value)
    for i, threshold, action in itertools.product(range(len(TOXIC)), (5, 50, 95), Action)
]
NOTHING = Preview(0, {}, {}, {})
SOME = Preview(
    messages=1204,
    before={Action.NONE: 1000, Action.DELETE: 4},
    after={Action.NONE: 900, Action.REVIEW: 12, Action.WARN: 3, Action.DELETE: 5},
    caught={Category.INSULT: 15},
    changes=[Change(i, Action.NONE, Action.WARN) for i in range(3)]
    + [Change(9, Action.DELETE, Action.NONE)],
    harsher_clean=2,
    milder_confirmed=1,
    examples=[Example("<b>Вася</b> & " + "о" * 999, Action.NONE, Action.WARN)] * 3,
)


def a_chat(preferences=None, title="<Двор> & сад", chat_id=CHAT):
    stored = (preferences or Preferences()).stored()
    return Chat(id=chat_id, title=title, kind="supergroup", preferences=stored, is_active=True)


def a_panel(code="ru", preferences=None, **extra):
    return Panel(language(code), a_chat(preferences, **extra), now())


def screens(panel):
    yield panel.main()
    yield panel.categories()
    yield panel.exempt()
    yield panel.history([])
    yield from map(panel.folder, FOLDERS)
    yield from map(panel.field, CHOICES)
    for draft in RULES:
        yield panel.category(draft, SOME)
    yield panel.category(Draft(chat=CHAT, category=0), NOTHING)
    yield panel.preset(Put(chat=CHAT, field="preset", value=3, sure=False), "strict", SOME)
    yield panel_views.groups(panel.say, [panel.chat])
    yield panel_views.links(panel.say, [panel.chat, panel.chat], "demo_bot")


def buttons(view):
    return [button for row in view.markup.inline_keyboard for button in row]


def seen(view):
    """What a person reads, without the marks."""
    return html.unescape(re.sub(r"<[^>]*>", "", view.text))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_screen_is_told_whole_and_escaped(code):
    own = Preferences(
        exempt=(5, -7), observe_until=now() + timedelta(days=1), mute_hours=6, newcomer_hours=72
    )
    for preferences in (Preferences(), own):
        for view in screens(a_panel(code, preferences)):
            words = [view.text, *(button.text for button in buttons(view))]
            assert not [word for word in words if re.search(r"(panel|preset)\.[a-z_]|[{}]", word)]
            assert "<Двор>" not in view.text
            assert "<b>Вася</b>" not in view.text
            assert len(seen(view)) < 4096
            if code == "en":
                mine = re.sub("<Двор> & сад|Вася|о{9,}|Obscenity", "", seen(view))
                assert not re.search("[а-яё]", mine, re.IGNORECASE), mine


def test_every_button_fits_whatever_the_group_is():
    for chat_id in (CHAT, FURTHEST):
        own = Preferences(exempt=(FURTHEST,))
        for view in screens(a_panel(preferences=own, chat_id=chat_id)):
            for button in buttons(view):
                assert button.url or len(button.callback_data.encode()) <= 64
    Put(chat=FURTHEST, field="newcomer_hours", value=FURTHEST).pack()


def test_the_longest_list_of_people_makes_a_message_that_telegram_takes():
    people = tuple(range(10**18, 10**18 + MAX_EXEMPT))
    view = a_panel(preferences=Preferences(exempt=people)).exempt()
    assert len(buttons(view)) <= 100
    assert len(seen(view)) < 4096


def test_every_section_and_every_field_can_be_reached():
    reached = {Open.unpack(b.callback_data).screen for b in buttons(a_panel().main())}
    assert reached == {*SECTIONS, "groups"}
    for folder, fields in FOLDERS.items():
        found = {Open.unpack(b.callback_data).screen for b in buttons(a_panel().folder(folder))}
        assert found == {*fields, "main"}
        assert {parent(field) for field in fields} == {folder}
    assert set(CHOICES) <= {*SECTIONS, *itertools.chain(*FOLDERS.values())}
    settable = set(Preferences.model_fields) - {"overrides", "exempt"}
    assert set(CHOICES) == settable


@pytest.mark.parametrize("field", CHOICES)
def test_every_value_can_be_set_and_is_then_marked(field):
    for number in CHOICES[field]:
        press = Put(chat=CHAT, field=field, value=number)
        after = put(Preferences(), press, now())
        marked = [b.text for b in buttons(a_panel(preferences=after).field(field)) if "●" in b.text]
        if field == "observe_until" and number:
            assert timedelta(days=number) - (after.observe_until - now()) < timedelta(seconds=9)
            assert marked == []  # the moment is told, not how long it was
        else:
            assert chosen(after, field) == number
            assert len(marked) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("preset", 4), ("preset", -1), ("strike_days", 0), ("no such", 1), ("overrides", 0),
     ("audit_share", 200), ("language", 2)],
)  # fmt: skip
def test_no_other_value_of_no_other_field_is_set(field, value):
    assert put(Preferences(), Put(chat=CHAT, field=field, value=value), now()) is None


@pytest.mark.parametrize(
    "data",
    ["sd:-1:5:50:3:0", "sd:-1:0:4:3:0", "sd:-1:0:96:3:0", "sd:-1:0:50:6:0", "sd:-1:0:50:-1:0",
     "sd:-1:x:50:3:0", f"sd:{'9' * 30}:0:50:3:0", "sd:-1:0:50:3", "sp:-1:preset:x:1"],
)  # fmt: skip
def test_impossible_data_is_no_button(data):
    kind = Draft if data.startswith("sd") else Put
    with pytest.raises((ValidationError, TypeError)):
        kind.unpack(data)


def test_stricter_and_milder_go_by_steps_and_stop_at_the_ends():
    def steps(threshold):
        draft = Draft(chat=CHAT, category=1, threshold=threshold, action=3)
        found = buttons(a_panel().category(draft, SOME))[:2]
        return [Draft.unpack(button.callback_data).threshold for button in found]

    assert steps(50) == [45, 55]
    assert steps(5) == [5, 10]
    assert steps(95) == [90, 95]


def test_an_allowed_category_has_no_threshold_to_change():
    soft = Preferences(preset="soft")
    view = a_panel(preferences=soft).category(Draft(chat=CHAT, category=0), NOTHING)
    assert "Строже" not in "".join(button.text for button in buttons(view))
    assert rule_of(soft, Category.OBSCENITY) == (60, Action.NONE)
    wanted = drafted(soft, Draft(chat=CHAT, category=0, action=Action.WARN.value))
    assert rule_of(wanted, Category.OBSCENITY) == (60, Action.WARN)


@given(st.sampled_from(RULES), st.sampled_from(sorted(PRESETS)))
def test_what_a_button_saves_is_what_it_showed(draft, preset):
    current = Preferences(preset=preset)
    wanted = drafted(current, draft)
    view = a_panel(preferences=current).category(draft, SOME)
    saves = [b for b in buttons(view) if "✅" in b.text]
    assert bool(saves) == (wanted != current)
    for button in saves:
        press = Draft.unpack(button.callback_data)
        assert press.save
        assert drafted(current, press) == wanted


def test_a_preview_tells_what_would_have_been_done():
    draft = Draft(chat=CHAT, category=1, threshold=60, action=3)
    told = seen(a_panel().category(draft, SOME)).replace("\N{NO-BREAK SPACE}", " ")
    for line in (
        "Сейчас: удалить, порог 0,75.",
        "Будет: удалить, порог 0,60.",
        "За последние 7 дней (1 204 сообщения) было бы: показано 12 (сейчас 0), "
        "предупреждено 3 (сейчас 0), удалено 5 (сейчас 4).",
        "Строже, чем сейчас: 3, из них модераторы уже назвали чистыми: 2",
        "Мягче, чем сейчас: 1, из них модераторы уже подтвердили: 1",
        "1,2 % сообщений за 7 дней (15 из 1 204)",
        "Повторные нарушения здесь не учтены.",
        "разрешено → предупредить:",
    ):
        assert line in told
    spoiled = a_panel().category(draft, SOME).text
    assert "<blockquote expandable><tg-spoiler>&lt;b&gt;" in spoiled


def test_punishing_below_its_threshold_is_told_to_be_deleting():
    mute = Draft(chat=CHAT, category=1, threshold=60, action=Action.MUTE.value)
    assert "при уверенности от 0,90" in a_panel().category(mute, NOTHING).text
    sure = mute.model_copy(update={"threshold": 90})
    assert "при уверенности от" not in a_panel().category(sure, NOTHING).text


def change(field, before, after, user_id=7):
    return PreferenceChange(
        chat_id=CHAT, user_id=user_id, field=field, before=before, after=after, created_at=now()
    )


@pytest.mark.parametrize(
    ("field", "before", "after", "told"),
    [
        ("preset", "standard", "strict", "Режим: обычный → строгий"),
        ("mute_hours", None, 168, "Срок запрета: по умолчанию → 7 дней"),
        ("audit_share", 0.01, 0.005, "Проверять пропущенные: 1 % → 0,5 %"),
        ("exempt", [1], [1, 5], "Исключения: — → 5"),
        (
            "overrides",
            {"rude": {"threshold": None, "action": 0}},
            {"rude": {"threshold": None, "action": 0}, "insult": {"threshold": 0.6, "action": 2}},
            "Категории: оскорбление как в режиме → оскорбление 0,60 предупредить",
        ),
        ("observe_until", None, "2026-08-05T10:00:00Z", "выключено → до 5 авг., 10:00 UTC"),
        ("restores", True, False, "Возврат текста: да → нет"),
        ("newcomer_hours", 24, 0, "24 часа → как все остальные"),
    ],
)
def test_the_history_tells_a_change(field, before, after, told):
    line = panel_words.history(language("ru"), change(field, before, after))
    assert told in line.replace("\N{NO-BREAK SPACE}", " ")
    assert 'href="tg://user?id=7"' in line


def test_the_history_tells_of_anonymous_administrators_and_of_broken_values():
    said = panel_words.history(language("ru"), change("preset", "standard", "<b>", user_id=-5))
    assert "анонимный администратор" in said
    assert "<b>" not in said


def test_what_a_group_changed_is_told_on_the_main_screen():
    own = changes.with_rule(Preferences(), Category.INSULT, 0.6, Action.MUTE)
    own = changes.replaced(own, exempt=(1, 2), ban_after=5, observe_until=now() - timedelta(days=1))
    told = seen(a_panel(preferences=own).main())
    assert "Категории: свои правила — оскорбление" in told
    assert "Исключения: 2 человека" in told
    assert "блокировка — с 5-го нарушения" in told
    assert "Наблюдение: выключено" in told
