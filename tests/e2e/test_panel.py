import itertools
import re
import signal

import pytest

from bot.panel_data import CHOICES, FOLDERS, SECTIONS
from moderation.categories import TITLES, TOXIC
from moderation.policy import Action
from moderation.preferences import Preferences
from moderation.tables import Chat, PreferenceChange
from sandbox import scene
from tests.e2e.stage import ADMIN_RIGHTS, CLEAN, INSULT, MEMBER, MODERATOR, STRANGER, until

# The highest score of each lies near a threshold: insults from .65 to 1, rude ones about .75.
TEXTS = (
    "Ты просто жалкий болтун.",
    "Ну ты и баран, честное слово.",
    "Тупые соседи опять шумят всю ночь.",
    "Вот же клоун, опять перепутал этажи.",
    "Какая же ты дура, смотреть тошно.",
    "Ты дурак, что ли?",
    "Вы все тут козлы и бездельники.",
    "Не смешно, дурачьё.",
    "Ты несёшь полную чушь.",
    "Да иди ты лесом со своими советами.",
    INSULT,
    CLEAN,
    "Спасибо, всё починили, лифт работает.",
)
COUNTED = {
    Action.REVIEW: "показано",
    Action.WARN: "предупреждено",
    Action.DELETE: "удалено",
    Action.MUTE: "запрещено писать",
    Action.BAN: "заблокировано",
}
_users = itertools.count(6_300_000_000)


async def person(stage, code="ru", groups=(), status="administrator"):
    """A new person, with a standing in some groups."""
    user_id = next(_users)
    await stage.people.post("users", id=user_id, first_name="Зоя", language_code=code)
    for group in groups:
        await stand(stage, group, user_id, status)
    return user_id


async def stand(stage, group, user_id, status):
    rights = ADMIN_RIGHTS if status == "administrator" else {}
    await stage.people.post("members", chat_id=group, user_id=user_id, status=status, **rights)


class Panel:
    """The panel in somebody's private chat."""

    def __init__(self, stage, user_id, message_id):
        self.stage, self.user_id, self.id = stage, user_id, message_id

    async def message(self):
        found = await self.stage.people.messages(self.user_id)
        return next(message for message in found if message["message_id"] == self.id)

    async def buttons(self):
        rows = (await self.message())["reply_markup"]["inline_keyboard"]
        return {button["text"]: button.get("callback_data") for row in rows for button in row}

    async def shows(self, words):
        """Wait until the message contains some words; its text."""

        async def shown():
            text = (await self.message())["text"].replace("\N{NO-BREAK SPACE}", " ")
            return text if words in text else None

        return await until(shown)

    async def press(self, button=None, *, user_id=None, data=None):
        """Press a button, or send any data; what the bot answered."""
        pressed = {"button": button} if data is None else {"data": data}
        query_id = await self.stage.people.press(
            self.user_id, self.id, user_id or self.user_id, **pressed
        )

        async def answered():
            found = (await self.stage.people.get("callbacks"))["callbacks"]
            answer = next(c for c in found if c["id"] == query_id)["answer"]
            return None if answer is None else (answer.get("text", ""),)

        return (await until(answered))[0]

    async def go(self, *buttons):
        """Press buttons one after another, each once what the last one showed is there."""
        for button in buttons:

            async def is_there(button=button):
                return button in await self.buttons()

            await until(is_there)
            before = await self.message()
            await self.press(button)

            async def has_changed(before=before):
                return await self.message() != before

            await until(has_changed)


async def newest(stage, user_id, words, command):
    """The message that answers a command in private chat."""
    asked = await stage.people.write(user_id, user_id, command)

    async def answered():
        found = await stage.said(user_id, words)
        return next((message for message in found if message["message_id"] > asked), None)

    return Panel(stage, user_id, (await until(answered))["message_id"])


async def opened(stage, user_id, group, title="Группа"):
    return await newest(stage, user_id, f"⚙️ {title}", f"/start settings_{group}")


async def preferences(stage, group):
    (row,) = await stage.rows(Chat, Chat.id == group)
    return Preferences.of(row.preferences)


async def changes(stage, group):
    found = await stage.rows(PreferenceChange, PreferenceChange.chat_id == group)
    return [(row.user_id, row.field, row.before, row.after) for row in found]


