"""The bot's handlers in one process, with real SQLite, against a sandbox over HTTP."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.moderate import score
from bot.outbox import Outbox
from bot.routing import make_dispatcher
from moderation import database
from moderation.batcher import Batcher
from moderation.categories import Category
from moderation.classifier import Piece
from moderation.database import Sessions
from moderation.settings import Settings
from sandbox import server
from sandbox.telegram import Telegram


class Words:
    """A classifier that knows one insult, so that what follows from scores can be told."""

    version = "words"
    categories = tuple(Category)

    def encode(self, text):
        return [Piece((0,), text[:10_000])]

    def score(self, batch):
        rows = np.full((len(batch), len(self.categories)), 0.01)
        column = self.categories.index(Category.INSULT)
        rows[:, column] = [0.97 if "идиот" in piece.text.lower() else 0.01 for piece in batch]
        return rows


@dataclass
class House:
    """Handles updates as the bot does."""

    telegram: Telegram
    bot: Bot
    sessions: Sessions
    batcher: Batcher
    outbox: Outbox
    dispatcher: Dispatcher

    async def handle(self, update):
        """One decoded update, its scores first."""
        scored = await score(update, self.batcher)
        await self.dispatcher.feed_update(self.bot, update, scored=scored)


@contextlib.asynccontextmanager
async def house(folder: Path, *, acts: bool = False, **settings) -> AsyncIterator[House]:
    """A house whose outbox only writes down what is to be done, unless it `acts`."""
    logging.getLogger("aiogram").setLevel(logging.CRITICAL)
    async with contextlib.AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(server.serve())
        session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.url))
        bot = await stack.enter_async_context(Bot(sandbox.token, session=session))
        url = f"sqlite+aiosqlite:///{folder}/house.sqlite3"
        sessions = await stack.enter_async_context(database.opened(url))
        batcher = Batcher(Words())
        outbox = Outbox(bot, sessions, batcher)
        known = Settings(bot_token=sandbox.token, telegram_api_url=sandbox.url, **settings)
        dispatcher = make_dispatcher(bot, sessions, batcher, outbox, known)
        tasks = [asyncio.create_task(batcher.run())]
        if acts:
            tasks.append(asyncio.create_task(outbox.run()))
        try:
            yield House(sandbox.telegram, bot, sessions, batcher, outbox, dispatcher)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
