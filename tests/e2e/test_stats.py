from bot.stats import Press, View
from moderation import database
from moderation.figures import Period
from moderation.tables import Chat
from sandbox import scene
from tests.e2e.stage import CLEAN, INSULT, MEMBER, MODERATOR, OWNER, STRANGER, until

OPERATOR = 9_001


async def shown(stage, chat_id):
    """The bot's messages with buttons of /stats in a chat, the oldest first."""
    found = await stage.people.messages(chat_id, scene.BOT_ID)
    return [message for message in found if "st:" in str(message.get("reply_markup"))]


async def ask(stage, chat_id, user_id=MODERATOR, **extra):
    """Ask for figures; the newest answer."""
    before = len(await shown(stage, chat_id))
    await stage.people.write(chat_id, user_id, "/stats", **extra)

    async def answered():
        found = await shown(stage, chat_id)
        return found[-1] if len(found) > before else None

    return await until(answered)


async def press(stage, message, user_id=MODERATOR, **button):
    """Press a button of the figures; what the bot answered to the press."""
    at = (message["chat"]["id"], message["message_id"])
    return await stage.press_at(*at, user_id, **button)


async def changed(stage, message, words):
    """The message once its words have come."""

    async def now_says():
        found = await shown(stage, message["chat"]["id"])
        same = next(m for m in found if m["message_id"] == message["message_id"])
        return same if words in said(same) else None

    return await until(now_says)


def said(message):
    return message.get("caption", message.get("text", "")).replace("\N{NO-BREAK SPACE}", " ")


def buttons(message):
    return [b["text"] for row in message["reply_markup"]["inline_keyboard"] for b in row]


async def test_moderators_see_what_happened_as_one_picture_with_words(stage):
    group, modchat = await stage.moderated_group(title="Двор")
    await stage.people.write(group, MEMBER, CLEAN)
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    await stage.press(case, MODERATOR, button="✅ Верно")
    for chat_id in (modchat, group):
        answer = await ask(stage, chat_id)
        (picture,) = answer["photo"]
        assert (picture["width"], picture["height"]) == (1080, 1080)
        for line in (
            "Двор, за 24 ч", "Сообщений: 2", "Отмечено: 1 (50,0 %)", "Оскорбление от 0,75 — 1",
            "1 из 1 (100 %)", "Ждут решения: 0", "Новых меток: 1 (карточки — 1)", "Модель: ",
        ):  # fmt: skip
            assert line in said(answer)
        assert buttons(answer) == ["● 24 ч", "7 д", "30 д", "● По дням", "Качество"]


async def test_buttons_change_the_same_message(stage):
    group = await stage.group(title="Двор")
    await stage.people.write(group, MEMBER, CLEAN)
    await stage.settled(group, 1)
    first = await ask(stage, group)
    assert not (await press(stage, first, button="7 д"))["text"]
    week = await changed(stage, first, "за 7 дней")
    assert "● 7 д" in buttons(week)
    assert week["photo"] != first["photo"]
    await press(stage, week, OWNER, button="Качество")
    quality = await changed(stage, first, "Двор, качество за 30 дней")
    assert "Угроза: точность — ничего не отмечено; полнота — " in said(quality)
    assert (quality["photo"][0]["width"], quality["photo"][0]["height"]) == (1080, 960)
    assert buttons(quality)[-3:] == ["● 30 д", "По дням", "● Качество"]
    await press(stage, quality, button="По дням")
    await changed(stage, first, "Двор, за 30 дней")
    assert len(await shown(stage, group)) == 1


async def test_a_member_gets_no_figures_and_may_press_nothing(stage):
    group = await stage.group()
    await stage.people.write(group, MEMBER, "/stats")
    await stage.settled(group, 1)
    assert not await shown(stage, group)
    message = await ask(stage, group)
    answer = await press(stage, message, MEMBER, button="7 д")
    assert answer["text"] == "Цифры видят только администраторы с правами модератора."
    assert answer["show_alert"]
    assert await shown(stage, group) == [message]


async def test_a_moderator_who_was_demoted_may_press_nothing(stage):
    group = await stage.group()
    message = await ask(stage, group)
    await stage.people.post("members", chat_id=group, user_id=MODERATOR, status="member")
    assert "только администраторы" in (await press(stage, message, button="7 д"))["text"]
    assert await shown(stage, group) == [message]


