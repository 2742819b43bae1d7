"""The case card in the moderators' chat: its words, its buttons, posting and refreshing it."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from pydantic import Field

from bot import enforce, texts
from moderation import store
from moderation.categories import TOXIC
from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.states import Act, ActState
from moderation.tables import Case, Chat, Enforcement

log = structlog.get_logger()
_LEADS_TO = {Act.DELETE: "удалить", Act.NOTICE: "предупредить"}


# Callback data can be forged, and a larger number is no key of the database.
Id = Annotated[int, Field(gt=-(2**63), lt=2**63)]


class Press(CallbackData, prefix="c"):
    """A button of a card. All it needs is in it, so it works after a restart and on old cards."""

    case: Id
    button: Literal["right", "clean", "fix", "done"]  # fix opens the switches, or flips one
    chosen: int = 0  # a bit for each toxic category


async def post(
    bot: Bot, sessions: Sessions, case: Case, pressed: tuple[int, int] | None = None
) -> None:
    """Show a case to its moderators, or its new state if there is a card already.

    `pressed` is the (chat, message) of a card whose button was pressed: after a crash there can
    be two of one case.
    """
    async with sessions() as session:
        chat = await session.get_one(Chat, case.chat_id)
        acts = await store.enforcements(session, case.id)
    policy = Preferences.of(chat.preferences).policy(now())
    words = texts.card(case, chat, policy, acts, _link(case, chat, acts))
    markup = keyboard(case, enforce.follows(case, acts, policy))
    known = (case.card_chat_id, case.card_message_id)
    cards = {at for at in (known, pressed) if at and at[0] and at[1]}
    for chat_id, message_id in cards:
        await edit(bot, chat_id, message_id, markup, words)
    if not cards:
        await _send(bot, sessions, case, chat, words, markup)


async def edit(
    bot: Bot,
    chat_id: int | None,
    message_id: int | None,
    markup: InlineKeyboardMarkup | None,
    words: str | None = None,
) -> None:
    """Change a card, or only its buttons. A card that is gone or the same already is no failure."""
    try:
        if words is None:
            await bot.edit_message_reply_markup(
                chat_id=chat_id, message_id=message_id, reply_markup=markup
            )
        else:
            await bot.edit_message_text(
                words, chat_id=chat_id, message_id=message_id, reply_markup=markup
            )
    except TelegramBadRequest as error:
        if "message is not modified" not in str(error):
            log.warning("card not changed", chat=chat_id, card=message_id, reason=str(error))
    except AiogramError as error:
        log.warning("card not changed", chat=chat_id, card=message_id, reason=str(error))


def keyboard(case: Case, follows: Sequence[Act]) -> InlineKeyboardMarkup | None:
    """The buttons of an open case, «Верно» with what it leads to; none once it is decided."""
    if case.verdict:
        return None
    right = "✅ Верно" + next((f", {_LEADS_TO[act]}" for act in follows if act in _LEADS_TO), "")
    clean = Press(case=case.id, button="clean")
    fix = Press(case=case.id, button="fix", chosen=mask(case.flagged))
    return _markup(
        [
            [(right, Press(case=case.id, button="right"))],
            [("🕊 Не токсично", clean), ("✏️ Исправить", fix)],
        ]
    )


def switches(case_id: int, chosen: int) -> InlineKeyboardMarkup:
    """The five categories as switches, and «Готово»."""
    rows = []
    for i, category in enumerate(TOXIC):
        mark = "☑️" if chosen & 1 << i else "▫️"
        flipped = Press(case=case_id, button="fix", chosen=chosen ^ 1 << i)
        rows.append([(f"{mark} {texts.title(category)}", flipped)])
    rows.append([("Готово", Press(case=case_id, button="done", chosen=chosen))])
    return _markup(rows)


def mask(categories: Iterable[str]) -> int:
    """A bit for each toxic category that is named."""
    return sum(1 << i for i, category in enumerate(TOXIC) if category in categories)


async def _send(
    bot: Bot,
    sessions: Sessions,
    case: Case,
    chat: Chat,
    words: str,
    markup: InlineKeyboardMarkup | None,
) -> None:
    target = chat.modchat_id or chat.owner_id
    sent = None
    error: str | None = None
    try:
        if target is None:
            raise LookupError(texts.NOBODY_TO_TELL)
        sent = await bot.send_message(target, words, reply_markup=markup)
    except (AiogramError, LookupError) as failure:
        error = str(failure)
        log.warning("card not posted", case=case.id, chat=case.chat_id, reason=error)
    async with sessions.begin() as session:
        await store.remember_card(
            session, case, sent.chat.id if sent else None, sent.message_id if sent else None, error
        )


def _link(case: Case, chat: Chat, acts: Iterable[Enforcement]) -> str | None:
    """The address of the message, while it stands in a chat that has addresses."""
    gone = any(act.act is Act.DELETE and act.state is ActState.DONE for act in acts)
    if gone or chat.kind != "supergroup":
        return None
    topic = f"/{case.thread_id}" if case.thread_id else ""
    return f"https://t.me/c/{str(case.chat_id)[4:]}{topic}/{case.prediction.message_id}"


def _markup(rows: list[list[tuple[str, Press]]]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=text, callback_data=press.pack()) for text, press in row]
            for row in rows
        ]
    )
