"""Acts as real calls to the sandbox, those too that no preset asks for."""

from datetime import timedelta

import pytest
import stamina

from bot import enforce
from bot.rights import Rights
from bot.telegram import make_bot
from moderation import sanctions, store
from moderation.columns import now
from moderation.settings import Settings
from moderation.states import Act, ActState, Step
from moderation.tables import Case, Enforcement
from sandbox import scene
from sandbox.client import Client
from sandbox.server import serve

CHANNEL = -1_009_999_999_999


@pytest.fixture
async def stage(sessions):
    """A bot in the sandbox's scene, the sessions of a database, and the people."""
    import aiohttp

    async with serve() as sandbox, aiohttp.ClientSession() as http:
        settings = Settings(bot_token=sandbox.token, telegram_api_url=sandbox.url)
        async with make_bot(settings) as bot:
            yield bot, sessions, Client(sandbox.url, http)


@pytest.fixture
async def planned(stage, case):
    """Plans acts for a message that a member wrote; the case, ready to be enforced."""
    _, sessions, people = stage

    async def plan(*acts, sender=scene.MEMBER_A_ID):
        case.prediction.message_id = await people.write(scene.GROUP_ID, scene.MEMBER_A_ID, "а")
        case.prediction.chat_id = case.chat_id = scene.GROUP_ID
        case.prediction.user_id, case.prediction.content_hash = sender, ""
        async with sessions.begin() as session:
            await store.chat(session, scene.GROUP_ID, "Соседи", "supergroup")
            rows = [Enforcement(act=act) for act in acts]
            await store.record(session, case.prediction, case, rows)
        async with sessions() as session:
            return await session.get_one(Case, case.id)

    return plan


async def apply(bot, sessions, case):
    rights = Rights(bot, sessions)
    await enforce.apply(bot, sessions, rights, case)
    await enforce.apply(bot, sessions, rights, case, enforce.WORDS)


async def outcomes(sessions, case):
    async with sessions() as session:
        return {row.act: row for row in await sanctions.enforcements(session, case.id)}


async def status(people, user_id):
    chat = await people.chat(scene.GROUP_ID)
    return next(m["status"] for m in chat["members"] if m["user_id"] == user_id)


async def test_a_ban_removes_the_author_and_is_taken_back(stage, planned):
    bot, sessions, people = stage
    case = await planned(Act.DELETE, Act.BAN)
    await apply(bot, sessions, case)
    assert await status(people, scene.MEMBER_A_ID) == "kicked"
    assert {row.state for row in (await outcomes(sessions, case)).values()} == {ActState.DONE}

    async with sessions.begin() as session:
        await sanctions.plan(session, case.id, [Act.UNBAN], Step.VERDICT)
    await apply(bot, sessions, case)
    assert await status(people, scene.MEMBER_A_ID) == "left"


async def test_a_channel_is_banned_as_a_channel_and_cannot_be_muted(stage, planned):
    bot, sessions, people = stage
    case = await planned(Act.MUTE, Act.BAN, sender=CHANNEL)
    await apply(bot, sessions, case)
    rows = await outcomes(sessions, case)
    assert rows[Act.MUTE].state is ActState.SKIPPED
    assert "каналу" in rows[Act.MUTE].detail
    calls = (await people.get("calls", method="banChatSenderChat"))["calls"]
    assert len(calls) == 1


async def test_an_administrator_is_not_punished_and_the_reason_is_kept(stage, planned):
    bot, sessions, _ = stage
    case = await planned(Act.BAN, sender=scene.MODERATOR_ID)
    await apply(bot, sessions, case)
    row = (await outcomes(sessions, case))[Act.BAN]
    assert (row.state, row.detail) == (ActState.FAILED, "автор — администратор")


async def test_applying_twice_calls_once(stage, planned):
    bot, sessions, people = stage
    case = await planned(Act.DELETE, Act.NOTICE)
    await apply(bot, sessions, case)
    before = len((await people.get("calls"))["calls"])
    await apply(bot, sessions, case)
    assert len((await people.get("calls"))["calls"]) == before


async def test_after_a_crash_a_notice_is_not_sent_again_and_a_deletion_is(stage, planned):
    bot, sessions, people = stage
    case = await planned(Act.DELETE, Act.NOTICE)
    async with sessions.begin() as session:
        for row in await sanctions.enforcements(session, case.id):
            await sanctions.set_act(session, row.id, ActState.ATTEMPTED)
    await apply(bot, sessions, case)
    rows = await outcomes(sessions, case)
    assert rows[Act.DELETE].state is ActState.DONE
    assert rows[Act.NOTICE].state is ActState.FAILED
    assert not (await people.get("calls", method="sendMessage"))["calls"]


async def test_a_message_that_is_gone_counts_as_deleted(stage, planned):
    bot, sessions, _ = stage
    case = await planned(Act.DELETE)
    await bot.delete_message(case.chat_id, case.prediction.message_id)
    await apply(bot, sessions, case)
    assert (await outcomes(sessions, case))[Act.DELETE].state is ActState.DONE


