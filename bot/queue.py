"""The review queue in Telegram: one message that shows a moderator case after case, all blind."""

import asyncio
import random
from collections.abc import Sequence
from typing import Annotated, Literal

import structlog
from aiogram import Bot, F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command, CommandStart
from aiogram.filters.callback_data import CallbackData
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    User,
)
from aiogram.types import Chat as TelegramChat
from markupsafe import Markup
from pydantic import Field

from bot import review
from bot.answers import answer, language_of, whisper
from bot.card import shorten
from bot.decisions import claim
from bot.language import Language, language, of_person
from bot.members import Members, is_anonymous
from bot.outbox import Outbox
from bot.places import in_groups, in_private
from bot.review import Id, mask
from bot.verdicts import judge_chosen
from moderation import queue, store
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.states import AssignmentState, Source, Verdict
from moderation.tables import Case, Chat

log = structlog.get_logger()
_TEXT_LIMIT = 3000  # of a message's 4096 characters
_RANDOM = random.SystemRandom()

Page = tuple[Markup, InlineKeyboardMarkup | None]


class Press(CallbackData, prefix="q"):
    """A button of the queue. All it needs is in it, so it works after a restart."""

    case: Id
    person: Id  # for whom the queue was opened
    button: Literal["flip", "done", "clean", "skip", "stop"]
    chosen: Annotated[int, Field(ge=0, lt=1 << len(TOXIC))] = 0  # a bit for each toxic category


def router() -> Router:
    """The handlers of /review and of the queue's buttons; before those of other /start links."""
    reviews = Router(name="queue")
    start = CommandStart(deep_link=True, magic=F.args == "review")
    reviews.message.register(on_review, start, in_private)
    reviews.message.register(on_review, Command("review"), in_private)
    reviews.message.register(on_review_in_group, Command("review"), in_groups)
    reviews.callback_query.register(on_press, Press.filter())
    return reviews


async def on_review(message: Message, sessions: Sessions, members: Members) -> None:
    """Open the queue of whoever asks."""
    user = message.from_user
    if user is None:
        return
    words, markup = await _page(message.chat, user, sessions, members)
    await message.answer(words, reply_markup=markup)


async def on_review_in_group(
    message: Message, bot: Bot, sessions: Sessions, members: Members
) -> None:
    """In the moderators' chat the queue opens there; in the group itself nobody should read along,
    so a button leads to the private chat."""
    user, known = message.from_user, not is_anonymous(message)
    async with sessions() as session:
        is_modchat = bool(await store.moderated_from(session, message.chat.id))
    if is_modchat and known:
        await on_review(message, sessions, members)
        return
    if known and (user is None or not await members.is_moderator(message.chat.id, user.id)):
        raise SkipHandler
    words = await language_of(message, sessions)
    link = f"https://t.me/{(await bot.me()).username}?start=review"
    button = InlineKeyboardButton(text=words.plain("queue.open"), url=link)
    markup = InlineKeyboardMarkup(inline_keyboard=[[button]])
    await whisper(message, bot, sessions, words("queue.in_private"), markup)


async def on_press(
    query: CallbackQuery,
    callback_data: Press,
    bot: Bot,
    sessions: Sessions,
    members: Members,
    outbox: Outbox,
) -> None:
    """Authorise, record and act, then show the next case. The data can be forged: what was shown
    to whom is in the database, and the case's own chat says who may decide."""
    user, press = query.from_user, callback_data
    words = of_person(user.language_code)
    async with sessions() as session:
        case = await session.get(Case, press.case)
        chat = await session.get(Chat, case.chat_id) if case else None
        state = await queue.state_of(session, press.case, user.id)
    if press.person != user.id:
        await answer(query, words.plain("queue.not_yours"), alert=True)
    elif case is None or chat is None or state is None or query.message is None:
        await answer(query, words.plain("queue.gone"), alert=True)
    elif not await members.is_moderator(chat.id, user.id):
        log.info("press refused", case=case.id, user=user.id)
        title = chat.title
        await answer(query, words.plain("queue.only_moderators", title=title), alert=True)
    else:
        at = (query.message.chat.id, query.message.message_id)
        if state is not AssignmentState.SHOWN:  # pressed twice, or in an older message
            await answer(query)
        elif press.button == "flip":
            await answer(query)
            words = await _language(query.message.chat, user, sessions)
            await review.edit(bot, *at, _keyboard(words, press))
            return
        elif press.button == "stop":
            await answer(query)
            words = await _language(query.message.chat, user, sessions)
            await review.edit(bot, *at, None, await _stopped(words, user, sessions))
            return
        elif press.button == "skip":
            await answer(query)
            async with sessions.begin() as session:
                await queue.finish(session, case.id, user.id, AssignmentState.SKIPPED, now())
        else:
            was_first = await _decide(sessions, press, case, chat, user)
            await answer(query, None if was_first else words.plain("queue.too_late"))
            await outbox.follow(case)
        shown, markup = await _page(query.message.chat, user, sessions, members)
        await review.edit(bot, *at, markup, shown)


