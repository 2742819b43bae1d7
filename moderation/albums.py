"""Albums: messages that were sent as one, and that stand or fall as one."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from moderation.columns import now
from moderation.inserts import ensure
from moderation.states import Act, ActState, Verdict
from moderation.tables import AlbumItem, Case, Enforcement, Prediction

KEPT = timedelta(hours=48)  # Telegram lets nothing older be deleted
_DELETED = (ActState.PENDING, ActState.ATTEMPTED, ActState.DONE)


async def add(session: AsyncSession, chat_id: int, message_id: int, album_id: str) -> int | None:
    """Note an item of an album; the case, if another item's words were the end of them all."""
    await session.execute(delete(AlbumItem).where(AlbumItem.created_at < now() - KEPT))
    key = {"chat_id": chat_id, "album_id": album_id[:64]}
    await ensure(session, AlbumItem, message_id=message_id, **key, created_at=now())
    condemned = (
        select(Case.id)
        .join(Prediction, Prediction.id == Case.prediction_id)
        .join(AlbumItem, _stands_for(AlbumItem))
        .join(Enforcement, Enforcement.case_id == Case.id)
        .where(AlbumItem.chat_id == chat_id, AlbumItem.album_id == key["album_id"])
        .where(AlbumItem.message_id != message_id)
        .where(Enforcement.act == Act.DELETE, Enforcement.state.in_(_DELETED))
        .where(or_(Case.verdict.is_(None), Case.verdict != Verdict.CLEAN))
    )
    return await session.scalar(condemned.order_by(Case.id).limit(1))


async def others(session: AsyncSession, chat_id: int, message_ids: Sequence[int]) -> dict[int, int]:
    """The other items of the albums that some messages belong to: each with the message among
    them that it goes with."""
    item, other = aliased(AlbumItem), aliased(AlbumItem)
    statement = (
        select(other.message_id, item.message_id)
        .join(item, (item.chat_id == other.chat_id) & (item.album_id == other.album_id))
        .where(item.chat_id == chat_id, item.message_id.in_(message_ids))
        .where(other.message_id.not_in(message_ids))
        .order_by(other.message_id)
    )
    return {row[0]: row[1] for row in await session.execute(statement)}


def _stands_for(item: type[AlbumItem]) -> ColumnElement[bool]:
    return (Prediction.chat_id == item.chat_id) & (Prediction.message_id == item.message_id)
