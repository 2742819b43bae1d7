"""The case card in the moderators' chat: its buttons, posting and refreshing it."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from pydantic import Field

from bot import enforce
from bot.card import card
from bot.language import Language, language
from bot.telegram import UNHEARD, GetRawAdministrators, describe, reason_of
from moderation import people, sanctions, store
from moderation.categories import TOXIC
from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.states import Act, ActState, Origin, PersonDecision, Verdict
from moderation.tables import Case, Chat, Enforcement, Report

log = structlog.get_logger()

# Callback data can be forged, and a larger number is no key of the database.
Id = Annotated[int, Field(gt=-(2**63), lt=2**63)]


class Press(CallbackData, prefix="c"):
    """A button of a card. All it needs is in it, so it works after a restart and on old cards."""

    case: Id
    button: Literal["right", "clean", "fix", "done", "block"]  # fix opens the switches, flips one
    chosen: int = Field(default=0, ge=0, lt=32)  # a bit for each toxic category


class PersonPress(CallbackData, prefix="a"):
    """A button of a card that decides about the author."""

    case: Id
    decision: PersonDecision


async def post(
    bot: Bot, sessions: Sessions, case: Case, pressed: Iterable[tuple[int, int]] = ()
) -> None:
    """Show a case to its moderators, or its new state if there is a card already. Raises if
    Telegram can't be reached or asks to wait, also where nobody knows whether a new card arrived:
    two of one case do no harm, none would.

    `pressed` are the (chat, message) of cards whose buttons were pressed, one of two perhaps.
    """
    async with sessions() as session:
        case = await session.get_one(Case, case.id)
        chat = await session.get_one(Chat, case.chat_id)
        acts = await sanctions.enforcements(session, case.id)
        history = await people.history(session, chat.id, case.prediction.user_id, now())
        reports = await people.reports(session, case.id)
    preferences = Preferences.of(chat.preferences)
    words = language(preferences.language)
    shown = card(
        words, case, chat, preferences.policy(now()), acts, history, reports,
        _link(case, chat, acts),
    )  # fmt: skip
    markup = keyboard(words, case, chat, enforce.follows(case, acts, preferences), reports)
    known = (case.card_chat_id, case.card_message_id)
    cards = {at for at in (known, *pressed) if at[0] and at[1]}
    for chat_id, message_id in cards:
        await edit(bot, chat_id, message_id, markup, shown, through=UNHEARD)
    forgotten = case.prediction.user_id == 0 and not case.text  # its card was hidden for good
    if not cards and not forgotten and (case.origin is not Origin.AUDIT or reports):
        await _send(bot, sessions, case, chat, shown, markup)


async def edit(
    bot: Bot,
    chat_id: int | None,
    message_id: int | None,
    markup: InlineKeyboardMarkup | None,
    words: str | None = None,
    through: tuple[type[AiogramError], ...] = (),
) -> None:
    """Change a card, or only its buttons. A card that is gone is no failure; nor is anything else
    save for the errors that are let `through`."""
    try:
        if words is None:
            await bot.edit_message_reply_markup(
                chat_id=chat_id, message_id=message_id, reply_markup=markup
            )
        else:
            await bot.edit_message_text(
                words, chat_id=chat_id, message_id=message_id, reply_markup=markup
            )
    except through:
        raise
    except AiogramError as error:
        log.warning("card not changed", chat=chat_id, card=message_id, reason=describe(error))


def keyboard(
    words: Language,
    case: Case,
    chat: Chat,
    follows: Sequence[Act] = (),
    reports: Sequence[Report] = (),
) -> InlineKeyboardMarkup | None:
    """The buttons that are open: about the text, then about its author, then forgiving him."""
    rows: list[list[tuple[str, CallbackData]]] = []
    if case.verdict is None:
        rows = _text_rows(words, case, follows)
    elif case.verdict is not Verdict.CLEAN and case.prediction.user_id != 0:
        rows = _person_rows(words, case, chat)
    if reports and case.verdict in (None, Verdict.CLEAN):
        block = Press(case=case.id, button="block")
        rows.append([(words.plain("button.block_reporter"), block)])
    return _markup(rows) if rows else None


def switches(words: Language, case_id: int, chosen: int) -> InlineKeyboardMarkup:
    """The five categories as switches, and «Готово»."""
    rows: list[list[tuple[str, CallbackData]]] = []
    for i, category in enumerate(TOXIC):
        mark = "☑️" if chosen & 1 << i else "▫️"
        flipped = Press(case=case_id, button="fix", chosen=chosen ^ 1 << i)
        rows.append([(f"{mark} {words.category(category)}", flipped)])
    done = Press(case=case_id, button="done", chosen=chosen)
    rows.append([(words.plain("button.done"), done)])
    return _markup(rows)


def mask(categories: Iterable[str]) -> int:
    """A bit for each toxic category that is named."""
    return sum(1 << i for i, category in enumerate(TOXIC) if category in categories)


def _text_rows(
    words: Language, case: Case, follows: Sequence[Act]
) -> list[list[tuple[str, CallbackData]]]:
    clean = Press(case=case.id, button="clean")
    fix = Press(case=case.id, button="fix", chosen=mask(case.flagged))
    rows: list[list[tuple[str, CallbackData]]] = [
        [(words.plain("button.clean"), clean), (words.plain("button.fix"), fix)]
    ]
    if case.flagged:  # else there is no claim to confirm
        leads = next((act for act in follows if act in (Act.DELETE, Act.NOTICE)), None)
        key = f"button.right_{leads.value}" if leads else "button.right"
        rows.insert(0, [(words.plain(key), Press(case=case.id, button="right"))])
    return rows


def _person_rows(words: Language, case: Case, chat: Chat) -> list[list[tuple[str, CallbackData]]]:
    def button(decision: PersonDecision) -> tuple[str, CallbackData]:
        pressed = PersonPress(case=case.id, decision=decision)
        return words.plain(f"button.{decision.value}"), pressed

    if case.person is PersonDecision.FORGIVE:
        return []
    if case.person is not None:
        return [[button(PersonDecision.FORGIVE)]]
    harder = [PersonDecision.BAN]
    if case.prediction.user_id > 0 and chat.kind == "supergroup":  # nobody else can be muted
        harder = [PersonDecision.MUTE_HOUR, PersonDecision.MUTE_DAY, PersonDecision.BAN]
    return [
        [button(PersonDecision.WARN), button(PersonDecision.FORGIVE)],
        [button(decision) for decision in harder],
    ]


async def _send(
    bot: Bot,
    sessions: Sessions,
    case: Case,
    chat: Chat,
    words: str,
    markup: InlineKeyboardMarkup | None,
) -> None:
    """To the moderators' chat, or until there is one to the owner; where nobody can be reached, the
    group's /status tells why."""
    sent, error = None, "nobody"
    for target in (chat.modchat_id, await _owner(bot, chat) if not chat.modchat_id else None):
        if target is None:
            continue
        try:
            sent = await bot.send_message(target, words, reply_markup=markup)
            break
        except UNHEARD:
            raise
        except AiogramError as failure:
            error = reason_of(failure)
    if sent is None:
        log.warning("card not posted", case=case.id, chat=case.chat_id, reason=error)
    async with sessions.begin() as session:
        if sent is None:
            await store.remember_card(session, case, None, None, error)
        else:
            await store.remember_card(session, case, sent.chat.id, sent.message_id, None)


