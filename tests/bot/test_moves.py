"""Calls to a group that became a supergroup, of which the bot didn't hear."""

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramMigrateToChat

from bot.moves import Moves
from moderation import database, store
from moderation.tables import Chat
from sandbox import scene
from sandbox.client import Client
from sandbox.server import serve

GROUP = -4242


@pytest.fixture
async def stage(tmp_path):
    async with serve() as sandbox, aiohttp.ClientSession() as http:
        session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.url))
        people = Client(sandbox.url, http)
        members = [
            {"user_id": scene.OWNER_ID, "status": "creator"},
            {"user_id": scene.BOT_ID, "status": "administrator"},
        ]
        await people.post("chats", id=GROUP, type="group", title="Двор", members=members)
        async with (
            Bot(sandbox.token, session=session) as bot,
            database.opened(f"sqlite+aiosqlite:///{tmp_path}/bot.sqlite3") as sessions,
        ):
            session.middleware(Moves(sessions))
            async with sessions.begin() as transaction:
                await store.chat(transaction, GROUP, "Двор", "group")
            yield bot, sessions, people


async def test_the_call_is_repeated_in_the_supergroup_and_everything_follows(stage):
    bot, sessions, people = stage
    new = (await people.post("migrations", chat_id=GROUP))["chat"]["id"]
    sent = await bot.send_message(GROUP, "Здравствуйте")
    assert sent.chat.id == new
    async with sessions() as session:
        assert (await session.get_one(Chat, GROUP)).moved_to == new
        assert (await session.get_one(Chat, new)).title == "Двор"
    assert (await bot.send_message(GROUP, "Ещё раз")).chat.id == new


async def test_other_refusals_stay_what_they_are(stage):
    bot, _, _ = stage
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(-999, "Здравствуйте")


async def test_a_number_of_an_old_message_deletes_no_new_one(stage):
    bot, _, people = stage
    old = await bot.send_message(GROUP, "Старое")
    new = (await people.post("migrations", chat_id=GROUP))["chat"]["id"]
    for _ in range(3):
        await people.write(new, scene.OWNER_ID, "Новое")
    with pytest.raises(TelegramMigrateToChat):
        await bot.delete_message(GROUP, old.message_id)
    assert len(await people.messages(new, scene.OWNER_ID)) == 3
