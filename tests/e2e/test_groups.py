"""Coming into groups, being moved with them, what people ask there, in both languages."""

import pytest

from moderation.columns import now
from moderation.policy import Action
from moderation.states import Act, ActState, Origin
from moderation.tables import Case, Chat, Strike
from sandbox import scene
from tests.e2e.stage import (
    CLEAN,
    INSULT,
    MEMBER,
    MODERATOR,
    OWNER,
    STRANGER,
    prefer,
    until,
    whispered,
)  # fmt: skip

OTHER_INSULT = "Ну ты и дебил, тупая скотина, закрой свой рот"


async def chat_row(stage, chat_id):
    found = await stage.rows(Chat, Chat.id == chat_id)
    return found[0] if found else None


async def test_a_notice_is_seen_by_its_author_alone(stage):
    group, _ = await stage.moderated_group()
    await stage.people.write(group, MEMBER, INSULT)
    await stage.card(group)
    (notice,) = await until(lambda: whispered(stage, group, MEMBER, "ваше сообщение удалено"))
    assert "Участник А" in notice["text"]
    assert not await stage.said(group, "ваше сообщение удалено")


async def test_notices_of_a_flood_become_one(stage):
    group, _ = await stage.moderated_group()
    await prefer(stage, group, warning="public", mute_after=0)
    await stage.people.write(group, MEMBER, INSULT)
    await until(lambda: stage.said(group, "ваше сообщение удалено"))
    await stage.people.write(group, MEMBER, OTHER_INSULT)
    (merged,) = await until(lambda: stage.said(group, "2 ваших сообщения нарушили"))
    assert not await stage.said(group, "ваше сообщение удалено")
    assert "Участник А" in merged["text"]


async def test_no_notice_where_the_group_wants_none(stage):
    group, _ = await stage.moderated_group()
    await prefer(stage, group, warning="none")
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    assert set(await stage.acts(case.id)) == {Act.DELETE}


async def test_the_ladder_leads_from_warnings_to_a_mute(stage):
    group, _ = await stage.moderated_group()
    await prefer(stage, group, mute_after=2, memory_days=0)
    await stage.people.write(group, MEMBER, INSULT)
    first = await stage.card(group)
    assert Act.MUTE not in await stage.acts(first.id)
    await stage.people.write(group, MEMBER, OTHER_INSULT)

    async def second():
        case = await stage.card(group)
        return case if case.id > first.id else None

    acts = await stage.acts((await until(second)).id)
    assert acts[Act.MUTE].state is ActState.DONE
    assert len(await stage.rows(Strike, Strike.chat_id == group)) == 2


async def test_strikes_that_expired_lead_nowhere(stage):
    group, _ = await stage.moderated_group()
    await prefer(stage, group, mute_after=2, memory_days=0)
    await stage.people.write(group, MEMBER, INSULT)
    first = await stage.card(group)
    from sqlalchemy import update

    from moderation import database

    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        old = update(Strike).where(Strike.case_id == first.id).values(expires_at=now())
        await session.execute(old)
    await stage.people.write(group, MEMBER, OTHER_INSULT)
    await stage.settled(group, 2)
    await until(lambda: newer(stage, group, first))
    last = (await stage.cases(group))[-1]
    assert Act.MUTE not in await stage.acts(last.id)


async def newer(stage, group, case):
    found = await stage.card(group)
    return found if found.id > case.id else None


async def test_newcomers_are_judged_more_strictly(stage):
    group, _ = await stage.moderated_group()
    await prefer(stage, group, newcomer_shift=0.3)
    for status in ("left", "member"):
        await stage.people.post("members", chat_id=group, user_id=STRANGER, status=status)
    await stage.people.write(group, STRANGER, CLEAN)
    await stage.people.write(group, MEMBER, CLEAN)
    await stage.settled(group, 2)
    found = {row.user_id: row.is_newcomer for row in await stage.predictions(group)}
    assert found == {STRANGER: True, MEMBER: False}


