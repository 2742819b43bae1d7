import asyncio
import shutil

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.telegram import GetRawUpdates
from moderation import database
from moderation.categories import Category
from moderation.columns import now
from moderation.policy import Action
from moderation.states import Origin
from moderation.tables import Case, Prediction
from sandbox.client import Client
from sandbox.scene import OWNER_ID
from sandbox.server import serve


@pytest.fixture
async def bot():
    """A bot that talks to nobody: the port is closed."""
    session = AiohttpSession(api=TelegramAPIServer.from_base("http://127.0.0.1:9"))
    async with Bot("1:" + "a" * 35, session=session) as made:
        yield made


@pytest.fixture
def case():
    prediction = Prediction(
        id=1,
        chat_id=-1001,
        message_id=7,
        revision=0,
        user_id=5,
        field="text",
        model_version="v1",
        scores={c.value: 0.1 for c in Category} | {"insult": 0.97},
        action=Action.DELETE,
        category=Category.INSULT,
        score=0.97,
        threshold=0.85,
    )
    return Case(
        id=1, chat_id=-1001, user_name="<b>Имя</b>", text="a < b & c", flagged=["insult"],
        origin=Origin.DECISION,
        prediction=prediction, prediction_id=1, created_at=now(),
    )  # fmt: skip


@pytest.fixture
async def sandbox():
    """A Telegram of the test's own, in this process."""
    async with serve() as found:
        yield found


@pytest.fixture
async def sandbox_bot(sandbox):
    """A bot that talks to the sandbox."""
    api = TelegramAPIServer.from_base(sandbox.url.rstrip("/"))
    async with Bot(sandbox.token, session=AiohttpSession(api=api)) as made:
        yield made


@pytest.fixture
async def people(sandbox, sandbox_bot):
    """What people do in the sandbox; nothing of its beginning waits for the bot."""
    found = Client(sandbox.url, await sandbox_bot.session.create_session())
    await found.write(OWNER_ID, OWNER_ID, "/start")
    waiting = await sandbox_bot(GetRawUpdates(limit=100))
    await sandbox_bot(GetRawUpdates(offset=waiting[-1]["update_id"] + 1))
    return found


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A database file whose tables are made, to be copied: making them takes a second."""
    path = tmp_path_factory.mktemp("database") / "empty.sqlite3"

    async def make():
        async with database.opened(f"sqlite+aiosqlite:///{path}"):
            pass

    asyncio.run(make())
    return path


@pytest.fixture
async def sessions(empty_database, tmp_path):
    """Those of an empty SQLite database."""
    path = shutil.copy(empty_database, tmp_path / "bot.sqlite3")
    async with database.opened(f"sqlite+aiosqlite:///{path}") as found:
        yield found
