"""Figures and scores on request: /stats and /check."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import texts
from bot.members import Members
from moderation import store
from moderation.batcher import Batcher
from moderation.columns import now
from moderation.database import Sessions
from moderation.policy import PRESETS, decide
from moderation.settings import Settings
from moderation.tables import Chat

HOURS = 24
CHECK_SECONDS = 30


def router() -> Router:
    """The handlers of /stats and /check."""
    figures = Router(name="stats")
    figures.message.register(on_stats, Command("stats"))
    figures.message.register(on_check, Command("check"), F.chat.type == "private")
    return figures


async def on_stats(
    message: Message, sessions: Sessions, members: Members, settings: Settings
) -> None:
    """The figures of this group, of the groups whose cards come here, or of all to an operator."""
    user_id = message.from_user.id if message.from_user else 0
    if message.chat.type == "private":
        if user_id not in settings.operator_ids:
            raise SkipHandler
        await _answer(message, sessions, None, texts.ALL_GROUPS)
        return
    if not await members.is_moderator(message.chat.id, user_id):
        raise SkipHandler
    async with sessions() as session:
        chats = await store.moderated_from(session, message.chat.id)
        if not chats and (own := await session.get(Chat, message.chat.id)):
            chats = [own]
    where = ", ".join(chat.title for chat in chats)
    await _answer(message, sessions, [chat.id for chat in chats], where)


async def _answer(
    message: Message, sessions: Sessions, scope: Sequence[int] | None, where: str
) -> None:
    async with sessions() as session:
        found = await store.figures(session, now() - timedelta(hours=HOURS), scope)
    await message.answer(texts.stats(found, where, HOURS))


async def on_check(message: Message, command: CommandObject, batcher: Batcher) -> None:
    """How the model sees a text."""
    if not command.args:
        await message.answer(texts.CHECK_USAGE)
        return
    async with asyncio.timeout(CHECK_SECONDS):
        found = await batcher.predict(command.args)
    policy = PRESETS["standard"]
    drawn, decided = texts.bars(found.scores, policy), decide(found.scores, policy)
    await message.answer(f"<pre>{drawn}</pre>{texts.decision(decided)}")