async def _owner(bot: Bot, chat: Chat) -> int | None:
    """Who added the bot if that is an administrator still, else the group's creator: cards hold
    what was deleted, and are for those who moderate."""
    try:
        members = await bot(GetRawAdministrators(chat_id=chat.id))
    except UNHEARD:
        raise
    except AiogramError as error:
        log.info("administrators unknown", chat=chat.id, reason=describe(error))
        return None
    by_id = {member["user"]["id"]: member["status"] for member in members}
    if chat.owner_id in by_id:
        return chat.owner_id
    return next((user_id for user_id, status in by_id.items() if status == "creator"), None)


def _link(case: Case, chat: Chat, acts: Iterable[Enforcement]) -> str | None:
    """The address of the message, while it stands in a chat that has addresses."""
    gone = any(act.act is Act.DELETE and act.state is ActState.DONE for act in acts)
    if gone or chat.kind != "supergroup" or case.prediction.message_id <= 0:
        return None
    topic = f"/{case.thread_id}" if case.thread_id else ""
    return f"https://t.me/c/{str(case.chat_id)[4:]}{topic}/{case.prediction.message_id}"


def _markup(rows: Sequence[Sequence[tuple[str, CallbackData]]]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=text, callback_data=press.pack()) for text, press in row]
            for row in rows
        ]
    )