async def test_a_moderator_is_led_from_the_group_to_a_private_panel(stage):
    group = await stage.group(title="Двор <№5>")
    user = await person(stage, groups=[group])
    await stage.people.write(group, user, "/settings")

    async def link():
        said = [*await stage.people.ephemeral(group), *await stage.people.messages(group)]
        found = (m["reply_markup"]["inline_keyboard"][0][0] for m in said if "reply_markup" in m)
        return next((button["url"] for button in found if "url" in button), None)

    assert await until(link) == f"https://t.me/demo_moderator_bot?start=settings_{group}"
    panel = await opened(stage, user, group, "Двор <№5>")
    text = await panel.shows("Режим: обычный")
    for line in ("Категории: как в режиме", "Новички: 24 часа, порог ниже на 0,10",
                 "Предупреждения: лично автору", "Язык группы: русский"):  # fmt: skip
        assert line in text
    assert not await stage.said(group, "Режим: обычный")


async def test_a_member_and_a_channel_get_no_settings_in_the_group(stage):
    group = await stage.group()
    for command in ("/settings", "/exempt"):
        await stage.people.write(group, MEMBER, command)
    await stage.people.post("messages", chat_id=group, sender_chat=-1_003_000_000_001,
                            text="/settings")  # fmt: skip
    await stage.settled(group, 3)
    assert len(await stage.people.messages(group, scene.BOT_ID)) == 1  # the greeting
    assert not await stage.people.ephemeral(group)


async def test_an_anonymous_administrator_is_led_to_the_panel(stage):
    group = await stage.group()
    await stage.hide(group)
    await stage.people.write(group, MODERATOR, "/settings")
    await until(lambda: stage.said(group, "Настройки открываются в личке"))


@pytest.mark.parametrize(("code", "refused"), [("ru", "только администраторы"), ("en", "Only the")])
async def test_strangers_and_forged_links_are_refused(stage, code, refused):
    group = await stage.group()
    user = await person(stage, code, [group], "member")
    links = (f"settings_{group}", "settings_-404", "settings_--5", "settings_" + "9" * 40,
             "settings_x", "settings_")  # fmt: skip
    for number, payload in enumerate(links, 1):
        await stage.people.write(user, user, f"/start {payload}")
        await until(lambda number=number: has(stage, user, refused, number))
    assert "update failed" not in stage.bot.said
    await newest(stage, user, {"ru": "Здесь группы", "en": "Here are"}[code], "/settings")


async def has(stage, user, words, number):
    return len(await stage.said(user, words)) == number


async def test_settings_in_private_open_the_only_group_or_list_several(stage):
    first, second = await stage.group(title="Первая"), await stage.group(title="Вторая")
    user = await person(stage, groups=[first])
    panel = await newest(stage, user, "⚙️ Первая", "/settings")
    await stand(stage, second, user, "administrator")
    # A group's updates are handled in order: what its members say is, once a message of it is.
    await stage.people.write(second, user, "Добрый вечер!")
    await stage.settled(second, 1)
    await panel.go("Другие группы")
    await panel.shows("Здесь группы")
    assert list(await panel.buttons()) == ["Вторая", "Первая"]
    await panel.go("Вторая")
    await panel.shows("⚙️ Вторая")


@pytest.mark.parametrize("code", ["ru", "en"])
async def test_every_section_opens_and_every_value_is_saved_and_noted(stage, code):
    group = await stage.group()
    user = await person(stage, code, [group])
    panel = await opened(stage, user, group)
    saved, back = {"ru": ("Сохранено.", "« Назад"), "en": ("Saved.", "« Back")}[code]
    head = {"ru": "· Группа", "en": "· Группа"}[code]
    expected = []
    for section in SECTIONS:
        await panel.press(data=f"so:{group}:{section}")
        await panel.shows(head)
        assert back in await panel.buttons()
        for field in FOLDERS.get(section, (section,)):
            values = CHOICES.get(field, {})
            before = getattr(await preferences(stage, group), field, None)
            for number, value in values.items():
                if field == "preset" or value == before:
                    continue
                await panel.press(data=f"so:{group}:{field}")
                assert await panel.press(data=f"sp:{group}:{field}:{number}:1") == saved
                if field != "observe_until":
                    found = getattr(await preferences(stage, group), field)
                    assert found == value
                expected.append(field)
                before = value if field != "observe_until" else None
    noted = await changes(stage, group)
    assert [change[1] for change in noted] == expected
    assert {change[0] for change in noted} == {user}
    texts = (await panel.message())["text"]
    if code == "en":
        assert not re.search("[а-яё]", texts.replace("Группа", ""), re.IGNORECASE)
    assert "panel not shown" not in stage.bot.said
    assert "update failed" not in stage.bot.said


