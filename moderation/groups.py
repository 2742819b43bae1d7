"""Groups as wholes: a group that became a supergroup has another id everywhere."""

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.columns import now
from moderation.inserts import ensure
from moderation.tables import (
    AlbumItem,
    Case,
    Chat,
    Enforcement,
    InboxUpdate,
    Label,
    Member,
    Note,
    Prediction,
    PreferenceChange,
    Report,
    Strike,
    TrainingRun,
)

_BY_CHAT = (Case, Label, Member, PreferenceChange, Report, Strike, InboxUpdate)


async def rekey(session: AsyncSession, old: int, new: int) -> bool:
    """Give all that is stored about group `old` the id `new`; false if there is nothing to move.

    To be called in one transaction, as often as Telegram tells of it: the second time does nothing.
    The old row stays for a while and knows where the group went, for late messages come to it.
    """
    group = await session.get(Chat, old)
    if group is None or group.moved_to is not None or old == new:
        return False
    await ensure(session, Chat, id=new, added_at=group.added_at, rights=group.rights)
    heir = await session.get_one(Chat, new)
    heir.title, heir.kind, heir.is_active = group.title, "supergroup", True
    # The supergroup's own first messages can only have made a blank row.
    heir.preferences, heir.owner_id = group.preferences, group.owner_id
    heir.modchat_id = group.modchat_id
    group.moved_to, group.is_active, group.removed_at = new, False, now()
    group.modchat_id = None
    await session.flush()
    await session.execute(delete(Member).where(Member.chat_id == new))
    await _forget_messages(session, old)
    for table in _BY_CHAT:
        await session.execute(update(table).where(table.chat_id == old).values(chat_id=new))
    # The supergroup counts its messages anew, so an old number could be taken for a new message's.
    moved = {"chat_id": new, "message_id": -Prediction.message_id}
    await session.execute(update(Prediction).where(Prediction.chat_id == old).values(moved))
    await session.execute(update(Chat).where(Chat.modchat_id == old).values(modchat_id=new))
    await _move_runs(session, old, new)
    return True


async def _forget_messages(session: AsyncSession, old: int) -> None:
    """The bot's own messages stay behind; in the supergroup their numbers are others' messages."""
    for table in (Note, AlbumItem):
        await session.execute(delete(table).where(table.chat_id == old))
    cases = select(Case.id).where(Case.chat_id == old)
    acts = update(Enforcement).where(Enforcement.case_id.in_(cases))
    await session.execute(acts.values(message_id=None))
    await session.execute(
        update(Case).where(Case.card_chat_id == old).values(card_chat_id=None, card_message_id=None)
    )


async def _move_runs(session: AsyncSession, old: int, new: int) -> None:
    """A training is shown anew in the supergroup, and a verdict that nobody decided about, too."""
    moved = {"chat_id": new, "message_id": None, "thread_id": None, "verdict_id": None}
    await session.execute(update(TrainingRun).where(TrainingRun.chat_id == old).values(moved))
    last = select(func.max(TrainingRun.id)).scalar_subquery()
    is_open = (TrainingRun.version.is_not(None), TrainingRun.decision.is_(None))
    again = update(TrainingRun).where(TrainingRun.id == last, TrainingRun.chat_id == new, *is_open)
    await session.execute(again.values(is_reported=False))


async def sharing(session: AsyncSession, modchat_id: int) -> list[Chat]:
    """The groups whose cards go to a chat, by title."""
    statement = select(Chat).where(Chat.modchat_id == modchat_id, Chat.id != modchat_id)
    return list(await session.scalars(statement.order_by(Chat.title)))