async def test_a_notice_where_nobody_may_be_whispered_to_is_public(stage, planned):
    bot, sessions, people = stage
    await people.post("features", ephemeral=False)
    case = await planned(Act.NOTICE)
    await apply(bot, sessions, case)
    row = (await outcomes(sessions, case))[Act.NOTICE]
    assert (row.state, row.message_id is not None) == (ActState.DONE, True)


async def test_a_notice_to_somebody_who_left_is_not_shouted_after_them(stage, planned):
    bot, sessions, people = stage
    case = await planned(Act.NOTICE)
    at = {"chat_id": scene.GROUP_ID, "user_id": scene.MEMBER_A_ID}
    await people.post("members", **at, status="left")
    await apply(bot, sessions, case)
    row = (await outcomes(sessions, case))[Act.NOTICE]
    assert (row.state, row.detail) == (ActState.SKIPPED, "автора уже нет в группе")


async def test_the_rights_before_a_mute_are_kept_even_if_it_is_repeated(stage, planned):
    bot, sessions, people = stage
    case = await planned(Act.MUTE)
    await apply(bot, sessions, case)
    async with sessions.begin() as session:
        (row,) = await sanctions.enforcements(session, case.id)
        assert row.former["status"] == "member"
        await sanctions.set_act(session, row.id, ActState.ATTEMPTED)  # as after a crash
    await apply(bot, sessions, case)
    assert (await outcomes(sessions, case))[Act.MUTE].former["status"] == "member"
    async with sessions.begin() as session:
        await sanctions.plan(session, case.id, [Act.UNMUTE], Step.VERDICT)
    await apply(bot, sessions, case)
    assert await status(people, scene.MEMBER_A_ID) == "member"


async def test_nothing_is_done_to_who_was_forgotten(stage, planned):
    bot, sessions, people = stage
    case = await planned(Act.BAN, Act.RESTORE, sender=0)
    async with sessions.begin() as session:
        (await session.get_one(Case, case.id)).text = ""
    async with sessions() as session:
        case = await session.get_one(Case, case.id)
    await apply(bot, sessions, case)
    assert {row.state for row in (await outcomes(sessions, case)).values()} == {ActState.SKIPPED}
    assert not (await people.get("calls", method="banChatMember"))["calls"]


async def change(sessions, case, **values):
    async with sessions.begin() as session:
        for row in await sanctions.enforcements(session, case.id):
            for name, value in values.items():
                setattr(row, name, value)


@pytest.mark.parametrize("kind", ["500", "502html", "drop", "429"])
async def test_what_telegram_was_not_reached_for_is_put_off_and_done_later(stage, planned, kind):
    bot, sessions, people = stage
    case = await planned(Act.DELETE, Act.BAN, Act.NOTICE)
    for method in ("deleteMessage", "banChatMember"):
        await people.post("faults", method=method, kind=kind, count=1, retry_after=1000)
    with stamina.set_testing(True, attempts=1):
        await apply(bot, sessions, case)
    rows = await outcomes(sessions, case)
    assert {row.state for row in rows.values()} == {ActState.PENDING}  # words wait for the acts
    assert rows[Act.DELETE].detail.startswith("Telegram")
    await apply(bot, sessions, case)
    rows = await outcomes(sessions, case)
    assert [rows[act].state for act in (Act.DELETE, Act.BAN)] == [ActState.DONE] * 2
    assert rows[Act.NOTICE].state is ActState.SKIPPED  # the author was put out
    assert len((await people.get("calls", method="deleteMessage"))["calls"]) == 2


async def test_what_was_put_off_is_given_up_once_telegram_would_refuse_it(stage, planned):
    bot, sessions, people = stage
    case = await planned(Act.DELETE)
    await change(sessions, case, created_at=now() - timedelta(hours=49))
    await people.post("faults", method="deleteMessage", kind="500", count=1)
    with stamina.set_testing(True, attempts=1):
        await apply(bot, sessions, case)
    row = (await outcomes(sessions, case))[Act.DELETE]
    assert (row.state, row.detail) == (ActState.FAILED, "Telegram не ответил")


async def test_what_was_taken_back_while_it_was_tried_is_not_put_off(stage, planned):
    bot, sessions, people = stage
    case = await planned(Act.BAN)
    await change(sessions, case, state=ActState.ATTEMPTED)
    async with sessions.begin() as session:
        await sanctions.plan(session, case.id, [Act.UNBAN], Step.VERDICT)
    await people.post("faults", method="banChatMember", kind="500", count=1)
    with stamina.set_testing(True, attempts=1):
        await apply(bot, sessions, case)
    rows = await outcomes(sessions, case)
    assert [rows[act].state for act in (Act.BAN, Act.UNBAN)] == [ActState.SKIPPED, ActState.DONE]
    assert await status(people, scene.MEMBER_A_ID) == "member"


async def test_a_mute_whose_time_is_over_does_not_become_one_for_ever(stage, planned):
    bot, sessions, people = stage
    case = await planned(Act.MUTE)
    await change(sessions, case, until=now() + timedelta(seconds=20))
    await apply(bot, sessions, case)
    row = (await outcomes(sessions, case))[Act.MUTE]
    assert (row.state, row.detail) == (ActState.SKIPPED, "этот срок уже прошёл")
    assert not (await people.get("calls", method="restrictChatMember"))["calls"]