async def test_the_panel_speaks_the_pressers_language_and_the_group_its_own(stage):
    group = await stage.group(title="Yard")
    user = await person(stage, "en", [group])
    panel = await opened(stage, user, group, "Yard")
    text = await panel.shows("Mode: standard")
    assert not re.search("[а-яё]", text, re.IGNORECASE)
    await panel.go("Group’s language")
    await panel.shows("Now: Russian.")
    await panel.go("English")
    await panel.shows("Now: English.")
    assert (await preferences(stage, group)).language == "en"
    await stage.hide(group)
    await stage.people.write(group, MODERATOR, "/settings")
    await until(lambda: stage.said(group, "The settings open in a private chat"))


async def test_the_same_value_again_changes_nothing_and_fails_nothing(stage):
    group = await stage.group()
    user = await person(stage, groups=[group])
    panel = await opened(stage, user, group)
    await panel.go("Возврат текста")
    await panel.shows("Сейчас: да.")
    assert await panel.press("● Да") == "Так и есть, ничего не меняю."
    assert await panel.press(data=f"so:{group}:restores") == ""
    assert await changes(stage, group) == []
    assert "panel not shown" not in stage.bot.said


async def test_a_press_of_somebody_demoted_or_of_another_group_changes_nothing(stage):
    group, other = await stage.group(), await stage.group(title="Чужая")
    user = await person(stage, groups=[group])
    panel = await opened(stage, user, group)
    refused = "Настройки меняют только администраторы"
    for data in (f"sp:{other}:restores:0:1", f"sd:{other}:1:50:3:1", f"so:{other}:main"):
        assert refused in await panel.press(data=data)
    await stand(stage, group, user, "member")
    await panel.press("Язык группы")
    for data in (f"sp:{group}:restores:0:1", f"sp:{group}:preset:0:0", f"sd:{group}:1:50:3:1",
                 f"so:{group}:history", "so:-404:main"):  # fmt: skip
        assert refused in await panel.press(data=data)
    assert "⚙️ Группа" in (await panel.message())["text"]
    assert await changes(stage, group) == await changes(stage, other) == []


async def test_forged_data_gets_an_answer_and_changes_nothing(stage):
    group = await stage.group()
    user = await person(stage, groups=[group])
    panel = await opened(stage, user, group)
    huge = "9" * 30
    for data in (
        f"so:{group}:no_such", f"so:{group}", f"so:{huge}:main", "so:x:main", "so::",
        f"sp:{group}:preset:9:1", f"sp:{group}:overrides:1:1", f"sp:{group}:language:7:1",
        f"sp:{group}:strike_days:0:1", f"sp:{group}:exempt:{huge}:1", f"sp:{group}:preset::1",
        f"sd:{group}:9:50:3:1", f"sd:{group}:1:1:3:1", f"sd:{group}:1:50:9:1", f"sd:{group}:1",
    ):  # fmt: skip
        assert await panel.press(data=data) == (
            "Такой кнопки у меня нет. Откройте настройки заново: /settings."
        ), data
    greeting = (await stage.people.messages(group, scene.BOT_ID))[0]["message_id"]
    in_group = Panel(stage, group, greeting)
    for presser in (STRANGER, user):
        answer = await in_group.press(user_id=presser, data=f"sp:{group}:restores:0:1")
        assert answer == "Настройки открываются в личке: напишите мне /settings."
    assert await changes(stage, group) == []
    assert "update failed" not in stage.bot.said


