"""Trainings of new models, and which version was put into service when."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

NAME, RUNNING = "ix_training_run_running", sa.text("state = 'running'")
MOMENT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "training_run",
        sa.Column("id", KEY, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "running",
                "finished",
                "cancelled",
                "failed",
                "interrupted",
                name="runstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("started_by", sa.BigInteger(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("heartbeat_at", MOMENT, nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
        sa.Column("verdict_id", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("phase", sa.String(length=32), nullable=True),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=True),
        sa.Column("cancelled_by", sa.BigInteger(), nullable=True),
        sa.Column("is_reported", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("version", sa.String(length=128), nullable=True),
        sa.Column("champion", sa.String(length=128), nullable=True),
        sa.Column("promote", sa.Boolean(), nullable=True),
        sa.Column(
            "decision",
            sa.Enum("enabled", "kept", "forced", name="rundecision", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("shadow", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        NAME, "training_run", ["state"], unique=True, sqlite_where=RUNNING, postgresql_where=RUNNING
    )

    op.create_table(
        "promotion",
        sa.Column("id", KEY, nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("previous", sa.String(length=128), nullable=True),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("run_id", KEY, nullable=True),
        sa.Column("is_forced", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["training_run.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("at"),
    )


def downgrade() -> None:
    op.drop_table("promotion")
    op.drop_index(NAME, "training_run")

    op.drop_table("training_run")
