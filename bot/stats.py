"""Figures and scores on request: /stats with its picture and buttons, and /check."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from aiogram import Bot, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.exceptions import AiogramError
from aiogram.filters import Command, CommandObject
from aiogram.filters.callback_data import CallbackData
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
)
from aiogram.types import Chat as TelegramChat
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from bot import card, stats_words
from bot.answers import answer, language_of, whisper
from bot.chats import is_moderator
from bot.language import Language, language, of_person
from bot.members import Members
from bot.places import in_private
from bot.review import Id
from bot.telegram import describe
from moderation import groups
from moderation.batcher import Batcher
from moderation.columns import now
from moderation.database import Sessions
from moderation.figures import Figures, Period, figures
from moderation.policy import PRESETS, decide
from moderation.preferences import Preferences
from moderation.quality import Quality, measured, quality
from moderation.settings import Settings
from moderation.tables import Chat

log = structlog.get_logger()
CHECK_SECONDS = 30
EVERYWHERE = 0  # the scope of operators, in their private chat


class View(StrEnum):
    """What the figures are about."""

    DAYS = "days"
    QUALITY = "quality"


class Press(CallbackData, prefix="st"):
    """A button of the figures. All it needs is in it, so it works after a restart."""

    scope: Id  # the chat that asked, or EVERYWHERE
    view: View
    period: Period


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown: the words, and the picture unless it could not be drawn."""

    words: Markup
    picture: bytes | None
    markup: InlineKeyboardMarkup


def router() -> Router:
    """The handlers of /stats and its buttons, and of /check."""
    found = Router(name="stats")
    found.message.register(on_stats, Command("stats"))
    found.message.register(on_check, Command("check"), in_private)
    found.message.register(on_check_elsewhere, Command("check"))
    found.callback_query.register(on_press, Press.filter())
    return found


async def on_stats(
    message: Message, sessions: Sessions, members: Members, settings: Settings
) -> None:
    """The figures of this group, of the groups whose cards come here, or of all to an operator."""
    scope, person = message.chat.id, of_person(_code(message))
    if message.chat.type == "private":
        if message.chat.id not in settings.operator_ids:
            await message.answer(person("stats.where"))
            return
        scope = EVERYWHERE
    elif not await is_moderator(message, members):
        raise SkipHandler
    page = await _page(sessions, Press(scope=scope, view=View.DAYS, period=Period.DAY), person)
    if page.picture is not None:
        picture = BufferedInputFile(page.picture, "stats.png")
        try:
            await message.answer_photo(picture, caption=page.words, reply_markup=page.markup)
            return
        except AiogramError as error:  # photos may be forbidden to the bot
            log.info("picture not sent", chat=message.chat.id, reason=describe(error))
    await message.answer(page.words, reply_markup=page.markup)


async def on_press(
    query: CallbackQuery,
    callback_data: Press,
    bot: Bot,
    sessions: Sessions,
    members: Members,
    settings: Settings,
) -> None:
    """Show another period or view to who may see it. The data can be forged: figures stand only
    in the chat that they are for."""
    user, press, shown = query.from_user, callback_data, query.message
    words = of_person(user.language_code)
    if shown is None or press.scope != _scope_of(shown.chat):
        await answer(query, words.plain("stats.stale"), alert=True)
        return
    if press.scope == EVERYWHERE:
        allowed = user.id in settings.operator_ids
    else:
        allowed = await members.is_moderator(press.scope, user.id)
    if not allowed:
        log.info("press refused", chat=press.scope, user=user.id)
        await answer(query, words.plain("stats.only_moderators"), alert=True)
        return
    await answer(query)
    has_picture = isinstance(shown, Message) and bool(shown.photo)
    page = await _page(sessions, press, words)
    await _show(bot, shown.chat.id, shown.message_id, page, has_picture=has_picture)


async def on_check_elsewhere(message: Message, bot: Bot, sessions: Sessions) -> None:
    """A group is no place to try words out."""
    words = await language_of(message, sessions)
    await whisper(message, bot, sessions, words("stats.check_private"))
    raise SkipHandler  # what stands after the command is judged as any other words