async def test_exempting_a_person_and_judging_them_again(stage):
    group = await stage.group()
    user = await person(stage, groups=[group])

    async def exempt(message_id=None):
        extra = {"reply_to_message_id": message_id} if message_id else {}
        await stage.people.write(group, user, "/exempt", **extra)

    async def whispered(words):
        said = [*await stage.people.ephemeral(group), *await stage.people.messages(group)]
        return [message for message in said if words in message.get("text", "")]

    await exempt()
    await until(lambda: whispered("Ответьте командой /exempt"))
    message = await stage.people.write(group, MEMBER, CLEAN)
    await exempt(message)
    await until(lambda: whispered("больше не проверяю"))
    assert (await preferences(stage, group)).exempt == (MEMBER,)
    await stage.people.write(group, MEMBER, INSULT)
    await until(lambda: of_member(stage, group, 2))
    assert await stage.cases(group) == []

    panel = await opened(stage, user, group)
    await panel.shows("Исключения: 1 человек")
    await panel.go("Исключения")
    await panel.shows(str(MEMBER))
    (linked,) = (e for e in (await panel.message())["entities"] if "text_link" in e["type"]
                 or "text_mention" in e["type"])  # fmt: skip
    assert linked
    await panel.go(f"✕ {MEMBER}")
    await panel.shows("никого")
    assert (await preferences(stage, group)).exempt == ()
    await stage.people.write(group, MEMBER, INSULT)
    await stage.card(group)

    await exempt(message)
    await until(lambda: is_exempt(stage, group, (MEMBER,)))
    await exempt(message)
    await until(lambda: is_exempt(stage, group, ()))
    assert [change[1:] for change in await changes(stage, group)] == [
        ("exempt", [], [MEMBER]),
        ("exempt", [MEMBER], []),
    ] * 2


async def of_member(stage, group, number):
    return len([p for p in await stage.predictions(group) if p.user_id == MEMBER]) >= number


async def is_exempt(stage, group, people):
    return (await preferences(stage, group)).exempt == people


async def test_the_history_names_who_changed_what(stage):
    group = await stage.group()
    user = await person(stage, groups=[group])
    panel = await opened(stage, user, group)
    await panel.go("История")
    await panel.shows("Настройки ещё не меняли.")
    await panel.go("« Назад", "Повторные нарушения", "Блокировка", "С 5-го нарушения")
    await panel.shows("Сейчас: с 5-го нарушения.")
    await panel.go("« Назад", "« Назад", "История")
    text = await panel.shows("Блокировка: никогда → с 5-го нарушения")
    assert str(user) in text
    assert await changes(stage, group) == [(user, "ban_after", 0, 5)]


async def test_observing_for_a_day_does_nothing_and_shows_what_it_would(stage):
    group = await stage.group()
    user = await person(stage, groups=[group])
    panel = await opened(stage, user, group)
    await panel.go("Наблюдение", "1 день")
    await panel.shows("Сейчас: до")
    message = await stage.people.write(group, MEMBER, INSULT)
    await stage.card(group)
    assert message in [m["message_id"] for m in await stage.people.messages(group)]
    await panel.go("Выключено")
    await panel.shows("Сейчас: выключено.")
    await stage.people.write(group, MEMBER, INSULT)

    async def gone():
        return len(await stage.people.messages(group, MEMBER)) == 1

    await until(gone)


async def test_a_preset_is_shown_before_it_is_set(stage):
    group = await stage.group()
    user = await person(stage, groups=[group])
    panel = await opened(stage, user, group)
    await stage.people.write(group, MEMBER, INSULT)
    await stage.card(group)
    await panel.go("Режим", "Мягкий")
    text = await panel.shows("Будет: мягкий.")
    assert "(1 сообщение) было бы: предупреждено 1 (сейчас 0), удалено 0 (сейчас 1)." in text
    assert INSULT in text
    await panel.go("Отмена")
    await panel.shows("Сейчас: обычный.")
    assert (await preferences(stage, group)).preset == "standard"
    await panel.go("Мягкий", "✅ Сохранить")
    await panel.shows("Сейчас: мягкий.")
    assert (await preferences(stage, group)).preset == "soft"


async def test_a_preview_names_what_moderators_called_clean(stage):
    group, _ = await stage.moderated_group()
    user = await person(stage, groups=[group])
    await stage.people.write(group, MEMBER, "Ты просто жалкий болтун.")
    case = await stage.card(group)
    await stage.press(case, MODERATOR, button="🕊 Не токсично")
    panel = await opened(stage, user, group)
    await panel.go("Категории", TITLES["insult"]["ru"], *["➖ Строже"] * 3)
    text = await panel.shows("порог 0,60.")
    assert "Строже, чем сейчас: 1, из них модераторы уже назвали чистыми: 1" in text


