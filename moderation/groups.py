"""Groups as wholes: a group that became a supergroup has another id everywhere."""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.tables import (
    Case,
    Chat,
    InboxUpdate,
    Label,
    Member,
    Prediction,
    PreferenceChange,
    Report,
    Strike,
)

_BY_CHAT = (Case, Label, Member, PreferenceChange, Report, Strike, InboxUpdate)


async def rekey(session: AsyncSession, old: int, new: int) -> bool:
    """Give all that is stored about group `old` the id `new`; false if there is nothing to move.

    To be called in one transaction, as often as Telegram tells of it: the second time does nothing.
    """
    group = await session.get(Chat, old)
    if group is None or old == new:
        return False
    if await session.get(Chat, new) is not None:
        # Messages of the supergroup came first and made a blank row; the old one knows more.
        await session.execute(delete(Chat).where(Chat.id == new))
        await session.execute(delete(Member).where(Member.chat_id == new))
    values = {"kind": "supergroup", "is_active": True, "removed_at": None, "greeting_id": None}
    await session.execute(update(Chat).where(Chat.id == old).values(id=new, **values))
    for table in _BY_CHAT:
        await session.execute(update(table).where(table.chat_id == old).values(chat_id=new))
    # The supergroup counts its messages anew, so an old number could be taken for a new message's.
    moved = {"chat_id": new, "message_id": -Prediction.message_id}
    await session.execute(update(Prediction).where(Prediction.chat_id == old).values(moved))
    await session.execute(update(Chat).where(Chat.modchat_id == old).values(modchat_id=new))
    await session.execute(
        update(Case).where(Case.card_chat_id == old).values(card_chat_id=None, card_message_id=None)
    )
    return True


async def sharing(session: AsyncSession, modchat_id: int) -> list[Chat]:
    """The groups whose cards go to a chat, by title."""
    statement = select(Chat).where(Chat.modchat_id == modchat_id, Chat.id != modchat_id)
    return list(await session.scalars(statement.order_by(Chat.title)))
