"""What is well and what is not, one line each, with what to do."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramUnauthorizedError
from aiogram.utils.token import TokenValidationError

from bot.app import load
from bot.language import language
from bot.members import NEEDED_RIGHTS, Members, rights_of
from bot.telegram import make_bot
from moderation import database, store
from moderation.classifier import ModelError, score_texts
from moderation.database import DatabaseError, Sessions
from moderation.settings import Settings
from moderation.states import UpdateState
from moderation.tables import Chat

CANARY = "Ты идиот, заткнись"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor."""

    is_well: bool
    words: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Everything the bot needs, in the order in which it needs it."""
    yield await asyncio.to_thread(_model, settings)
    try:
        bot = make_bot(settings)
    except TokenValidationError:
        yield Finding(False, _say("doctor.token_malformed"))
        return
    try:
        yield await _token(bot)
        async with database.opened(settings.database_url) as sessions:
            yield Finding(True, _say("doctor.database"))
            async for finding in _updates(sessions):
                yield finding
            async for finding in _chats(bot, sessions):
                yield finding
    except DatabaseError as error:
        yield Finding(False, _say("doctor.database_failed", error=error))
    finally:
        await bot.session.close()


def _model(settings: Settings) -> Finding:
    try:
        classifier = load(settings)
        scores = score_texts(classifier, [CANARY])[0]
    except (ModelError, ValueError) as error:
        return Finding(False, _say("doctor.model_failed", error=error))
    found = max(scores, key=lambda category: scores[category])
    return Finding(
        True,
        _say(
            "doctor.model",
            version=classifier.version,
            device=classifier.device,
            category=language("ru").category(found).lower(),
            score=language("ru").decimal(scores[found]),
        ),
    )


async def _token(bot: Bot) -> Finding:
    try:
        me = await bot.me()
    except TelegramUnauthorizedError:
        return Finding(False, _say("doctor.token_refused"))
    except AiogramError as error:
        return Finding(False, _say("doctor.telegram", error=error))
    return Finding(True, _say("doctor.token", name=me.username))


async def _updates(sessions: Sessions) -> AsyncIterator[Finding]:
    async with sessions() as session:
        pending = await store.count_updates(session, UpdateState.PENDING)
        quarantined = await store.count_updates(session, UpdateState.QUARANTINED)
    yield Finding(True, _say("doctor.queue", n=pending))
    if quarantined:
        yield Finding(
            False,
            _say("doctor.quarantine", n=quarantined),
        )


async def _chats(bot: Bot, sessions: Sessions) -> AsyncIterator[Finding]:
    async with sessions() as session:
        chats = await store.chats(session)
        modchats = {chat.modchat_id for chat in chats}
    members = Members(bot)
    for chat in chats:
        if chat.id not in modchats:
            yield await _chat(bot, members, chat)


async def _chat(bot: Bot, members: Members, chat: Chat) -> Finding:
    try:
        rights = rights_of(await members.member(chat.id, bot.id))
    except AiogramError as error:
        return Finding(False, _say("doctor.group_error", title=chat.title, error=error))
    if rights is None:
        return Finding(False, _say("doctor.group_left", title=chat.title))
    missing = [_say(f"right.{right}") for right in NEEDED_RIGHTS if right not in rights]
    if missing:
        return Finding(
            False, _say("doctor.group_rights", title=chat.title, missing=", ".join(missing))
        )
    if chat.card_error:
        return Finding(False, _say("doctor.group_cards", title=chat.title, error=chat.card_error))
    return Finding(True, _say("doctor.group", title=chat.title))


def _say(key: str, **values: object) -> str:
    return language("ru").plain(key, **values)
