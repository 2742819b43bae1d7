"""A press on a card: who may, what it says about the text or its author, what follows from it."""

from datetime import timedelta

import structlog
from aiogram import Bot, Router
from aiogram.types import CallbackQuery

from bot import decisions, review
from bot.answers import answer
from bot.language import Language, of_person
from bot.members import Members
from bot.outbox import Outbox
from bot.review import PersonPress, Press
from moderation import people
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.database import Sessions
from moderation.states import PersonDecision, Source, Verdict
from moderation.tables import Case, Chat

log = structlog.get_logger()
REPORTS_BLOCKED = timedelta(days=7)


def leftovers() -> Router:
    """The handler of presses that no other takes: forged ones, and those of buttons long gone."""
    rest = Router(name="leftovers")
    rest.callback_query.register(on_unknown)
    return rest


def router() -> Router:
    """The handlers of the cards' buttons."""
    presses = Router(name="verdicts")
    presses.callback_query.register(on_press, Press.filter())
    presses.callback_query.register(on_person_press, PersonPress.filter())
    return presses


async def on_press(
    query: CallbackQuery,
    callback_data: Press,
    bot: Bot,
    sessions: Sessions,
    members: Members,
    outbox: Outbox,
) -> None:
    """Authorise, then claim, then act, then show. The data can be forged: only the case's own
    chat says who may decide."""
    words = of_person(query.from_user.language_code)
    case, chat = await _authorised(query, callback_data.case, sessions, members, words)
    if case is None or chat is None:
        return
    if callback_data.button == "block":
        await _block_reporters(query, sessions, case, words)
    elif callback_data.button == "fix" and case.verdict is None:
        await answer(query)
        pressed = _pressed(query)
        if pressed:
            markup = review.switches(words, case.id, callback_data.chosen)
            await review.edit(bot, *pressed, markup)
    else:
        await _resolve(query, callback_data, outbox, sessions, case, chat)


async def on_unknown(query: CallbackQuery) -> None:
    """Answer, so that the button doesn't seem to work on for ever."""
    await answer(query, of_person(query.from_user.language_code).plain("verdict.gone"))


async def on_person_press(
    query: CallbackQuery,
    callback_data: PersonPress,
    sessions: Sessions,
    members: Members,
    outbox: Outbox,
) -> None:
    """Warn, mute, ban or forgive an author, once a moderator called the text toxic."""
    words = of_person(query.from_user.language_code)
    case, chat = await _authorised(query, callback_data.case, sessions, members, words)
    if case is None or chat is None:
        return
    decision, user = callback_data.decision, query.from_user
    restricts = decision in decisions.RESTRICTING or (
        decision is PersonDecision.FORGIVE and case.person in decisions.RESTRICTING
    )
    if restricts and not await members.may(chat.id, user.id, "can_restrict_members"):
        await answer(query, words.plain("verdict.only_restricting"), alert=True)
        return
    author = case.prediction.user_id
    members.forget(chat.id, author)  # who was just promoted, too: Telegram's own word may come late
    if decision in decisions.RESTRICTING and await members.is_administrator(chat.id, author):
        await answer(query, words.plain("verdict.administrator"), alert=True)
        return
    claimed = await decisions.claim_person(sessions, case, chat, decision, user)
    case = await _reread(sessions, case.id)
    if claimed:
        log.info("author decided", case=case.id, decision=decision.value, moderator=user.id)
        await answer(query, words.plain("common.accepted"))
    else:
        await answer(query, already(words, case), alert=True)
    await outbox.follow(case, _pressed(query))
    if claimed and await decisions.was_in_vain(sessions, case, decision):
        await outbox.follow(case, _pressed(query))


