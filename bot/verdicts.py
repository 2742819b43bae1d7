"""A press on a card: who may, what it says about the text, and what follows from it."""

from collections.abc import Mapping

import structlog
from aiogram import Bot, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import CallbackQuery

from bot import enforce, review, texts
from bot.members import Members
from bot.review import Press
from moderation import store
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.states import Verdict
from moderation.tables import Case, Chat

log = structlog.get_logger()


def router() -> Router:
    """The handler of the cards' buttons."""
    presses = Router(name="verdicts")
    presses.callback_query.register(on_press, Press.filter())
    return presses


async def on_press(
    query: CallbackQuery, callback_data: Press, bot: Bot, sessions: Sessions, members: Members
) -> None:
    """Authorise, then claim, then act, then show. The data can be forged: only the case's own
    chat says who may decide."""
    async with sessions() as session:
        case = await session.get(Case, callback_data.case)
        chat = await session.get(Chat, case.chat_id) if case else None
    if case is None or chat is None:
        await _answer(query, texts.GONE)
    elif not await members.is_moderator(chat.id, query.from_user.id):
        log.info("press refused", case=case.id, user=query.from_user.id)
        await _answer(query, texts.ONLY_MODERATORS.format(title=chat.title), alert=True)
    elif callback_data.button == "fix" and case.verdict is None:
        await _answer(query)
        pressed = _pressed(query)
        if pressed:
            await review.edit(bot, *pressed, review.switches(case.id, callback_data.chosen))
    else:
        await _resolve(query, callback_data, bot, sessions, case, chat)


def judge(press: Press, case: Case) -> tuple[Verdict, dict[Category, int | None]]:
    """The verdict of a press, and what it says about each category.

    «Верно» speaks only of what the card claims, so the other categories stay unknown.
    """
    vector: dict[Category, int | None]
    if press.button == "right":
        vector = dict.fromkeys(TOXIC)
        vector |= {Category(name): 1 for name in case.flagged}
        return Verdict.CONFIRMED, {**vector, Category.NON_TOXIC: 0}
    chosen = press.chosen if press.button == "done" else 0
    vector = {category: chosen >> i & 1 for i, category in enumerate(TOXIC)}
    toxic = any(vector.values())
    return (
        Verdict.CORRECTED if toxic else Verdict.CLEAN,
        {**vector, Category.NON_TOXIC: int(not toxic)},
    )


async def _resolve(
    query: CallbackQuery, press: Press, bot: Bot, sessions: Sessions, case: Case, chat: Chat
) -> None:
    was_open = case.verdict is None
    if was_open:
        verdict, vector = judge(press, case)
        await _claim(query, sessions, case, chat, verdict, vector)
    async with sessions() as session:
        case = await session.get_one(Case, case.id)
    if was_open and case.resolved_by == query.from_user.id:
        await _answer(query, texts.ACCEPTED)
    else:
        await _answer(query, texts.already(case), alert=True)
    # Also for a later press: the bot may have stopped between the claim and the act.
    await enforce.apply(bot, sessions, case)
    if case.verdict is Verdict.CLEAN:
        await enforce.remove_notice(bot, sessions, case)
    await review.post(bot, sessions, case, _pressed(query))


async def _claim(
    query: CallbackQuery,
    sessions: Sessions,
    case: Case,
    chat: Chat,
    verdict: Verdict,
    vector: Mapping[Category, int | None],
) -> None:
    """Verdict, label and the acts that follow: all of them or, for who came second, none."""
    user = query.from_user
    async with sessions.begin() as session:
        if not await store.claim(session, case.id, verdict, user.id, user.full_name):
            return
        await store.add_label(session, case, user.id, vector)
        acts = await store.enforcements(session, case.id)
        revised = enforce.revise(
            case, acts, verdict, vector, Preferences.of(chat.preferences).policy(now())
        )
        await store.plan(session, case.id, revised)
    log.info("case decided", case=case.id, verdict=verdict.value, moderator=user.id)


def _pressed(query: CallbackQuery) -> tuple[int, int] | None:
    return (query.message.chat.id, query.message.message_id) if query.message else None


async def _answer(query: CallbackQuery, text: str | None = None, *, alert: bool = False) -> None:
    try:
        await query.answer(text, show_alert=alert)
    except TelegramBadRequest as error:  # too late to show, the press itself still counts
        log.info("press not answered", reason=str(error))
