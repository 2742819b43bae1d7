"""Cards that are owed to moderators: which cases have acts to be done or news to be shown."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.columns import now
from moderation.tables import Case


async def owe(session: AsyncSession, case_id: int) -> None:
    """Something about a case was decided: to be done, and shown. In the transaction of the
    decision, so that neither is lost."""
    await session.execute(update(Case).where(Case.id == case_id).values(card_due=now()))


async def owed(session: AsyncSession) -> list[tuple[int, int]]:
    """(case id, chat id) of what was not shown yet, the oldest first."""
    statement = select(Case.id, Case.chat_id).where(Case.card_due.is_not(None))
    rows = await session.execute(statement.order_by(Case.card_due, Case.id))
    return [(case_id, chat_id) for case_id, chat_id in rows]


async def shown(session: AsyncSession, case_id: int, due: datetime | None) -> None:
    """The card says all that was decided until `due`; what was decided since is still owed."""
    statement = update(Case).where(Case.id == case_id, Case.card_due == due)
    await session.execute(statement.values(card_due=None))
