"""Actions as Bot API calls: planned, recorded, attempted, and their outcome written down."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError

from bot import acts
from bot.acts import Call, InapplicableError
from bot.language import language
from moderation import store
from moderation.categories import Category
from moderation.columns import now
from moderation.database import Sessions
from moderation.policy import Action, Policy, decide
from moderation.preferences import Preferences, Warning
from moderation.states import Act, ActState, PersonDecision, Step, Verdict
from moderation.tables import Case, Chat, Enforcement

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
PERSON_ACTS: dict[PersonDecision, tuple[Act, ...]] = {
    PersonDecision.WARN: (Act.NOTICE,),
    PersonDecision.MUTE_HOUR: (Act.MUTE,),
    PersonDecision.MUTE_DAY: (Act.MUTE,),
    PersonDecision.BAN: (Act.DELETE, Act.BAN),
    PersonDecision.FORGIVE: (),
}
PERSON_HOURS = {PersonDecision.MUTE_HOUR: 1, PersonDecision.MUTE_DAY: 24}
UNDONE_BY = {Act.DELETE: Act.RESTORE, Act.MUTE: Act.UNMUTE, Act.BAN: Act.UNBAN}
# Repeating one of these after a crash changes nothing more.
_REPEATABLE = {Act.DELETE, Act.MUTE, Act.BAN, Act.UNMUTE, Act.UNBAN}
_ALREADY = ("message to delete not found", "message identifier is not specified")
# Telegram's refusals, by the key of what they mean in words.
_REASONS = {
    "not enough rights": "no_rights",
    "message can't be deleted": "undeletable",
    "user is an administrator": "administrator",
    "can't remove chat owner": "owner",
    "method is available only for supergroups": "supergroups_only",
    "bot was kicked": "kicked",
    "bot is not a member": "not_member",
    "CHAT_ADMIN_REQUIRED": "not_administrator",
}


def plan(
    action: Action, policy: Policy, preferences: Preferences, mute_hours: int
) -> list[Enforcement]:
    """The acts that an action asks for, to be recorded with its case."""
    state = ActState.SKIPPED if policy.dry_run else ActState.PENDING
    until = _until(preferences.mute_hours or mute_hours)
    return [
        Enforcement(
            act=act, step=Step.DECISION, state=state, until=until if act is Act.MUTE else None
        )
        for act in ACTS[action]
        if act is not Act.NOTICE or preferences.warning is not Warning.NONE
    ]


def plan_person(decision: PersonDecision, known: Sequence[Enforcement]) -> list[Enforcement]:
    """The acts that a moderator's decision about the author asks for."""
    if decision is PersonDecision.FORGIVE:
        return [Enforcement(act=act, step=Step.FORGIVE) for act in undoing(known, persons=True)]
    hours = PERSON_HOURS.get(decision)
    until = _until(hours) if hours else None
    deleted = any(row.act is Act.DELETE and row.state is ActState.DONE for row in known)
    return [
        Enforcement(act=act, step=Step.PERSON, until=until)
        for act in PERSON_ACTS[decision]
        if act is not Act.DELETE or not deleted
    ]


async def apply(bot: Bot, sessions: Sessions, case: Case) -> None:
    """Attempt every act of a case that has no outcome yet. Never raises for a refused act."""
    async with sessions() as session:
        chat = await session.get_one(Chat, case.chat_id)
        rows = await store.enforcements(session, case.id)
    words = language(Preferences.of(chat.preferences).language)
    for row in rows:
        if row.state is ActState.ATTEMPTED and row.act not in _REPEATABLE:
            await _settle(sessions, row, ActState.FAILED, words.plain("act.unknown_whether_sent"))
        elif row.state in (ActState.PENDING, ActState.ATTEMPTED):
            await _attempt(Call(bot, sessions, chat, case, row, rows))


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


def follows(case: Case, known: Sequence[Enforcement], preferences: Preferences) -> list[Act]:
    """The acts that confirming a case would lead to."""
    claimed: dict[Category, int | None] = {Category(name): 1 for name in case.flagged}
    return revise(case, known, Verdict.CONFIRMED, claimed, preferences)


def revise(
    case: Case,
    known: Sequence[Enforcement],
    verdict: Verdict,
    vector: Mapping[Category, int | None],
    preferences: Preferences,
) -> list[Act]:
    """The acts that a verdict adds: what the policy asks for the categories that a person saw,
    and the undoing of what it doesn't ask for. A verdict alone never punishes harder than the
    bot had decided, or than deleting."""
    policy = preferences.policy(now())
    if policy.dry_run:
        return []
    seen = {category: 1.0 for category, value in vector.items() if value}
    limit = max(case.prediction.action, Action.DELETE)
    wanted = ACTS[min(decide(seen, policy).action, limit)]
    present = {row.act for row in known}
    added = [
        act
        for act in wanted
        if act not in present and (act is not Act.NOTICE or preferences.warning is not Warning.NONE)
    ]
    if verdict is not Verdict.CONFIRMED:
        added += [act for act in undoing(known) if _undoes(act) not in wanted]
    return [act for act in added if act is not Act.RESTORE or preferences.restores]


def undoing(known: Sequence[Enforcement], *, persons: bool = False) -> list[Act]:
    """What takes back the acts that were done and stand; with `persons` only those on people."""
    planned = {row.act for row in known}
    done = dict.fromkeys(row.act for row in known if row.state is ActState.DONE)
    wanted = (Act.MUTE, Act.BAN) if persons else tuple(UNDONE_BY)
    return [UNDONE_BY[act] for act in done if act in wanted and UNDONE_BY[act] not in planned]


def _undoes(act: Act) -> Act:
    return next(done for done, undone_by in UNDONE_BY.items() if undone_by is act)


def _until(hours: int) -> datetime:
    # Whole seconds, as Telegram takes them, so that a repeated call asks for the same moment.
    return (now() + timedelta(hours=hours)).replace(microsecond=0)


async def _attempt(call: Call) -> None:
    row, sessions = call.row, call.sessions
    async with sessions.begin() as session:
        await store.set_act(session, row.id, ActState.ATTEMPTED)
    try:
        message_id = await acts.CALLS[row.act](call)
    except AiogramError as error:
        reason = str(error)
        if _means(reason, _ALREADY):
            await _settle(sessions, row, ActState.DONE)
            return
        log.warning("enforcement failed", case=call.case.id, act=row.act.value, reason=reason)
        await _settle(sessions, row, ActState.FAILED, _in_words(call, reason))
    except InapplicableError as skip:
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


def _in_words(call: Call, reason: str) -> str:
    key = next((key for text, key in _REASONS.items() if text in reason), None)
    return call.words.plain(f"reason.{key}") if key else reason


def _means(reason: str, texts: Iterable[str]) -> bool:
    return any(text in reason for text in texts)
