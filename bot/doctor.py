"""What is well and what is not, one line each, with what to do."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramUnauthorizedError
from aiogram.utils.token import TokenValidationError

from bot import texts
from bot.app import load
from bot.members import Members, rights_of
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
        yield Finding(False, "токен: BOT_TOKEN пуст или с ошибкой; возьмите его у @BotFather")
        return
    try:
        yield await _token(bot)
        async with database.opened(settings.database_url) as sessions:
            yield Finding(True, "база: открыта, таблицы свежие")
            async for finding in _updates(sessions):
                yield finding
            async for finding in _chats(bot, sessions):
                yield finding
    except DatabaseError as error:
        yield Finding(False, f"база: {error}")
    finally:
        await bot.session.close()


def _model(settings: Settings) -> Finding:
    try:
        classifier = load(settings)
        scores = score_texts(classifier, [CANARY])[0]
    except (ModelError, ValueError) as error:
        return Finding(False, f"модель: {error}")
    found = max(scores, key=lambda category: scores[category])
    return Finding(
        True,
        f"модель: {classifier.version}, {classifier.device}; "
        f"проверочная фраза — {texts.title(found).lower()} {scores[found]:.2f}",
    )


async def _token(bot: Bot) -> Finding:
    try:
        me = await bot.me()
    except TelegramUnauthorizedError:
        return Finding(False, "токен: Telegram его не принимает; возьмите новый у @BotFather")
    except AiogramError as error:
        return Finding(False, f"Telegram: не отвечает ({error}); проверьте сеть и TELEGRAM_API_URL")
    return Finding(True, f"токен: @{me.username}")


async def _updates(sessions: Sessions) -> AsyncIterator[Finding]:
    async with sessions() as session:
        pending = await store.count_updates(session, UpdateState.PENDING)
        quarantined = await store.count_updates(session, UpdateState.QUARANTINED)
    yield Finding(True, f"очередь: ждут обработки {pending}")
    if quarantined:
        yield Finding(
            False,
            f"карантин: {quarantined} обновлений обработать не удалось; "
            "причины — в таблице inbox_update, столбец error",
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
        return Finding(False, f"группа «{chat.title}»: {error}")
    if rights is None:
        return Finding(False, f"группа «{chat.title}»: бота там нет")
    missing = [title for right, title in texts.RIGHT_TITLES.items() if right not in rights]
    if missing:
        return Finding(False, f"группа «{chat.title}»: нет права {', '.join(missing)}")
    if chat.card_error:
        return Finding(False, f"группа «{chat.title}»: карточки не доходят ({chat.card_error})")
    return Finding(True, f"группа «{chat.title}»: права есть")