async def test_an_exempt_person_is_never_judged(stage):
    group, _ = await stage.moderated_group()
    await prefer(stage, group, exempt=[MEMBER])
    message = await stage.people.write(group, MEMBER, INSULT)
    await stage.settled(group, 1)
    (row,) = await stage.predictions(group)
    assert row.exempt == "exempt"
    assert message in [m["message_id"] for m in await stage.people.messages(group)]


@pytest.mark.parametrize("again", [INSULT, INSULT.upper(), INSULT.replace(" ", "  ")])
async def test_what_a_moderator_called_clean_passes_from_then_on(stage, again):
    group, _ = await stage.moderated_group()
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    await stage.press(case, MODERATOR, data=f"c:{case.id}:clean:0")
    message = await stage.people.write(group, STRANGER, again)
    await stage.settled(group, 2)
    row = (await stage.predictions(group))[-1]
    assert (row.action, row.remembered["insult"]) == (Action.NONE, 0)
    assert row.scores["insult"] > 0.5
    assert message in [m["message_id"] for m in await stage.people.messages(group)]


async def test_what_a_moderator_called_toxic_is_removed_from_then_on(stage):
    group, _ = await stage.moderated_group()
    await stage.people.write(group, MEMBER, "Голубь ты сизокрылый, а не председатель")
    message = (await stage.people.messages(group, MEMBER))[-1]["message_id"]
    await stage.people.write(group, STRANGER, "/report", reply_to_message_id=message)
    case = await stage.card(group)
    assert case.origin is Origin.REPORT
    await stage.press(case, MODERATOR, data=f"c:{case.id}:done:2")
    again = await stage.people.write(group, STRANGER, "голубь ты сизокрылый, а не председатель")

    async def removed():
        left = [m["message_id"] for m in await stage.people.messages(group, STRANGER)]
        return again not in left and await newer(stage, group, case)

    last = await until(removed)
    assert last.prediction.remembered["insult"] == 1
    assert Act.MUTE not in await stage.acts(last.id)


async def test_another_groups_verdicts_count_for_nothing_here(stage):
    group, _ = await stage.moderated_group()
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    await stage.press(case, MODERATOR, data=f"c:{case.id}:clean:0")
    other, _ = await stage.moderated_group()
    await stage.people.write(other, MEMBER, INSULT)
    assert (await stage.card(other)).prediction.action is Action.DELETE


async def test_a_group_that_became_a_supergroup_keeps_everything(stage):
    group = await stage.group(type="group")
    modchat = await stage.group(rights={}, title="Модераторы")
    await stage.people.write(modchat, OWNER, f"/start@demo_moderator_bot modchat_{group}")
    await until(lambda: stage.said(modchat, "карточки группы"))
    await prefer(stage, group, preset="strict")
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    new = (await stage.people.post("migrations", chat_id=group))["chat"]["id"]

    async def moved():
        return await chat_row(stage, new) and (await chat_row(stage, group)).moved_to == new

    await until(moved)
    row = await chat_row(stage, new)
    assert (row.preferences["preset"], row.modchat_id, row.kind) == (
        "strict", modchat, "supergroup",
    )  # fmt: skip
    assert [found.id for found in await stage.cases(new)] == [case.id]
    answer = await stage.press(case, MODERATOR, data=f"c:{case.id}:right:0")
    assert "Принято" in answer["text"]
    # The supergroup's first messages have the numbers that the group's had.
    for _ in range(4):
        await stage.people.write(new, STRANGER, OTHER_INSULT)
    await until(lambda: newer(stage, new, case))


async def test_rights_that_were_taken_away_are_told_to_the_owner(stage):
    group = await stage.group(title="Без прав теперь")
    await stage.people.post(
        "members", chat_id=group, user_id=scene.BOT_ID, status="administrator", by=OWNER
    )
    await until(lambda: stage.said(OWNER, "«Без прав теперь» у меня больше нет нужных прав"))
    await until(lambda: stage.said(group, "❌ удалять сообщения"))


