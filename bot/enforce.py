"""Actions as Bot API calls: planned, recorded, attempted, and their outcome written down."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError

from bot import acts, deletions, refusals
from bot.acts import Call, InapplicableError
from bot.language import language
from bot.rights import Rights
from bot.telegram import UNHEARD, describe
from moderation import albums, sanctions
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
# What hurts others, or whom it hurts, doesn't wait behind words. Repeating one of these after a
# crash changes nothing more, so they are put off while Telegram can't be reached.
URGENT = frozenset({Act.DELETE, Act.MUTE, Act.BAN, Act.UNMUTE, Act.UNBAN})
WORDS = frozenset(Act) - URGENT
OPEN = (ActState.PENDING, ActState.ATTEMPTED)


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


async def apply(
    bot: Bot,
    sessions: Sessions,
    rights: Rights,
    case: Case,
    kinds: Collection[Act] = URGENT,
    tried: Collection[int] = (),
) -> Case:
    """Attempt every act of these kinds that nobody has begun, until what stands is what was
    decided last; the case as it is then. Never raises for a refused act. Each is attempted once,
    those `tried` just now not at all; words wait for what they speak of."""
    tried = set(tried)
    while True:
        async with sessions() as session:
            # Read anew: moderators may have decided, or the group got another id.
            case = await session.get_one(Case, case.id)
            chat = await session.get_one(Chat, case.chat_id)
            rows = await sanctions.enforcements(session, case.id)
        words = language(Preferences.of(chat.preferences).language)
        is_open = any(row.act in URGENT and row.state in OPEN for row in rows)
        for row in (row for row in rows if row.act in kinds and row.id not in tried):
            if is_open and row.act in WORDS:
                continue
            tried.add(row.id)
            if row.state is ActState.ATTEMPTED and row.act not in URGENT:
                unknown = words.plain("act.unknown_whether_sent")
                await _settle(sessions, row, ActState.FAILED, unknown)
            elif row.state in OPEN:
                await _attempt(Call(bot, sessions, chat, case, row, rows), rights)
        if not await _take_back(sessions, case):
            return case


async def delete(
    bot: Bot, sessions: Sessions, rights: Rights, cases: Sequence[Case]
) -> Collection[int]:
    """Delete the messages of many cases of one group together: a raid is over in a few calls. The
    ids of the acts that were attempted."""
    async with sessions.begin() as session:
        found = await sanctions.deletions(session, [case.id for case in cases])
        if len(found) < 2:
            return ()  # apply does it
        chat = await session.get_one(Chat, cases[0].chat_id)
        await sanctions.begin_all(session, [row.id for row, _ in found])
    words = language(Preferences.of(chat.preferences).language)
    if (lack := await rights.lack(chat.id, Act.DELETE)) is not None:
        for row in {row.id: row for row, _ in found}.values():
            await _settle(sessions, row, ActState.SKIPPED, words.plain(f"reason.{lack}"))
        return ()

    async def may() -> bool:
        await rights.look(chat)
        return await rights.lack(chat.id, Act.DELETE) is None

    outcomes = await deletions.delete(bot, chat.id, [number for _, number in found], may)
    errors: dict[int, AiogramError | None] = {}
    for row, number in found:  # an album is deleted if none of its items stands
        errors[row.id] = errors.get(row.id) or outcomes[number]
    for row in {row.id: row for row, _ in found}.values():
        await _ended(sessions, rights, chat, row, errors[row.id])
    return errors.keys()


async def _take_back(sessions: Sessions, case: Case) -> bool:
    """Plan to undo what was under way while a moderator found it wrong."""
    async with sessions.begin() as session:
        case = await session.get_one(Case, case.id)
        preferences = Preferences.of((await session.get_one(Chat, case.chat_id)).preferences)
        rows = await sanctions.enforcements(session, case.id)
        if case.verdict is Verdict.CLEAN:
            acts = [a for a in undoing(rows) if a is not Act.RESTORE or preferences.restores]
            await sanctions.plan(session, case.id, acts, Step.VERDICT)
        elif case.person is PersonDecision.FORGIVE:
            acts = undoing(rows, persons=True)
            await sanctions.plan(session, case.id, acts, Step.FORGIVE)
        else:
            return False
    return bool(acts)


async def remove_notice(bot: Bot, sessions: Sessions, case: Case) -> None:
    """Take away the notice to an author who did nothing wrong."""
    async with sessions() as session:
        rows = await sanctions.enforcements(session, case.id)
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
        log.info("notice not removed", chat=chat_id, reason=describe(error))
    async with sessions.begin() as session:
        await sanctions.set_act(session, enforcement_id, ActState.DONE)


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
    bot had decided, or than deleting; in a dry run it only takes back."""
    wanted = wants(case, vector, preferences)
    present = {row.act for row in known}
    added = [act for act in wanted if act not in present]
    if preferences.policy(now()).dry_run:
        added = []
    if preferences.warning is Warning.NONE:
        added = [act for act in added if act is not Act.NOTICE]
    if verdict is not Verdict.CONFIRMED:
        added += [act for act in undoing(known) if _undoes(act) not in wanted]
    return [act for act in added if act is not Act.RESTORE or preferences.restores]