def judge(chosen: int, flagged: Sequence[str]) -> tuple[Verdict, dict[Category, int | None]]:
    """The verdict on a case whose claims were hidden, and the complete vector. Who finds all that
    was claimed confirms it, whatever else they find."""
    verdict, vector = judge_chosen(chosen)
    claimed = mask(flagged)
    return Verdict.CONFIRMED if claimed and claimed & chosen == claimed else verdict, vector


async def _decide(sessions: Sessions, press: Press, case: Case, chat: Chat, user: User) -> bool:
    """Record an answer; false if it came too late to count."""
    verdict, vector = judge(press.chosen if press.button == "done" else 0, case.flagged)
    async with sessions() as session:
        labellers = await queue.labelled_by(session, case.id)
    source = queue.source_of(case, labellers)
    if user.id in labellers:  # the bot stopped in between
        counts = True
    elif source is Source.SECOND:
        async with sessions.begin() as session:
            shown = await queue.finish(session, case.id, user.id, AssignmentState.ANSWERED, now())
            if shown:
                await store.add_label(session, case, user.id, vector, source)
        return True
    else:
        moderator = (user.id, user.full_name)
        counts = source is not None and await claim(
            sessions, case, chat, verdict, vector, moderator, source
        )
    state = AssignmentState.ANSWERED if counts else AssignmentState.SKIPPED
    async with sessions.begin() as session:
        await queue.finish(session, case.id, user.id, state, now())
    return counts


async def _page(at: TelegramChat, user: User, sessions: Sessions, members: Members) -> Page:
    """What the queue shows to a person in a chat now."""
    words = await _language(at, user, sessions)
    chats = await _moderated(await _groups(at, sessions), user, members)
    if not chats:
        return words("queue.no_groups"), None
    preferences = {chat.id: Preferences.of(chat.preferences) for chat in chats}
    budget = max(preference.reviews_a_day for preference in preferences.values())
    async with sessions.begin() as session:
        answered = await queue.answered_today(session, user.id, now())
        if answered >= budget:
            return words.plural("queue.enough", answered), None
        case = await queue.serve(session, preferences, user.id, now(), _RANDOM)
    if case is None:
        return words("queue.empty"), None
    shown = words(
        "queue.case",
        title=next(chat.title for chat in chats if chat.id == case.chat_id),
        position=words.whole(answered + 1),
        budget=words.whole(budget),
        text=shorten(case.text, _TEXT_LIMIT),
    )
    return shown, _keyboard(words, Press(case=case.id, person=user.id, button="flip"))


async def _stopped(words: Language, user: User, sessions: Sessions) -> Markup:
    async with sessions() as session:
        answered = await queue.answered_today(session, user.id, now())
    return words.plural("queue.stopped", answered)


async def _groups(at: TelegramChat, sessions: Sessions) -> list[Chat]:
    """The groups that the queue covers in a chat: all in private, in the moderators' chat those
    whose cards come there."""
    async with sessions() as session:
        chats = await store.chats(session)
    if at.type != "private":
        return [chat for chat in chats if chat.modchat_id == at.id != chat.id]
    modchats = {chat.modchat_id for chat in chats if chat.modchat_id != chat.id}
    return [chat for chat in chats if chat.id not in modchats]


async def _moderated(chats: Sequence[Chat], user: User, members: Members) -> list[Chat]:
    """Those of the groups in which a person is a moderator at this moment."""
    # What is remembered for a minute leaves few that must be asked about anew.
    near = await asyncio.gather(*(members.is_administrator(chat.id, user.id) for chat in chats))
    chats = [chat for chat, administers in zip(chats, near, strict=True) if administers]
    sure = await asyncio.gather(*(members.is_moderator(chat.id, user.id) for chat in chats))
    return [chat for chat, moderates in zip(chats, sure, strict=True) if moderates]


async def _language(at: TelegramChat, user: User, sessions: Sessions) -> Language:
    """The person's language in private, in the moderators' chat that of its first group."""
    if at.type != "private" and (chats := await _groups(at, sessions)):
        return language(Preferences.of(chats[0].preferences).language)
    return of_person(user.language_code)


def _keyboard(words: Language, press: Press) -> InlineKeyboardMarkup:
    """Five switches, the two ways to answer, and the two ways not to."""

    def button(text: str, name: str, chosen: int) -> InlineKeyboardButton:
        data = press.model_copy(update={"button": name, "chosen": chosen}).pack()
        return InlineKeyboardButton(text=text, callback_data=data)

    chosen = press.chosen
    switches = [
        button(
            f"{'☑️' if chosen & 1 << i else '▫️'} {words.category(category)}",
            "flip",
            chosen ^ 1 << i,
        )
        for i, category in enumerate(TOXIC)
    ]
    clean, done, skip, stop = (
        button(words.plain(f"queue.{name}"), name, chosen if name == "done" else 0)
        for name in ("clean", "done", "skip", "stop")
    )
    rows = [switches[:2], switches[2:4], switches[4:], [clean, done], [skip, stop]]
    return InlineKeyboardMarkup(inline_keyboard=rows)