async def test_a_removed_bot_notes_when(stage):
    group = await stage.group()
    await stage.people.post("members", chat_id=group, user_id=scene.BOT_ID, status="left", by=OWNER)

    async def removed():
        return (await chat_row(stage, group)).removed_at

    await until(removed)
    await stage.people.post(
        "members", chat_id=group, user_id=scene.BOT_ID, status="member", by=OWNER
    )

    async def back():
        row = await chat_row(stage, group)
        return row.is_active and row.removed_at is None

    await until(back)


async def test_several_groups_share_a_moderators_chat(stage):
    first, modchat = await stage.moderated_group(title="Первый двор")
    second = await stage.group(title="Второй двор")
    await stage.people.write(modchat, OWNER, f"/start@demo_moderator_bot modchat_{second}")
    await until(lambda: stage.said(modchat, "«Второй двор» приходят сюда"))
    for group in (first, second):
        await stage.people.write(group, MEMBER, INSULT)
        await stage.card(group)
    assert await stage.said(modchat, "· Первый двор")
    assert await stage.said(modchat, "· Второй двор")
    await stage.people.write(modchat, MODERATOR, "/status")
    (status,) = await until(lambda: whispered(stage, modchat, MODERATOR, "Модель:"))
    assert "Первый двор" in status["text"]
    assert "Второй двор" in status["text"]


async def test_where_nobody_can_be_reached_the_status_says_so(stage):
    group = await stage.group(title="Тишина")
    await stage.people.post(
        "members", chat_id=OWNER, user_id=scene.BOT_ID, status="kicked", by=OWNER
    )
    try:
        await stage.people.write(group, MEMBER, INSULT)

        async def lost():
            return (await chat_row(stage, group)).card_error

        await until(lost)
        await stage.people.write(group, MODERATOR, "/status")
        (status,) = await until(lambda: whispered(stage, group, MODERATOR, "Тишина"))
        assert "❌ Карточки не доходят" in status["text"]
    finally:
        await stage.people.post(
            "members", chat_id=OWNER, user_id=scene.BOT_ID, status="member", by=OWNER
        )


async def test_rules_and_help_are_told_to_anybody_in_the_groups_language(stage):
    group, _ = await stage.moderated_group()
    await stage.people.write(group, MEMBER, "/rules")
    (rules,) = await until(lambda: whispered(stage, group, MEMBER, "Что здесь нельзя"))
    assert "Мат — удаляю" in rules["text"]
    assert "Грубость — предупреждаю" in rules["text"]
    await prefer(stage, group, language="en")
    await stage.people.write(group, MEMBER, "/rules@demo_moderator_bot")
    (rules,) = await until(lambda: whispered(stage, group, MEMBER, "What isn’t welcome here"))
    assert "Obscenity — I delete it" in rules["text"]
    await stage.people.write(group, MEMBER, "/help")
    (told,) = await until(lambda: whispered(stage, group, MEMBER, "/report — in reply"))
    assert "/settings" not in told["text"]
    await stage.people.write(group, MODERATOR, "/help")
    await until(lambda: whispered(stage, group, MODERATOR, "/settings"))


async def test_why_tells_the_author_what_happened_and_nobody_else(stage):
    group, _ = await stage.moderated_group(title="Наш двор")
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    await stage.people.write(group, MEMBER, "/why")
    (why,) = await until(lambda: whispered(stage, group, MEMBER, "Что было с вашими"))
    assert "оскорбление (оценка" in why["text"]
    assert "Сообщение удалено" in why["text"]
    assert "Модераторы ещё не смотрели." in why["text"]
    assert "1 предупреждение в силе" in why["text"]
    await stage.press(case, MODERATOR, data=f"c:{case.id}:clean:0")
    await stage.people.write(MEMBER, MEMBER, "/why")
    (why,) = await until(lambda: stage.said(MEMBER, "Наш двор"))
    assert "решил, что это ошибка" in why["text"]
    await stage.people.write(group, STRANGER, "/why")
    await until(lambda: whispered(stage, group, STRANGER, "я ничего не делал"))


