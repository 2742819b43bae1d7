"""Deletions as real calls to the sandbox."""

import aiohttp
import pytest

from bot.deletions import delete
from bot.telegram import make_bot
from moderation.settings import Settings
from sandbox import scene
from sandbox.client import Client
from sandbox.server import serve

GROUP, MEMBER = scene.GROUP_ID, scene.MEMBER_A_ID


@pytest.fixture
async def stage():
    """A bot in the sandbox's scene, and the people."""
    async with serve() as sandbox, aiohttp.ClientSession() as http:
        settings = Settings(bot_token=sandbox.token, telegram_api_url=sandbox.url)
        async with make_bot(settings) as bot:
            yield bot, Client(sandbox.url, http)


async def calls(people):
    return [call["method"] for call in (await people.get("calls"))["calls"]]


async def may():
    return True


async def may_not():
    return False


async def test_a_single_message_goes_by_the_plain_call(stage):
    bot, people = stage
    message = await people.write(GROUP, MEMBER, "а")
    assert await delete(bot, GROUP, [message], may) == {message: None}
    assert await calls(people) == ["deleteMessage"]


async def test_many_go_in_hundreds_and_those_gone_already_count_as_deleted(stage):
    bot, people = stage
    written = [await people.write(GROUP, MEMBER, "а") for _ in range(3)]
    ids = [*written, *range(10_000, 10_247)]
    outcomes = await delete(bot, GROUP, [*ids, *written], may)
    assert set(outcomes) == set(ids)
    assert set(outcomes.values()) == {None}
    assert await calls(people) == ["deleteMessages"] * 3
    assert not {m["message_id"] for m in await people.messages(GROUP)} & set(written)


async def test_one_that_stays_keeps_no_other(stage):
    bot, people = stage
    old = await people.write(GROUP, MEMBER, "старое")
    await people.post("clock", advance=3 * 86_400)
    new = [await people.write(GROUP, MEMBER, "новое") for _ in range(15)]
    outcomes = await delete(bot, GROUP, [*new[:7], old, *new[7:]], may)
    assert {id_ for id_, error in outcomes.items() if error is None} == set(new)
    assert "can't be deleted" in str(outcomes[old])
    assert old in {m["message_id"] for m in await people.messages(GROUP)}
    assert len(await calls(people)) < 12


async def test_without_the_right_it_isnt_tried_one_by_one(stage):
    bot, people = stage
    at = {"chat_id": GROUP, "user_id": scene.BOT_ID}
    await people.post("members", **at, status="administrator", can_delete_messages=False)
    written = [await people.write(GROUP, MEMBER, "а") for _ in range(5)]
    outcomes = await delete(bot, GROUP, written, may_not)
    assert all(error is not None for error in outcomes.values())
    assert await calls(people) == ["deleteMessages"]


@pytest.mark.parametrize("kind", ["500", "502html", "drop_after_apply", "429"])
async def test_a_lost_answer_is_asked_for_again(stage, kind):
    bot, people = stage
    await people.post("faults", method="deleteMessages", kind=kind, count=1)
    written = [await people.write(GROUP, MEMBER, "а") for _ in range(2)]
    outcomes = await delete(bot, GROUP, written, may)
    assert set(outcomes.values()) == {None}
    assert await calls(people) == ["deleteMessages"] * 2
