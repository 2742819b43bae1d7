"""Since when a case's card is owed, so that it can be posted later than its update is done."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("case", sa.Column("card_due", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("case", "card_due")