async def test_answers_remove_themselves_where_nothing_can_be_whispered(own_stage):
    stage = own_stage
    await stage.people.post("features", ephemeral=False)
    await stage.start_bot()
    group, _ = await stage.moderated_group()
    command = await stage.people.write(group, MEMBER, "/rules")
    (answer,) = await until(lambda: stage.said(group, "Что здесь нельзя"))
    from sqlalchemy import update

    from moderation import database
    from moderation.tables import Note

    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        await session.execute(update(Note).values(expires_at=now()))

    async def gone():
        standing = {m["message_id"] for m in await stage.people.messages(group)}
        return not standing & {command, answer["message_id"]}

    await until(gone)
    await stage.people.write(group, MEMBER, INSULT)
    await until(lambda: stage.said(group, "ваше сообщение удалено"))


async def test_a_topic_is_answered_in_the_topic(stage):
    group = await stage.group(is_forum=True, topics=[77])
    await stage.people.write(
        group, MODERATOR, "/stats", message_thread_id=77, is_topic_message=True
    )
    (shown,) = await until(lambda: captioned(stage, group))
    assert shown["message_thread_id"] == 77


async def test_someone_english_gets_an_english_group(stage):
    await stage.people.post("users", id=OWNER, first_name="Хозяйка группы", language_code="en")
    try:
        group = await stage.group()
        await until(lambda: stage.said(group, "Hello! I help moderators"))
        assert (await chat_row(stage, group)).preferences == {"language": "en"}
    finally:
        await stage.people.post("users", id=OWNER, first_name="Хозяйка группы", language_code="ru")


async def test_some_of_what_passes_is_drawn_for_an_audit_and_shown_to_nobody_yet(stage):
    group, modchat = await stage.moderated_group()
    await prefer(stage, group, audit_share=0.2)
    for number in range(40):
        await stage.people.write(group, MEMBER, f"{CLEAN} Вопрос номер {number}.")
    await stage.settled(group, 40)
    drawn = await stage.rows(Case, Case.chat_id == group)
    assert 0 < len(drawn) < 40
    assert {(case.origin, case.probability, case.card_message_id) for case in drawn} == {
        (Origin.AUDIT, 0.2, None)
    }
    assert not await stage.said(modchat, "Вопрос номер")


async def test_an_english_group_has_english_cards_notices_and_answers(stage):
    group, modchat = await stage.moderated_group()
    await prefer(stage, group, language="en")
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    (card,) = await until(lambda: stage.said(modchat, "Deletion: insult"))
    assert "The message was deleted; the author was warned." in card["text"]
    names = [b["text"] for row in card["reply_markup"]["inline_keyboard"] for b in row]
    assert names == ["✅ Right", "🕊 Not toxic", "✏️ Correct"]
    await until(lambda: whispered(stage, group, MEMBER, "your message was deleted. Reason: insult"))
    await stage.press(case, MODERATOR, data=f"c:{case.id}:clean:0")
    await until(lambda: stage.said(group, "deleted by mistake"))
    for command, words in (("/why", "found it to be a mistake"), ("/status", "Cards go to")):
        user = MEMBER if command == "/why" else MODERATOR
        await stage.people.write(group, user, command)
        await until(lambda u=user, w=words: whispered(stage, group, u, w))


async def test_a_card_marks_the_words_and_tells_the_authors_history(stage):
    group, modchat = await stage.moderated_group()
    await stage.people.write(group, MEMBER, CLEAN)
    await stage.people.write(group, MEMBER, "Добрый вечер, ты просто идиот, честное слово")
    case = await stage.card(group)
    assert [case.text[start:end] for start, end in case.marks] == ["идиот"]
    (card,) = await stage.said(modchat, "2 сообщения · карточек: 1, подтверждено: 0")
    marked = [e for e in card["entities"] if e["type"] == "underline"]
    assert len(marked) == 1


async def captioned(stage, chat_id):
    """The pictures of figures in a chat."""
    found = await stage.people.messages(chat_id, scene.BOT_ID)
    return [message for message in found if "caption" in message]
