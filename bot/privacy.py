"""/forget: what is stored about a person, and taking it away, in the database and on cards."""

import asyncio
from dataclasses import dataclass
from typing import Literal

import structlog
from aiogram import Bot, Router
from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNotFound,
)
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from bot import training
from bot.answers import answer
from bot.language import Language, language, of_person
from bot.places import in_private
from bot.telegram import describe, reason_of
from moderation import privacy, pruning, retention
from moderation.database import Sessions
from moderation.privacy import Forgotten, Kept, Shown
from moderation.settings import Settings

log = structlog.get_logger()
# Trying again would not help: the message or the chat is gone, or too old to be changed.
_FINAL = (TelegramBadRequest, TelegramForbiddenError, TelegramNotFound)


class Choice(CallbackData, prefix="forget"):
    """A button under what is stored about somebody."""

    user: int
    answer: Literal["yes", "no"]


@dataclass(frozen=True, slots=True)
class Hidden:
    """What became of the messages that showed somebody's words."""

    changed: int
    failed: int  # for good
    left: int  # to be tried again by `sweep`
    reason: str = ""  # why some are left


def router() -> Router:
    """The handlers of /forget, in private chat only."""
    requests = Router(name="privacy")
    requests.message.register(on_forget, Command("forget"), in_private)
    requests.callback_query.register(on_choice, Choice.filter())
    return requests


async def on_forget(message: Message, sessions: Sessions) -> None:
    """Say what is stored, and ask."""
    user = message.from_user
    if user is None:
        return
    words = of_person(user.language_code)
    async with sessions() as session:
        kept = await privacy.kept(session, user.id)
    if not (kept.messages or kept.reports or kept.strikes):
        await message.answer(words("privacy.nothing"))
        return
    await message.answer(account(words, kept), reply_markup=_buttons(words, user.id))


async def on_choice(
    query: CallbackQuery, callback_data: Choice, bot: Bot, sessions: Sessions
) -> None:
    """Forget whoever pressed, if the button is theirs: the data can be forged."""
    user = query.from_user
    words = of_person(user.language_code)
    if callback_data.user != user.id:
        log.info("press refused", user=user.id)
        await answer(query, words.plain("privacy.not_yours"), alert=True)
        return
    await answer(query)
    said = words("privacy.kept_all")
    if callback_data.answer == "yes":
        said = outcome(words, *await forget(bot, sessions, user.id))
    if query.message is not None:
        chat_id, message_id = query.message.chat.id, query.message.message_id
        try:
            await bot.edit_message_text(said, chat_id=chat_id, message_id=message_id)
        except AiogramError as error:
            log.info("outcome not shown", chat=chat_id, reason=describe(error))


async def forget(bot: Bot | None, sessions: Sessions, user_id: int) -> tuple[Forgotten, Hidden]:
    """Forget a person in all groups, then take their words off cards and quotes."""
    async with sessions.begin() as session:
        forgotten = await privacy.forget_person(session, user_id)
    log.info("person forgotten", cases=forgotten.cases, messages=forgotten.messages)
    return forgotten, await hide(bot, sessions, forgotten.shown)


async def hide(bot: Bot | None, sessions: Sessions, shown: tuple[Shown, ...]) -> Hidden:
    """Take the words off messages of the bot; at the first that may succeed later it stops."""
    changed = failed = 0
    for message in shown:
        at = {"case": message.case_id, "chat": message.chat_id, "message": message.message_id}
        try:
            if bot is None:
                return Hidden(changed, failed, len(shown) - changed - failed)
            await _change(bot, message)
            changed += 1
        except _FINAL as error:
            log.warning("words not hidden", reason=describe(error), **at)
            failed += 1
        except AiogramError as error:
            log.warning("words not hidden yet", reason=describe(error), **at)
            return Hidden(changed, failed, len(shown) - changed - failed, reason_of(error))
        async with sessions.begin() as session:
            await privacy.hidden(session, message)
    return Hidden(changed, failed, 0)


async def sweep(bot: Bot, sessions: Sessions, settings: Settings) -> None:
    """Let go what has had its time, and hide what could not be hidden before. Once an hour."""
    try:
        await asyncio.to_thread(pruning.forget_texts, training.runs_folder(settings))
        counts = await retention.expire_all(sessions, settings.label_days)
        if counts:
            log.info("expired", **counts)
        async with sessions() as session:
            shown = await privacy.shown(session)
        await hide(bot, sessions, shown)
    except (SQLAlchemyError, OSError) as error:
        log.warning("not expired", reason=describe(error))


def account(words: Language, kept: Kept) -> Markup:
    """What is stored about a person, in numbers."""
    lines = [words("privacy.kept", messages=kept.messages, cases=kept.cases, texts=kept.texts)]
    if kept.until:
        lines.append(words("privacy.until", day=words.on_day(kept.until)))
    if kept.reports:
        lines.append(words("privacy.reports", reports=kept.reports))
    if kept.strikes and kept.strikes_until:
        until = words.on_day(kept.strikes_until)
        lines.append(words("privacy.strikes", strikes=kept.strikes, day=until))
    return Markup("\n").join([*lines, Markup(""), words("privacy.ask")])


def outcome(words: Language, forgotten: Forgotten, hidden: Hidden) -> Markup:
    """What was forgotten, what stays and why."""
    lines = [words("privacy.forgotten", messages=forgotten.messages, cases=forgotten.cases)]
    if forgotten.reports:
        lines.append(words("privacy.reports_forgotten", reports=forgotten.reports))
    if hidden.failed:
        lines.append(words("privacy.failed", cards=hidden.failed))
    if hidden.left:
        lines.append(words("privacy.left", cards=hidden.left))
    lines += [Markup(""), words("privacy.stays")]
    if forgotten.strikes and forgotten.strikes_until:
        until = words.on_day(forgotten.strikes_until)
        lines.append(words("privacy.strikes_stay", strikes=forgotten.strikes, day=until))
    return Markup("\n").join(lines)


async def _change(bot: Bot, message: Shown) -> None:
    words = language(message.language)
    if message.act_id is not None:
        # A quote that the bot posted in the group in place of a wrongly deleted message.
        try:
            await bot.delete_message(message.chat_id, message.message_id)
            return
        except TelegramBadRequest as error:  # older than Telegram lets it delete
            log.info("quote not deleted", chat=message.chat_id, reason=describe(error))
    key = "privacy.card" if message.act_id is None else "privacy.quote"
    try:
        await bot.edit_message_text(
            words(key), chat_id=message.chat_id, message_id=message.message_id
        )
    except TelegramBadRequest as error:
        if "message is not modified" not in str(error):
            raise


def _buttons(words: Language, user_id: int) -> InlineKeyboardMarkup:
    row = [
        InlineKeyboardButton(
            text=words.plain(f"privacy.{answer}"),
            callback_data=Choice(user=user_id, answer=answer).pack(),
        )
        for answer in ("yes", "no")
    ]
    return InlineKeyboardMarkup(inline_keyboard=[row])
