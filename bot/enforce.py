"""Actions as Bot API calls: planned, recorded, attempted, and their outcome written down."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import ChatPermissions, ReplyParameters

from bot import texts
from moderation import store
from moderation.categories import Category
from moderation.columns import now
from moderation.database import Sessions
from moderation.policy import Action, Decision, Policy, decide
from moderation.states import Act, ActState, Verdict
from moderation.tables import Case, Enforcement

log = structlog.get_logger()

# The message first, then the person, words last: what hurts others goes soonest.
ACTS: dict[Action, tuple[Act, ...]] = {
    Action.NONE: (),
    Action.REVIEW: (),
    Action.WARN: (Act.NOTICE,),
    Action.DELETE: (Act.DELETE, Act.NOTICE),
    Action.MUTE: (Act.DELETE, Act.MUTE, Act.NOTICE),
    Action.BAN: (Act.DELETE, Act.BAN),
}
UNDONE_BY = {Act.DELETE: Act.RESTORE, Act.MUTE: Act.UNMUTE, Act.BAN: Act.UNBAN}
# Repeating one of these after a crash changes nothing more.
_REPEATABLE = {Act.DELETE, Act.MUTE, Act.BAN, Act.UNMUTE, Act.UNBAN}
_ALREADY = ("message to delete not found", "message identifier is not specified")
_ALL = ChatPermissions(**dict.fromkeys(ChatPermissions.model_fields, True))
_NOTHING = ChatPermissions(**dict.fromkeys(ChatPermissions.model_fields, False))


def plan(decision: Decision, policy: Policy, mute_hours: int) -> list[Enforcement]:
    """The acts that a decision asks for, to be recorded with its case."""
    state = ActState.SKIPPED if policy.dry_run else ActState.PENDING
    # Whole seconds, as Telegram takes them, so that a repeated call asks for the same moment.
    until = (now() + timedelta(hours=mute_hours)).replace(microsecond=0)
    return [
        Enforcement(act=act, state=state, until=until if act is Act.MUTE else None)
        for act in ACTS[decision.action]
    ]


async def apply(bot: Bot, sessions: Sessions, case: Case) -> None:
    """Attempt every act of a case that has no outcome yet. Never raises for a refused act."""
    async with sessions() as session:
        rows = await store.enforcements(session, case.id)
    for row in rows:
        if row.state is ActState.ATTEMPTED and row.act not in _REPEATABLE:
            await _settle(sessions, row, ActState.FAILED, texts.UNKNOWN_WHETHER_SENT)
        elif row.state in (ActState.PENDING, ActState.ATTEMPTED):
            await _attempt(sessions, _Call(bot, case, row, rows))


async def remove_notice(bot: Bot, sessions: Sessions, case: Case) -> None:
    """Take away the notice to an author who did nothing wrong."""
    async with sessions() as session:
        rows = await store.enforcements(session, case.id)
    for row in rows:
        if row.act is Act.NOTICE and row.message_id:
            await remove_message(bot, sessions, row.id, case.chat_id, row.message_id)


async def remove_message(
    bot: Bot, sessions: Sessions, enforcement_id: int, chat_id: int, message_id: int
) -> None:
    """Delete what the bot wrote; whatever comes of it, it is not tried again."""
    try:
        await bot.delete_message(chat_id, message_id)
    except AiogramError as error:
        log.info("notice not removed", chat=chat_id, reason=str(error))
    async with sessions.begin() as session:
        await store.set_act(session, enforcement_id, ActState.DONE)


def follows(case: Case, acts: Sequence[Enforcement], policy: Policy) -> list[Act]:
    """The acts that confirming a case would lead to."""
    claimed: dict[Category, int | None] = {Category(name): 1 for name in case.flagged}
    return revise(case, acts, Verdict.CONFIRMED, claimed, policy)


def revise(
    case: Case,
    acts: Sequence[Enforcement],
    verdict: Verdict,
    vector: Mapping[Category, int | None],
    policy: Policy,
) -> list[Act]:
    """The acts that a verdict adds: what the policy asks for the categories that a person saw,
    and the undoing of what it doesn't ask for. A verdict alone never punishes harder than the
    bot had decided, or than deleting."""
    if policy.dry_run:
        return []
    seen = {category: 1.0 for category, value in vector.items() if value}
    limit = max(case.prediction.action, Action.DELETE)
    wanted = ACTS[min(decide(seen, policy).action, limit)]
    states = {row.act: row.state for row in acts}
    added = [act for act in wanted if act not in states]
    if verdict is not Verdict.CONFIRMED:
        done = (act for act, state in states.items() if state is ActState.DONE)
        added += [UNDONE_BY[act] for act in done if act in UNDONE_BY and act not in wanted]
    return added


@dataclass(frozen=True, slots=True)
class _Call:
    bot: Bot
    case: Case
    row: Enforcement
    rows: Sequence[Enforcement]  # all acts of the case, those before this one with their outcome


async def _attempt(sessions: Sessions, call: _Call) -> None:
    row = call.row
    async with sessions.begin() as session:
        await store.set_act(session, row.id, ActState.ATTEMPTED)
    try:
        message_id = await _CALLS[row.act](call)
    except AiogramError as error:
        reason = str(error)
        if any(text in reason for text in _ALREADY):
            await _settle(sessions, row, ActState.DONE)
            return
        log.warning("enforcement failed", case=call.case.id, act=row.act.value, reason=reason)
        await _settle(sessions, row, ActState.FAILED, _in_words(reason))
    except _InapplicableError as skip:
        await _settle(sessions, row, ActState.SKIPPED, str(skip))
    else:
        await _settle(sessions, row, ActState.DONE, message_id=message_id)


async def _settle(
    sessions: Sessions,
    row: Enforcement,
    state: ActState,
    detail: str | None = None,
    message_id: int | None = None,
) -> None:
    async with sessions.begin() as session:
        await store.set_act(session, row.id, state, detail, message_id)
    row.state, row.detail, row.message_id = state, detail, message_id


def _in_words(reason: str) -> str:
    return next((words for text, words in texts.REASONS.items() if text in reason), reason)


class _InapplicableError(Exception):
    """An act that doesn't exist for this kind of sender."""


