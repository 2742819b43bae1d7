"""Which messages are items of one album, so that they are deleted together."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "album_item",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("album_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("chat_id", "message_id"),
    )
    op.create_index("ix_album_item_album", "album_item", ["chat_id", "album_id"])
    op.create_index("ix_album_item_created", "album_item", ["created_at"])


def downgrade() -> None:
    op.drop_index("ix_album_item_created", "album_item")
    op.drop_index("ix_album_item_album", "album_item")
    op.drop_table("album_item")
