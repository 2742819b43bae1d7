"""Inserts that give way to a row which somebody else wrote a moment before."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.columns import Table


def insert(session: AsyncSession, table: type[Table]) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows ON CONFLICT, in the words of the session's database."""
    dialect = session.get_bind().dialect.name
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


async def ensure(session: AsyncSession, table: type[Table], **values: Any) -> None:
    """Write a row unless there is one. Looking first isn't enough: chats are handled side by side,
    and two of them may find a person or a group missing at the same time."""
    await session.execute(insert(session, table).values(**values).on_conflict_do_nothing())