async def _delete(call: _Call) -> None:
    await call.bot.delete_message(call.case.chat_id, call.case.prediction.message_id)


async def _mute(call: _Call) -> None:
    chat_id, user_id = call.case.chat_id, _person(call.case)
    await call.bot.restrict_chat_member(chat_id, user_id, _NOTHING, until_date=call.row.until)


async def _ban(call: _Call) -> None:
    chat_id, sender_id = call.case.chat_id, call.case.prediction.user_id
    if sender_id < 0:
        await call.bot.ban_chat_sender_chat(chat_id, sender_id)
    else:
        await call.bot.ban_chat_member(chat_id, sender_id)


async def _unmute(call: _Call) -> None:
    await call.bot.restrict_chat_member(call.case.chat_id, _person(call.case), _ALL)


async def _unban(call: _Call) -> None:
    chat_id, sender_id = call.case.chat_id, call.case.prediction.user_id
    if sender_id < 0:
        await call.bot.unban_chat_sender_chat(chat_id, sender_id)
    else:
        # Without only_if_banned this kicks a member who came back meanwhile.
        await call.bot.unban_chat_member(chat_id, sender_id, only_if_banned=True)


async def _notice(call: _Call) -> int:
    deleted = any(row.act is Act.DELETE and row.state is ActState.DONE for row in call.rows)
    words = texts.notice(call.case.user_name, call.case.flagged, deleted=deleted)
    return await _say(call, words, None if deleted else call.case.prediction.message_id)


async def _restore(call: _Call) -> int:
    return await _say(call, texts.restored(call.case.user_name, call.case.text))


async def _say(call: _Call, words: str, answered: int | None = None) -> int:
    reply = (
        ReplyParameters(message_id=answered, allow_sending_without_reply=True) if answered else None
    )
    sent = await call.bot.send_message(
        call.case.chat_id,
        words,
        message_thread_id=call.case.thread_id,
        reply_parameters=reply,
        disable_notification=True,
    )
    return sent.message_id


def _person(case: Case) -> int:
    if case.prediction.user_id < 0:
        raise _InapplicableError(texts.CHANNEL_MUTE)
    return case.prediction.user_id


_CALLS: dict[Act, Callable[[_Call], Awaitable[int | None]]] = {
    Act.DELETE: _delete,
    Act.MUTE: _mute,
    Act.BAN: _ban,
    Act.UNMUTE: _unmute,
    Act.UNBAN: _unban,
    Act.NOTICE: _notice,
    Act.RESTORE: _restore,
}
