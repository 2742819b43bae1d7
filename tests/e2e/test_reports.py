"""/report: members show moderators a message."""

import pytest

from moderation.states import Act, Origin, Source, Verdict
from moderation.tables import Report
from tests.e2e.stage import (
    CLEAN,
    INSULT,
    MEMBER,
    MODERATOR,
    OWNER,
    STRANGER,
    until,
    whispered,
)  # fmt: skip

QUIET = "Вместе с вашими грядками и вас пора убрать отсюда"


async def report(stage, group, message_id, user_id=STRANGER, text="/report"):
    return await stage.people.write(group, user_id, text, reply_to_message_id=message_id)


async def test_a_report_becomes_a_card_and_the_correction_a_label(stage):
    group, modchat = await stage.moderated_group()
    message = await stage.people.write(group, MEMBER, QUIET)
    await report(stage, group, message)
    case = await stage.card(group)
    (card,) = await until(lambda: stage.said(modchat, "🚩 Жалоба"))
    assert "Пожаловались: Прохожий" in card["text"]
    assert QUIET in card["text"]
    await until(lambda: whispered(stage, group, STRANGER, "передал модераторам"))
    await stage.press(case, MODERATOR, button="✏️ Исправить")
    await stage.press(case, MODERATOR, data=f"c:{case.id}:done:4")
    (label,) = await stage.labels(group)
    assert (label.source, label.vector["threat"]) == (Source.REPORT, 1)

    async def gone():
        return message not in [m["message_id"] for m in await stage.people.messages(group)]

    await until(gone)


async def test_a_second_report_adds_a_voice_and_a_repeated_one_none(stage):
    group, modchat = await stage.moderated_group()
    message = await stage.people.write(group, MEMBER, QUIET)
    await report(stage, group, message)
    case = await stage.card(group)
    await report(stage, group, message, MODERATOR)
    await until(lambda: stage.said(modchat, "Прохожий, Модератор"))
    await report(stage, group, message)
    await until(lambda: whispered(stage, group, STRANGER, "уже пожаловались"))
    assert len(await stage.rows(Report, Report.case_id == case.id)) == 2
    assert len(await stage.said(modchat, "🚩 Жалоба")) == 1


async def test_what_was_decided_is_not_decided_again(stage):
    group, _ = await stage.moderated_group()
    message = await stage.people.write(group, MEMBER, QUIET)
    await report(stage, group, message)
    case = await stage.card(group)
    await stage.press(case, MODERATOR, data=f"c:{case.id}:clean:0")
    await report(stage, group, message, OWNER)
    await until(lambda: whispered(stage, group, OWNER, "уже приняли решение"))
    assert (await stage.cases(group))[-1].verdict is Verdict.CLEAN


async def test_reports_are_limited_by_the_hour(stage):
    group, _ = await stage.moderated_group()
    messages = [await stage.people.write(group, MEMBER, f"{CLEAN} {i}") for i in range(6)]
    for message in messages:
        await report(stage, group, message)
    await until(lambda: whispered(stage, group, STRANGER, "Слишком много жалоб"))
    assert len(await stage.rows(Report, Report.chat_id == group)) == 5


async def test_an_abuser_of_reports_can_be_silenced_from_the_card(stage):
    group, _ = await stage.moderated_group()
    message = await stage.people.write(group, MEMBER, CLEAN)
    other = await stage.people.write(group, MEMBER, f"{CLEAN} Жду всех.")
    await report(stage, group, message)
    case = await stage.card(group)
    refused = await stage.press(case, STRANGER, data=f"c:{case.id}:block:0")
    assert "только администраторы" in refused["text"]
    answer = await stage.press(case, MODERATOR, button="🚫 Не принимать жалобы от этих людей")
    assert "не принимаются" in answer["text"]
    await report(stage, group, other)
    await until(lambda: whispered(stage, group, STRANGER, "не принимают от вас"))
    assert len(await stage.cases(group)) == 1


async def test_only_others_words_can_be_reported(stage):
    group, _ = await stage.moderated_group()
    own = await stage.people.write(group, STRANGER, CLEAN)
    await report(stage, group, own)
    await until(lambda: whispered(stage, group, STRANGER, "пожаловаться нельзя"))
    await stage.people.write(group, STRANGER, "/report")
    await until(lambda: whispered(stage, group, STRANGER, "Ответьте этой командой"))
    assert await stage.cases(group) == []


async def test_a_message_from_before_the_bot_came_can_be_reported(stage):
    group, modchat = await stage.moderated_group()
    message = await stage.people.write(group, MEMBER, CLEAN)
    await stage.settled(group, 1)
    from sqlalchemy import delete

    from moderation import database
    from moderation.tables import Prediction

    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        await session.execute(delete(Prediction).where(Prediction.chat_id == group))
    await report(stage, group, message)
    case = await stage.card(group)
    assert (case.origin, case.prediction.exempt) == (Origin.REPORT, "unseen")
    assert await stage.said(modchat, "🚩 Жалоба")


@pytest.mark.parametrize("command", ["/report", "/rules", "/why", "/help"])
async def test_a_members_command_is_no_hiding_place(stage, command):
    group, _ = await stage.moderated_group()
    await stage.people.write(group, MEMBER, f"{command} {INSULT}")
    case = await stage.card(group)
    assert Act.DELETE in await stage.acts(case.id)
