"""Answers that don't clutter a group: seen by one person alone, or gone after a while."""

from datetime import timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramForbiddenError
from aiogram.types import CallbackQuery, EphemeralMessageParameters, InlineKeyboardMarkup, Message

from bot.language import Language, language, of_person
from bot.telegram import describe
from moderation import store
from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.tables import Chat, Note

log = structlog.get_logger()
NOTE_AGE = timedelta(seconds=90)
MOST_WORDS = 200  # characters of an answer to a press


async def whisper(
    message: Message,
    bot: Bot,
    sessions: Sessions,
    words: str,
    markup: InlineKeyboardMarkup | None = None,
) -> None:
    """Answer a command. In a group only the asker sees it, where the server can do that; else the
    answer removes itself, and the command with it."""
    if message.chat.type == "private":
        await message.answer(words, reply_markup=markup)
        return
    try:
        sent = await _ephemeral(message, bot, words, markup)
        if sent is None:
            sent = await message.answer(words, reply_markup=markup, disable_notification=True)
    except (TelegramBadRequest, TelegramForbiddenError) as error:
        # The bot may not write here; what stands after the command is judged all the same.
        log.info("command not answered", chat=message.chat.id, reason=describe(error))
        return
    ids = [id_ for id_ in (sent.message_id, message.message_id) if id_]
    async with sessions.begin() as session:
        for message_id in ids:
            await session.merge(
                Note(chat_id=message.chat.id, message_id=message_id, expires_at=now() + NOTE_AGE)
            )


async def answer(query: CallbackQuery, text: str | None = None, *, alert: bool = False) -> None:
    """Answer a press; too late to show is no failure, the press itself still counts."""
    try:
        await query.answer(text and text[:MOST_WORDS], show_alert=alert)
    except TelegramBadRequest as error:
        log.info("press not answered", reason=describe(error))


async def language_of(message: Message, sessions: Sessions) -> Language:
    """A group's language, or in private chat the person's."""
    if message.chat.type == "private":
        return of_person(message.from_user.language_code if message.from_user else None)
    async with sessions() as session:
        chat = await session.get(Chat, message.chat.id)
    return language(Preferences.of(chat.preferences if chat else {}).language)


async def sweep(bot: Bot, sessions: Sessions) -> None:
    """Remove the messages whose time is over; whatever comes of it, none is tried again."""
    async with sessions() as session:
        expired = await store.expired_notes(session)
    for note in expired:
        try:
            await bot.delete_message(note.chat_id, note.message_id)
        except AiogramError as error:
            log.info("note not removed", chat=note.chat_id, reason=describe(error))
        async with sessions.begin() as session:
            await session.delete(await session.merge(note))


async def _ephemeral(
    message: Message, bot: Bot, words: str, markup: InlineKeyboardMarkup | None
) -> Message | None:
    sender = message.from_user
    if sender is None or sender.is_bot:
        return None
    try:
        return await bot.send_message(
            message.chat.id,
            words,
            message_thread_id=message.message_thread_id if message.is_topic_message else None,
            receiver_user_id=sender.id,
            ephemeral_message_parameters=EphemeralMessageParameters(receiver_user_id=sender.id),
            reply_markup=markup,
            disable_notification=True,
        )
    except TelegramBadRequest as error:
        log.info("answer not ephemeral", chat=message.chat.id, reason=describe(error))
        return None
