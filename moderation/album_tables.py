"""The table of albums' items: Telegram sends each as a message of its own."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from moderation.columns import Table, now


class AlbumItem(Table):
    """A message that is part of an album, kept as long as it can be deleted."""

    __tablename__ = "album_item"
    __table_args__ = (
        Index("ix_album_item_album", "chat_id", "album_id"),
        Index("ix_album_item_created", "created_at"),
    )

    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    album_id: Mapped[str] = mapped_column(String(64))  # Telegram's media_group_id
    created_at: Mapped[datetime] = mapped_column(default=now)