async def test_forged_buttons_change_nothing(stage):
    group, other = await stage.group(title="Двор"), await stage.group(title="Гараж")
    message = await ask(stage, group)
    for data in (
        Press(scope=other, view=View.DAYS, period=Period.DAY).pack(),
        Press(scope=0, view=View.DAYS, period=Period.DAY).pack(),
        f"st:{group}:days:year", f"st:{group}:words:day", f"st:{'9' * 30}:days:day", "st:",
        f"st:{group}:days:day:1",
    ):  # fmt: skip
        await stage.people.press(group, message["message_id"], MODERATOR, data=data)
    await press(stage, message, button="30 д")  # presses are handled in turn
    week = await changed(stage, message, "Двор, за 30 дней")
    assert "Гараж" not in said(week)
    assert "update failed" not in stage.bot.said


async def test_a_moderators_chat_of_several_groups_shows_them_together(stage):
    first, modchat = await stage.moderated_group(title="Двор")
    second = await stage.group(title="Гараж")
    await stage.people.write(modchat, OWNER, f"/start@demo_moderator_bot modchat_{second}")
    await until(lambda: stage.said(modchat, "Гараж"))
    for group in (first, second):
        await stage.people.write(group, MEMBER, CLEAN)
        await stage.settled(group, 1)
    answer = await ask(stage, modchat)
    assert "Гараж, Двор, за 24 ч" in said(answer)
    assert "Сообщений: 2" in said(answer)


async def test_a_topic_is_answered_in_the_topic(stage):
    group = await stage.group(is_forum=True, topics=[77])
    answer = await ask(stage, group, message_thread_id=77, is_topic_message=True)
    assert answer["message_thread_id"] == 77


async def test_an_anonymous_administrator_is_answered(stage):
    group = await stage.group()
    await stage.hide(group)
    assert "за 24 ч" in said(await ask(stage, group))


async def test_where_photos_are_forbidden_the_words_come_alone(stage):
    group = await stage.group(title="Двор", permissions={"can_send_messages": True})
    await stage.people.post("members", chat_id=group, user_id=scene.BOT_ID, status="member")
    answer = await ask(stage, group)
    assert "photo" not in answer
    assert "Двор, за 24 ч" in said(answer)
    await press(stage, answer, button="7 д")
    await changed(stage, answer, "Двор, за 7 дней")


async def test_the_language_is_the_groups(stage):
    group = await stage.group(title="Yard")
    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        (await session.get_one(Chat, group)).preferences = {"language": "en"}
    await stage.people.write(group, MEMBER, INSULT)
    await stage.card(group)
    answer = await ask(stage, group)
    for line in ("Yard, 24 h", "Messages: 1", "Insult from 0.75 — 1", "Waiting for a decision: 1"):
        assert line in said(answer)
    assert buttons(answer) == ["● 24 h", "7 d", "30 d", "● By day", "Quality"]
    await press(stage, answer, button="Quality")
    quality = await changed(stage, answer, "Yard, quality, 30 days")
    assert "Insult: precision — too few verdicts yet: 0 of ~1" in said(quality)


async def test_only_operators_see_all_groups_in_private(own_stage):
    stage = own_stage
    stage.environment["OPERATOR_IDS"] = str(OPERATOR)
    person = {"id": OPERATOR, "first_name": "Оля", "language_code": "en"}
    await stage.people.post("users", **person)
    await stage.start_bot()
    group = await stage.group(title="Двор")
    await stage.people.write(group, MEMBER, CLEAN)
    await stage.settled(group, 1)
    await stage.people.write(OPERATOR, OPERATOR, "/start")
    answer = await ask(stage, OPERATOR, OPERATOR)
    assert "All groups, 24 h" in said(answer)
    assert "Messages: 1" in said(answer)
    await press(stage, answer, OPERATOR, button="7 d")
    await changed(stage, answer, "All groups, 7 days")
    await stage.people.write(STRANGER, STRANGER, "/stats")
    await until(lambda: stage.said(STRANGER, "напишите /stats там"))
    assert not await shown(stage, STRANGER)
    # A forged press in a stranger's own chat is no way in.
    (hint,) = await stage.said(STRANGER, "напишите /stats там")
    data = Press(scope=0, view=View.DAYS, period=Period.DAY).pack()
    answer = await press(stage, hint, STRANGER, data=data)
    assert "только администраторы" in answer["text"]


async def test_check_draws_the_scores_of_a_text(stage):
    await stage.people.write(STRANGER, STRANGER, "/check")
    await until(lambda: stage.said(STRANGER, "Напишите текст после команды"))
    await stage.people.write(STRANGER, STRANGER, f"/check {INSULT}")
    await until(lambda: stage.said(STRANGER, "Решение: удалить"))
