"""Counts of what the database holds, for those who watch the bot."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from moderation.states import UpdateState
from moderation.tables import Case, Chat, Enforcement, InboxUpdate, Label, TrainingRun

# Values of one to two columns, and how many rows have them.
Numbers = dict[tuple[str, ...], int]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are of each kind. No ids, no names, no words."""

    groups: int
    updates: Numbers  # by state, without those that are done
    cases: Numbers  # by origin, and by verdict or "open"
    acts: Numbers  # by act and state
    labels: Numbers  # by source
    runs: Numbers  # by state


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An update that was set aside, and why; the reason holds nobody's words."""

    id: int
    error: str | None


async def counts(session: AsyncSession) -> Counts:
    """All counts. Each table is read whole, so they are worth keeping for a while."""
    groups = select(func.count()).where(Chat.is_active)
    kept = select(InboxUpdate.state, func.count()).where(InboxUpdate.state != UpdateState.DONE)
    updates = await session.execute(kept.group_by(InboxUpdate.state))
    return Counts(
        groups=await session.scalar(groups) or 0,
        updates={(str(state),): number for state, number in updates},
        cases=await _by(session, Case.origin, Case.verdict),
        acts=await _by(session, Enforcement.act, Enforcement.state),
        labels=await _by(session, Label.source),
        runs=await _by(session, TrainingRun.state),
    )


async def oldest_pending(session: AsyncSession) -> datetime | None:
    """When the oldest update that isn't handled yet was received."""
    oldest = select(func.min(InboxUpdate.received_at))
    return await session.scalar(oldest.where(InboxUpdate.state == UpdateState.PENDING))


async def quarantined(session: AsyncSession, limit: int) -> list[Quarantined]:
    """The updates that were set aside last."""
    statement = select(InboxUpdate.id, InboxUpdate.error).where(
        InboxUpdate.state == UpdateState.QUARANTINED
    )
    newest = statement.order_by(InboxUpdate.received_at.desc()).limit(limit)
    return [Quarantined(row.id, row.error) for row in await session.execute(newest)]


async def _by(session: AsyncSession, *columns: InstrumentedAttribute[Any]) -> Numbers:
    found = await session.execute(select(*columns, func.count()).group_by(*columns))
    return {tuple("open" if v is None else str(v) for v in row[:-1]): row[-1] for row in found}
