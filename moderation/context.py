"""What is known before a message is judged, in one query: that alone costs more than scoring a
short message does."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, and_, bindparam, select
from sqlalchemy.orm import aliased

from moderation import store
from moderation.database import Sessions
from moderation.tables import Chat, Label, Member, Prediction

_other = aliased(Chat)
_revision = aliased(Prediction)
_chat_id = bindparam("chat_id", type_=BigInteger)
_newest = (
    select(_revision.id)
    .where(_revision.chat_id == _chat_id, _revision.message_id == bindparam("message_id"))
    .order_by(_revision.revision.desc())
    .limit(1)
    .scalar_subquery()
)
_member = and_(Member.chat_id == Chat.id, Member.user_id == bindparam("user_id"))
_labels = select(Label.id).where(Label.chat_id == _chat_id, Label.text_key == bindparam("key"))
_context = (
    select(
        Chat,
        select(_other.id).where(_other.modchat_id == _chat_id, _other.id != _chat_id).exists(),
        Prediction.revision,
        Prediction.content_hash,
        Member.joined_at,
        _labels.exists(),
    )
    .select_from(Chat)
    .outerjoin(Prediction, Prediction.id == _newest)
    .outerjoin(Member, _member)
    .where(Chat.id == _chat_id)
)


@dataclass(frozen=True, slots=True)
class Context:
    """Of one message."""

    chat: Chat
    is_modchat: bool  # of another group
    revision: int | None  # the newest one that was judged; None: none was
    content_hash: str | None  # its
    joined_at: datetime | None  # its sender; None: before the bot looked
    has_labels: bool  # moderators of this group said something of the same words, some time


async def find(
    sessions: Sessions,
    chat: tuple[int, str, str],
    message_id: int,
    user_id: int,
    key: str,
) -> Context:
    """The context of a message in a chat (id, title, kind), whose row is made if it is new; `key`
    is of its words, see memory.py."""
    chat_id, title, kind = chat
    asked = {"chat_id": chat_id, "message_id": message_id, "user_id": user_id, "key": key}
    async with sessions() as session:
        row = (await session.execute(_context, asked)).one_or_none()
    if row is None or (row.Chat.title, row.Chat.kind) != (title, kind):
        async with sessions.begin() as session:
            await store.chat(session, chat_id, title, kind)
            row = (await session.execute(_context, asked)).one()
    return Context(*row)