async def test_an_allowed_category_is_judged_once_it_has_an_action(stage):
    group = await stage.group()
    user = await person(stage, groups=[group])
    panel = await opened(stage, user, group)
    await panel.go("Категории", TITLES["insult"]["ru"], "Разрешено")
    await panel.shows("Будет: разрешено.")
    await panel.go("✅ Сохранить")
    await panel.shows("Сейчас: разрешено.")
    await stage.people.write(group, MEMBER, INSULT)
    await stage.settled(group, 1)
    assert await stage.cases(group) == []
    await panel.go("Предупредить")
    text = await panel.shows("Будет: предупредить, порог 0,75.")
    assert "предупреждено 1 (сейчас 0)" in text
    await panel.go("✅ Сохранить")
    await panel.shows("Сейчас: предупредить, порог 0,75.")
    await stage.people.write(group, MEMBER, INSULT)
    assert (await stage.card(group)).prediction.action is Action.WARN


@pytest.mark.parametrize("number", range(len(TOXIC)))
async def test_every_category_can_be_changed_and_put_back(stage, number):
    group = await stage.group()
    user = await person(stage, groups=[group])
    panel = await opened(stage, user, group)
    await panel.press(data=f"so:{group}:categories")
    title = TITLES[TOXIC[number]]["ru"]
    await panel.go(title, "➕ Мягче", "Заблокировать", "✅ Сохранить")
    await panel.shows("Сейчас: заблокировать")
    assert TOXIC[number] in (await preferences(stage, group)).overrides
    await panel.go("➖ Строже")
    usual = {Action.DELETE: "Удалить", Action.WARN: "Предупредить"}
    await panel.go(usual[Preferences().rule(TOXIC[number]).action], "✅ Сохранить")
    await until(lambda: is_default(stage, group))
    assert len(await changes(stage, group)) == 2


async def is_default(stage, group):
    return await preferences(stage, group) == Preferences()


def counted(text):
    """The counts that a preview tells, wanted ones alone."""
    line = next(line for line in text.splitlines() if "было бы:" in line)
    found = {action: re.search(f"{word} ([0-9]+)", line) for action, word in COUNTED.items()}
    return {action: int(match[1]) for action, match in found.items() if match and match[1] != "0"}


async def acted(stage, group):
    """What really was asked for in a group."""
    found = [prediction.action for prediction in await stage.predictions(group)]
    return {action: found.count(action) for action in COUNTED if action in found}


@pytest.mark.parametrize(
    ("presses", "rule"),
    [
        (("➕ Мягче",) * 3, "удалить, порог 0,90"),
        (("➖ Строже",) * 3, "удалить, порог 0,60"),
        (("Показать",), "показать, порог 0,75"),
    ],
)
async def test_what_a_preview_promises_a_real_run_then_does(stage, presses, rule):
    first, second = await stage.group(), await stage.group(title="Вторая")
    user = await person(stage, groups=[first, second])
    for text in TEXTS:
        await stage.people.write(first, MEMBER, text)
    await stage.settled(first, len(TEXTS))
    for group, title in ((first, "Группа"), (second, "Вторая")):
        panel = await opened(stage, user, group, title)
        await panel.go("Повторные нарушения", "Запрет писать", "Никогда")  # no ladder in a preview
        await panel.shows("Сейчас: никогда.")
        await panel.go("« Назад", "« Назад", "Категории", TITLES["insult"]["ru"], *presses)
        text = await panel.shows(f"Будет: {rule}.")
        if group == first:
            promised = counted(text)
        await panel.go("✅ Сохранить")
        await until(lambda group=group: has_override(stage, group))
    assert (await preferences(stage, first)).stored() == (await preferences(stage, second)).stored()
    assert promised != await acted(stage, first)
    for text in TEXTS:
        await stage.people.write(second, STRANGER, text)
    await stage.settled(second, len(TEXTS))
    assert await acted(stage, second) == promised


async def has_override(stage, group):
    return bool((await preferences(stage, group)).overrides)


async def test_a_panel_works_after_a_restart(own_stage):
    stage = own_stage
    await stage.start_bot()
    group = await stage.group()
    user = await person(stage, groups=[group])
    panel = await opened(stage, user, group)
    await panel.go("Возврат текста")
    await panel.shows("Сейчас: да.")
    await stage.bot.stop(signal.SIGKILL)
    await stage.start_bot()
    await panel.go("Нет")
    await panel.shows("Сейчас: нет.")
    assert not (await preferences(stage, group)).restores