def wants(
    case: Case, vector: Mapping[Category, int | None], preferences: Preferences
) -> tuple[Act, ...]:
    """What the policy asks for about what a person saw in a text."""
    if not case.prediction.message_id:
        return ()  # a name is no message; what becomes of its owner is for people to decide
    seen = {category: 1.0 for category, value in vector.items() if value}
    limit = max(case.prediction.action, Action.DELETE)
    return ACTS[min(decide(seen, preferences.policy(now())).action, limit)]


def undoing(known: Sequence[Enforcement], *, persons: bool = False) -> list[Act]:
    """What takes back the acts that were done, or are under way; with `persons` only those on
    people."""
    planned = {row.act for row in known}
    begun = (ActState.DONE, ActState.ATTEMPTED)
    done = dict.fromkeys(row.act for row in known if row.state in begun)
    wanted = (Act.MUTE, Act.BAN) if persons else tuple(UNDONE_BY)
    return [UNDONE_BY[act] for act in done if act in wanted and UNDONE_BY[act] not in planned]


def _undoes(act: Act) -> Act:
    return next(done for done, undone_by in UNDONE_BY.items() if undone_by is act)


def _until(hours: int) -> datetime:
    # Whole seconds, as Telegram takes them, so that a repeated call asks for the same moment.
    return (now() + timedelta(hours=hours)).replace(microsecond=0)


async def _attempt(call: Call, rights: Rights) -> None:
    row, sessions = call.row, call.sessions
    if row.state is ActState.PENDING:
        async with sessions.begin() as session:
            if not await sanctions.begin(session, row.id):
                return  # another worker has it, or a moderator called it off
    lack = await rights.lack(call.chat.id, row.act)
    if lack is not None:
        await _settle(sessions, row, ActState.SKIPPED, call.words.plain(f"reason.{lack}"))
        return
    try:
        message_id = await acts.CALLS[row.act](call)
    except AiogramError as error:
        await _ended(sessions, rights, call.chat, row, error)
    except InapplicableError as skip:
        await _settle(sessions, row, ActState.SKIPPED, str(skip))
    else:
        await _settle(sessions, row, ActState.DONE, message_id=message_id)


async def _ended(
    sessions: Sessions, rights: Rights, chat: Chat, row: Enforcement, error: AiogramError | None
) -> None:
    """Write down that an act was done, or why not; what Telegram wasn't reached for stays open."""
    if error is None:
        await _settle(sessions, row, ActState.DONE)
        return
    log.warning("enforcement failed", case=row.case_id, act=row.act.value, reason=describe(error))
    words = language(Preferences.of(chat.preferences).language)
    detail = refusals.of_act(words, error, is_repeatable=row.act in URGENT)
    is_young = row.created_at > now() - albums.KEPT
    if row.act in URGENT and isinstance(error, UNHEARD) and is_young:
        await _put_off(sessions, row, detail, words.plain("act.overruled"))
        return
    if refusals.is_lack(error) or refusals.is_outside(error):
        await rights.look(chat)
        if (lack := await rights.lack(chat.id, row.act)) is not None:
            detail = words.plain(f"reason.{lack}")
    await _settle(sessions, row, ActState.FAILED, detail)


async def _put_off(sessions: Sessions, row: Enforcement, detail: str, overruled: str) -> None:
    """Leave an act to the next round, unless it was decided meanwhile to take it back."""
    async with sessions() as session:
        rows = await sanctions.enforcements(session, row.case_id)
    if any(other.act is UNDONE_BY.get(row.act) and other.id > row.id for other in rows):
        await _settle(sessions, row, ActState.SKIPPED, overruled)
    else:
        await _settle(sessions, row, ActState.PENDING, detail)


async def _settle(
    sessions: Sessions,
    row: Enforcement,
    state: ActState,
    detail: str | None = None,
    message_id: int | None = None,
) -> None:
    async with sessions.begin() as session:
        await sanctions.end(session, row.id, state, detail, message_id)
    row.state, row.detail, row.message_id = state, detail, message_id