async def on_check(message: Message, command: CommandObject, batcher: Batcher) -> None:
    """How the model sees a text."""
    words = of_person(_code(message))
    if not command.args:
        await message.answer(words("stats.check_usage"))
        return
    async with asyncio.timeout(CHECK_SECONDS):
        found = await batcher.predict(command.args)
    policy = PRESETS["standard"]
    drawn = card.bars(words, found.scores, policy)
    decided = card.decision(words, decide(found.scores, policy))
    await message.answer(Markup("<pre>{}</pre>{}").format(drawn, decided))


async def _show(bot: Bot, chat_id: int, message_id: int, page: Page, *, has_picture: bool) -> None:
    """Change the message; where the picture can't be, at least its words."""
    at: dict[str, Any] = {"chat_id": chat_id, "message_id": message_id, "reply_markup": page.markup}
    if page.picture is not None:
        picture = BufferedInputFile(page.picture, "stats.png")
        try:
            await bot.edit_message_media(InputMediaPhoto(media=picture, caption=page.words), **at)
            return
        except AiogramError as error:
            log.info("picture not changed", chat=chat_id, reason=describe(error))
    try:
        if has_picture:
            await bot.edit_message_caption(caption=page.words, **at)
        else:
            await bot.edit_message_text(page.words, **at)
    except AiogramError as error:  # the message is gone, or says all that already
        log.info("figures not changed", chat=chat_id, reason=describe(error))


async def _page(sessions: Sessions, press: Press, person: Language) -> Page:
    """The figures in the language of the groups, or of the operator who asks for all."""
    async with sessions() as session:
        chats = await _chats(session, press.scope)
        ids = None if chats is None else [chat.id for chat in chats]
        found: Figures | Quality
        if press.view is View.DAYS:
            found = await figures(session, ids, press.period, now())
        else:
            found = await quality(session, ids, press.period.starts(now())[0])
    words = language(Preferences.of(chats[0].preferences).language) if chats else person
    return await asyncio.to_thread(_made, found, words, stats_words.where(words, chats), press)


def _made(found: Figures | Quality, words: Language, place: str, press: Press) -> Page:
    """In a thread of its own, for estimates and pictures take their time."""
    markup = _buttons(words, press)
    if isinstance(found, Figures):
        said = stats_words.days(words, found, place)
        return Page(said, _picture(lambda charts: charts.days(found, words)), markup)
    known = measured(found)
    said = stats_words.quality(words, known, place, press.period)
    return Page(said, _picture(lambda charts: charts.quality(known, words, press.period)), markup)


def _picture(draw: Callable[[Any], bytes]) -> bytes | None:
    try:
        from bot import charts  # its library costs a second and memory, and not every bot is asked

        return draw(charts)
    except Exception as error:  # whatever it is, the words are worth more than the picture
        log.warning("picture not drawn", reason=describe(error))
        return None


async def _chats(session: AsyncSession, scope: int) -> Sequence[Chat] | None:
    """The groups of a scope: those whose cards come to the chat, or else the chat itself."""
    if scope == EVERYWHERE:
        return None
    own = await session.get(Chat, scope)
    return await groups.sharing(session, scope) or ([own] if own else [])


def _scope_of(chat: TelegramChat) -> int:
    return EVERYWHERE if chat.type == "private" else chat.id


def _buttons(words: Language, now_shown: Press) -> InlineKeyboardMarkup:
    """The periods and the views, those that are shown marked."""

    def button(key: str, press: Press) -> InlineKeyboardButton:
        title = words.plain(key)
        if press == now_shown or (press.view, key) == (now_shown.view, f"stats.view.{press.view}"):
            title = words.plain("stats.chosen", title=title)
        return InlineKeyboardButton(text=title, callback_data=press.pack())

    scope, view, period = now_shown.scope, now_shown.view, now_shown.period
    # Quality needs many verdicts, which a day hardly has.
    long = Period.MONTH if view is View.DAYS else period
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [
                button(f"stats.period.{each}", Press(scope=scope, view=view, period=each))
                for each in Period
            ],
            [
                button("stats.view.days", Press(scope=scope, view=View.DAYS, period=period)),
                button("stats.view.quality", Press(scope=scope, view=View.QUALITY, period=long)),
            ],
        ]
    )


def _code(message: Message) -> str | None:
    return message.from_user.language_code if message.from_user else None