def judge(press: Press, case: Case) -> tuple[Verdict, dict[Category, int | None]]:
    """The verdict of a press, and what it says about each category.

    «Верно» speaks only of what the card claims, so the other categories stay unknown.
    """
    if press.button == "right" and case.flagged:
        vector: dict[Category, int | None] = dict.fromkeys(TOXIC)
        vector |= {Category(name): 1 for name in case.flagged}
        return Verdict.CONFIRMED, {**vector, Category.NON_TOXIC: 0}
    return judge_chosen(press.chosen if press.button == "done" else 0)


def judge_chosen(chosen: int) -> tuple[Verdict, dict[Category, int | None]]:
    """The verdict of five switches, a bit each, and the complete vector."""
    vector: dict[Category, int | None] = {c: chosen >> i & 1 for i, c in enumerate(TOXIC)}
    toxic = any(vector.values())
    verdict = Verdict.CORRECTED if toxic else Verdict.CLEAN
    return verdict, {**vector, Category.NON_TOXIC: int(not toxic)}


def already(words: Language, case: Case) -> str:
    """Who decided about the author before, and what."""
    if case.person is None:
        return _decided(words, case) if case.verdict else words.plain("verdict.text_first")
    what = words.plain(f"verdict.person.{case.person.value}")
    return _by(words, what, case.person_by_name)


def _decided(words: Language, case: Case) -> str:
    """Who decided about the text before, and what."""
    what = words.plain(f"verdict.{case.verdict.value}") if case.verdict else ""
    return _by(words, what, case.resolved_by_name)


def _by(words: Language, what: str, who: str | None) -> str:
    if not who:
        return words.plain("verdict.already_nameless", what=what)
    return words.plain("verdict.already", what=what, who=who)


async def _resolve(
    query: CallbackQuery, press: Press, outbox: Outbox, sessions: Sessions, case: Case, chat: Chat
) -> None:
    words, user = of_person(query.from_user.language_code), query.from_user
    pressed = _pressed(query)
    if case.verdict is None and press.button == "right" and not case.flagged:
        await answer(query, words.plain("verdict.text_first"), alert=True)
        return
    claimed = False
    if case.verdict is None:
        verdict, vector = judge(press, case)
        source = Source.BUTTON if case.flagged else Source.REPORT
        moderator = (user.id, user.full_name)
        claimed = await decisions.claim(sessions, case, chat, verdict, vector, moderator, source)
    case = await _reread(sessions, case.id)
    if claimed:
        await answer(query, words.plain("common.accepted"))
    else:
        await answer(query, _decided(words, case), alert=True)
    # Also for a later press: the bot may have stopped between the claim and the act.
    await outbox.follow(case, pressed)


async def _authorised(
    query: CallbackQuery, case_id: int, sessions: Sessions, members: Members, words: Language
) -> tuple[Case | None, Chat | None]:
    """The case and its chat for one of that chat's moderators; others hear why not."""
    async with sessions() as session:
        case = await session.get(Case, case_id)
        chat = await session.get(Chat, case.chat_id) if case else None
    if case is None or chat is None:
        await answer(query, words.plain("verdict.gone"))
        return None, None
    if not await members.is_moderator(chat.id, query.from_user.id):
        log.info("press refused", case=case.id, user=query.from_user.id)
        title = chat.title
        await answer(query, words.plain("verdict.only_moderators", title=title), alert=True)
        return None, None
    return case, chat


async def _block_reporters(
    query: CallbackQuery, sessions: Sessions, case: Case, words: Language
) -> None:
    async with sessions.begin() as session:
        for report in await people.reports(session, case.id):
            member = await people.member(session, case.chat_id, report.reporter_id)
            member.reports_blocked_until = now() + REPORTS_BLOCKED
    log.info("reporters blocked", case=case.id, moderator=query.from_user.id)
    await answer(query, words.plain("verdict.reporters_blocked"), alert=True)


async def _reread(sessions: Sessions, case_id: int) -> Case:
    async with sessions() as session:
        return await session.get_one(Case, case_id)


def _pressed(query: CallbackQuery) -> tuple[int, int] | None:
    return (query.message.chat.id, query.message.message_id) if query.message else None
