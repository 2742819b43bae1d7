import asyncio
import shutil

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from moderation import database
from moderation.categories import Category
from moderation.columns import now
from moderation.policy import Action
from moderation.states import Origin
from moderation.tables import Case, Prediction


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
