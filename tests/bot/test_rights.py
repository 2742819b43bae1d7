"""Missing rights against the sandbox: found, told once, respected, and found again."""

import aiohttp
import pytest

from bot import enforce
from bot.rights import Rights
from bot.telegram import make_bot
from moderation import sanctions, store
from moderation.settings import Settings
from moderation.states import Act, ActState
from moderation.tables import Case, Chat, Enforcement
from sandbox import scene
from sandbox.client import Client
from sandbox.server import serve

GROUP, OWNER = scene.GROUP_ID, scene.OWNER_ID
BOTH = ["can_delete_messages", "can_restrict_members"]


@pytest.fixture
async def stage(sessions):
    """A bot in the sandbox's scene that believes to have all rights, and the people."""
    async with serve() as sandbox, aiohttp.ClientSession() as http:
        settings = Settings(bot_token=sandbox.token, telegram_api_url=sandbox.url)
        async with make_bot(settings) as bot:
            async with sessions.begin() as session:
                chat = await store.chat(session, GROUP, "Соседи", "supergroup")
                chat.rights, chat.owner_id = BOTH, OWNER
            people = Client(sandbox.url, http)
            await people.write(OWNER, OWNER, "/start")
            yield bot, sessions, people


@pytest.fixture
async def attempted(stage, case):
    """Attempts one act for a case, whose earlier acts are forgotten; the row with its outcome."""
    bot, sessions, people = stage
    case.prediction.message_id = await people.write(GROUP, scene.MEMBER_A_ID, "а")
    case.prediction.chat_id = case.chat_id = GROUP
    case.prediction.user_id, case.prediction.content_hash = scene.MEMBER_A_ID, ""
    async with sessions.begin() as session:
        await store.record(session, case.prediction, case, [])

    async def attempt(rights, act):
        async with sessions.begin() as session:
            for row in await sanctions.enforcements(session, 1):
                await session.delete(row)
            await session.flush()
            session.add(Enforcement(case_id=1, act=act))
        async with sessions() as session:
            found = await session.get_one(Case, 1)
        await enforce.apply(bot, sessions, rights, found)
        async with sessions() as session:
            return (await sanctions.enforcements(session, 1))[0]

    return attempt


async def demote(people, status="administrator", **rights):
    at = {"chat_id": GROUP, "user_id": scene.BOT_ID}
    await people.post("members", **at, status=status, **rights)


async def made(people, *methods):
    calls = (await people.get("calls"))["calls"]
    return [call["method"] for call in calls if call["method"] in methods]


async def chat_of(sessions):
    async with sessions() as session:
        return await session.get_one(Chat, GROUP)


async def test_a_lost_right_is_found_by_a_refusal_told_once_and_then_respected(stage, attempted):
    bot, sessions, people = stage
    rights = Rights(bot, sessions)
    await demote(people, can_delete_messages=False, can_restrict_members=True)
    first = await attempted(rights, Act.DELETE)
    assert (first.state, first.detail) == (ActState.FAILED, "у бота нет права удалять сообщения")
    assert (await chat_of(sessions)).rights == ["can_restrict_members"]
    second = await attempted(rights, Act.DELETE)
    assert (second.state, second.detail) == (ActState.SKIPPED, first.detail)
    assert await made(people, "deleteMessage", "getChatMember") == [
        "deleteMessage",
        "getChatMember",
    ]
    told = await people.messages(OWNER, scene.BOT_ID)
    assert [message["text"].startswith("В группе") for message in told] == [True]
    assert (await attempted(rights, Act.BAN)).state is ActState.DONE


async def test_rights_that_came_back_unnoticed_are_found_after_a_while(stage, attempted):
    bot, sessions, people = stage
    async with sessions.begin() as session:
        (await session.get_one(Chat, GROUP)).rights = []
    rights = Rights(bot, sessions, look_seconds=0)
    assert (await attempted(rights, Act.DELETE)).state is ActState.DONE
    assert (await chat_of(sessions)).rights == BOTH
    assert not await people.messages(OWNER, scene.BOT_ID)


@pytest.mark.parametrize("status", ["kicked", "left"])
async def test_a_group_that_put_the_bot_out_is_left_in_peace(stage, attempted, status):
    bot, sessions, people = stage
    rights = Rights(bot, sessions)
    await demote(people, status)
    first = await attempted(rights, Act.DELETE)
    chat = await chat_of(sessions)
    assert (first.state, chat.is_active, chat.removed_at is None) == (ActState.FAILED, False, False)
    before = len((await people.get("calls"))["calls"])
    assert (await attempted(rights, Act.BAN)).detail == "бота нет в группе"
    assert len((await people.get("calls"))["calls"]) == before

    await demote(people, can_delete_messages=True, can_restrict_members=True)
    anew = Rights(bot, sessions)
    assert (await attempted(anew, Act.DELETE)).state is ActState.DONE
    chat = await chat_of(sessions)
    assert (chat.is_active, chat.removed_at) == (True, None)


async def test_a_refusal_for_another_reason_leaves_the_rights_as_they_are(stage, attempted):
    bot, sessions, people = stage
    await people.post("clock", advance=3 * 86_400)
    row = await attempted(Rights(bot, sessions), Act.DELETE)
    assert "48 часов" in row.detail
    assert (await chat_of(sessions)).rights == BOTH
