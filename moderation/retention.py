"""What goes by itself once its time is over, by the days that each group has set."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, exists, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.states import UpdateState
from moderation.store import KEEP_DONE
from moderation.tables import (
    Assignment,
    Case,
    Chat,
    Enforcement,
    InboxUpdate,
    Label,
    Member,
    Prediction,
    PreferenceChange,
    Report,
    Strike,
)

BATCH = 500  # rows in one transaction, so that SQLite's lock is never held for long
LABEL_DAYS = 730
QUARANTINE = timedelta(days=7)  # to find out why an update could not be handled
_UPDATES = {UpdateState.DONE: KEEP_DONE, UpdateState.QUARANTINED: QUARANTINE}
NEWCOMER = timedelta(days=30)  # nobody is a newcomer for longer, see preferences.py

# One bounded step; how many rows it changed. 0: nothing is left to do.
_Step = Callable[[AsyncSession], Awaitable[int]]
_Change = Callable[[Sequence[int]], Any]  # a statement for rows of these ids


async def expire_all(
    sessions: Sessions,
    label_days: int = LABEL_DAYS,
    moment: datetime | None = None,
    batch: int = BATCH,
) -> Counter[str]:
    """Empty or remove all whose time is over; counts by kind. Repeating it does nothing more."""
    at = moment or now()
    async with sessions() as session:
        chats = (await session.scalars(select(Chat))).all()
    counts: Counter[str] = Counter()
    for chat in chats:
        age = timedelta(days=Preferences.of(chat.preferences).retention_days)
        if chat.removed_at is not None and not chat.is_active and chat.removed_at <= at - age:
            steps = _removal(chat.id, batch)
        else:
            steps = _of_chat(chat.id, at - age, batch)
        await _take(sessions, steps, counts)
    await _take(sessions, _of_all(at, timedelta(days=label_days), batch), counts)
    return counts


async def _take(sessions: Sessions, steps: dict[str, _Step], counts: Counter[str]) -> None:
    for kind, step in steps.items():
        while True:
            async with sessions.begin() as session:
                changed = await step(session)
            if not changed:
                break
            counts[kind] += changed


def _of_chat(chat_id: int, before: datetime, batch: int) -> dict[str, _Step]:
    """The words and names of a group's old cases, and who wrote what was scored without one.
    Cases keep their author's id, so that a ban can still be lifted."""
    named = [Case.text, Case.user_name, Case.text_key, Case.resolved_by_name, Case.person_by_name]
    cases = select(Case.id).where(
        Case.chat_id == chat_id, Case.created_at < before, or_(*(name != "" for name in named))
    )
    emptied = {"text": "", "user_name": "", "text_key": "", "marks": null()}
    # In this order the index by person is read, in which the emptied rows are no burden.
    scores = (
        select(Prediction.id)
        .where(Prediction.chat_id == chat_id, Prediction.created_at < before)
        .where(~exists().where(Case.prediction_id == Prediction.id))
        .order_by(Prediction.user_id)
    )

    def nobody(ids: Sequence[int]) -> Any:
        changed = update(Prediction).where(Prediction.id.in_(ids))
        return changed.values(user_id=0, content_hash="")

    reports = select(Report.id).where(Report.chat_id == chat_id, Report.created_at < before)
    return {
        "cases": _changing(
            cases.limit(batch),
            lambda ids: update(Case).where(Case.id.in_(ids)).values(**emptied),
            lambda ids: _unnamed(Case.resolved_by_name, ids),
            lambda ids: _unnamed(Case.person_by_name, ids),
        ),
        "people": _changing(scores.where(Prediction.user_id > 0).limit(batch), nobody),
        "channels": _changing(scores.where(Prediction.user_id < 0).limit(batch), nobody),
        "reports": _changing(
            reports.limit(batch), lambda ids: delete(Report).where(Report.id.in_(ids))
        ),
    }


def _of_all(at: datetime, label_age: timedelta, batch: int) -> dict[str, _Step]:
    """What is the same for all groups."""
    labels = select(Label.id).where(Label.created_at < at - label_age, Label.text != "")
    updates = select(InboxUpdate.id).where(
        or_(
            *(
                and_(InboxUpdate.state == state, InboxUpdate.received_at < at - age)
                for state, age in _UPDATES.items()
            )
        )
    )
    strikes = select(Strike.id).where(Strike.expires_at <= at)

    async def members(session: AsyncSession) -> int:
        # Short rows and few: no need for batches, which SQLite lacks for a key of two columns.
        spent = (
            or_(Member.reports_blocked_until.is_(None), Member.reports_blocked_until <= at),
            or_(Member.joined_at.is_(None), Member.joined_at < at - NEWCOMER),
        )
        return await _do(session, delete(Member).where(*spent))

    return {
        "labels": _changing(
            labels.limit(batch),
            lambda ids: update(Label).where(Label.id.in_(ids)).values(text="", text_key=""),
        ),
        "updates": _changing(
            updates.limit(batch), lambda ids: delete(InboxUpdate).where(InboxUpdate.id.in_(ids))
        ),
        "strikes": _changing(
            strikes.limit(batch), lambda ids: delete(Strike).where(Strike.id.in_(ids))
        ),
        "members": members,
    }


def _removal(chat_id: int, batch: int) -> dict[str, _Step]:
    """Everything of a group that the bot left long ago, the group itself last."""
    cases = select(Case.id).where(Case.chat_id == chat_id)
    scores = select(Prediction.id).where(Prediction.chat_id == chat_id)

    async def rest(session: AsyncSession) -> int:
        # An update that waits is handled first: the bot may have been added again.
        waiting = select(InboxUpdate.id).where(
            InboxUpdate.chat_id == chat_id, InboxUpdate.state == UpdateState.PENDING
        )
        chat = await session.get(Chat, chat_id)
        if chat is None or chat.is_active or await session.scalar(waiting.limit(1)):
            return 0
        for table in (Label, Strike, Report, Member, PreferenceChange, InboxUpdate):
            await _do(session, delete(table).where(table.chat_id == chat_id))
        cards = update(Chat).where(Chat.modchat_id == chat_id)
        await _do(session, cards.values(modchat_id=None))
        return await _do(session, delete(Chat).where(Chat.id == chat_id))

    return {
        "removed_cases": _changing(
            cases.limit(batch),
            *(_of_cases(table) for table in (Enforcement, Strike, Report, Assignment, Label)),
            lambda ids: delete(Case).where(Case.id.in_(ids)),
        ),
        "removed_scores": _changing(
            scores.limit(batch), lambda ids: delete(Prediction).where(Prediction.id.in_(ids))
        ),
        "removed_chats": rest,
    }


def _changing(found: Select[Any], *changes: _Change) -> _Step:
    """Make changes to the rows of these ids; SQLite's lock begins only if there are some."""

    async def step(session: AsyncSession) -> int:
        ids = (await session.scalars(found)).all()
        if ids:
            for change in changes:
                await _do(session, change(ids))
        return len(ids)

    return step


def _unnamed(name: Any, ids: Sequence[int]) -> Any:
    return update(Case).where(Case.id.in_(ids), name.is_not(None)).values({name: ""})


def _of_cases(table: Any) -> _Change:
    return lambda ids: delete(table).where(table.case_id.in_(ids))


async def _do(session: AsyncSession, statement: Any) -> int:
    """Rows that a change touched; objects in memory are not looked after."""
    done = await session.execute(statement, execution_options={"synchronize_session": False})
    return max(getattr(done, "rowcount", 0), 0)
