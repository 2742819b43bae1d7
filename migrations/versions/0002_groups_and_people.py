"""Preferences of groups, people, strikes, reports, audits, the review queue."""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
NAMING = {"uq": "uq_%(table_name)s_%(column_0_name)s"}


def upgrade() -> None:
    _upgrade_chat()
    _upgrade_prediction()
    _upgrade_case()
    _upgrade_enforcement()
    _upgrade_label()
    op.execute("UPDATE inbox_update SET payload = '' WHERE state = 'done'")
    op.create_table(
        "preference_change",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.String(64), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_index("ix_preference_change_chat_id", "preference_change", ["chat_id"])
    op.create_table(
        "member",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("joined_at", MOMENT, nullable=True),
        sa.Column("reports_blocked_until", MOMENT, nullable=True),
    )
    op.create_table(
        "note",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
    op.create_index("ix_note_expires_at", "note", ["expires_at"])
    op.create_table(
        "strike",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", BIG_ID, sa.ForeignKey("case.id"), nullable=False, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
    )
    op.create_index("ix_strike_chat_user", "strike", ["chat_id", "user_id"])
    op.create_table(
        "report",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", BIG_ID, sa.ForeignKey("case.id"), nullable=False),
        sa.Column("reporter_id", sa.BigInteger(), nullable=False),
        sa.Column("reporter_name", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("case_id", "reporter_id"),
    )
    op.create_index("ix_report_chat_reporter", "report", ["chat_id", "reporter_id", "created_at"])
    op.create_table(
        "assignment",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("case_id", BIG_ID, sa.ForeignKey("case.id"), nullable=False),
        sa.Column("moderator_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("case_id", "moderator_id"),
    )
    op.create_index("ix_assignment_moderator", "assignment", ["moderator_id", "created_at"])


def downgrade() -> None:
    for table in ("assignment", "report", "strike", "note", "member", "preference_change"):
        op.drop_table(table)
    _downgrade_label()
    _downgrade_enforcement()
    _downgrade_case()
    _downgrade_prediction()
    _downgrade_chat()


def _upgrade_chat() -> None:
    with op.batch_alter_table("chat") as batch:
        batch.add_column(sa.Column("preferences", sa.JSON(), nullable=False, server_default="{}"))
        batch.add_column(sa.Column("moved_to", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("removed_at", MOMENT, nullable=True))
    chat = sa.table(
        "chat", sa.column("id"), sa.column("preset"), sa.column("preferences", sa.JSON())
    )
    for chat_id, preset in op.get_bind().execute(sa.select(chat.c.id, chat.c.preset)).all():
        changed = sa.update(chat).where(chat.c.id == chat_id)
        op.get_bind().execute(changed.values(preferences={"preset": preset}))
    with op.batch_alter_table("chat") as batch:
        batch.drop_column("preset")
        batch.alter_column("preferences", server_default=None)


def _downgrade_chat() -> None:
    with op.batch_alter_table("chat") as batch:
        batch.add_column(
            sa.Column("preset", sa.String(32), nullable=False, server_default="standard")
        )
    chat = sa.table("chat", sa.column("id"), sa.column("preset"), sa.column("preferences"))
    for chat_id, stored in op.get_bind().execute(sa.select(chat.c.id, chat.c.preferences)).all():
        preferences = json.loads(stored) if isinstance(stored, str) else stored
        preset = preferences.get("preset", "standard")
        op.get_bind().execute(sa.update(chat).where(chat.c.id == chat_id).values(preset=preset))
    with op.batch_alter_table("chat") as batch:
        batch.drop_column("removed_at")
        batch.drop_column("moved_to")
        batch.drop_column("preferences")
        batch.alter_column("preset", server_default=None)


def _upgrade_prediction() -> None:
    with op.batch_alter_table("prediction") as batch:
        batch.add_column(sa.Column("quoted_scores", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("remembered", sa.JSON(), nullable=True))
        batch.add_column(
            sa.Column("is_newcomer", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.add_column(sa.Column("stratum", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("prediction") as batch:
        batch.alter_column("is_newcomer", server_default=None)
        batch.alter_column("stratum", server_default=None)
    op.drop_index("ix_prediction_chat_created", "prediction")
    op.create_index(
        "ix_prediction_chat_created", "prediction", ["chat_id", "created_at", "action", "stratum"]
    )
    op.create_index("ix_prediction_chat_user", "prediction", ["chat_id", "user_id", "created_at"])


def _downgrade_prediction() -> None:
    op.drop_index("ix_prediction_chat_user", "prediction")
    op.drop_index("ix_prediction_chat_created", "prediction")
    op.create_index("ix_prediction_chat_created", "prediction", ["chat_id", "created_at"])
    with op.batch_alter_table("prediction") as batch:
        for column in ("stratum", "is_newcomer", "remembered", "quoted_scores"):
            batch.drop_column(column)


def _upgrade_case() -> None:
    with op.batch_alter_table("case") as batch:
        batch.add_column(
            sa.Column("origin", sa.String(32), nullable=False, server_default="decision")
        )
        batch.add_column(sa.Column("probability", sa.Float(), nullable=True))
        batch.add_column(
            sa.Column("is_seconded", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.add_column(sa.Column("text_key", sa.String(32), nullable=False, server_default=""))
        batch.add_column(sa.Column("marks", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("person", sa.String(32), nullable=True))
        batch.add_column(sa.Column("person_by", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("person_by_name", sa.Text(), nullable=True))
        batch.add_column(sa.Column("person_at", MOMENT, nullable=True))
    with op.batch_alter_table("case") as batch:
        for column in ("origin", "is_seconded", "text_key"):
            batch.alter_column(column, server_default=None)
    op.drop_index("ix_case_chat_id", "case")
    op.create_index("ix_case_chat_created", "case", ["chat_id", "created_at"])
    op.create_index("ix_case_text_key", "case", ["text_key"])


def _downgrade_case() -> None:
    op.drop_index("ix_case_text_key", "case")
    op.drop_index("ix_case_chat_created", "case")
    op.create_index("ix_case_chat_id", "case", ["chat_id"])
    columns = ("person_at", "person_by_name", "person_by", "person", "marks")
    with op.batch_alter_table("case") as batch:
        for column in (*columns, "text_key", "is_seconded", "probability", "origin"):
            batch.drop_column(column)


def _upgrade_enforcement() -> None:
    with op.batch_alter_table("enforcement", naming_convention=NAMING) as batch:
        batch.drop_constraint(_unique("enforcement"), type_="unique")
        batch.add_column(
            sa.Column("step", sa.String(32), nullable=False, server_default="decision")
        )
        batch.add_column(sa.Column("former", sa.JSON(), nullable=True))
        batch.create_unique_constraint(
            "enforcement_case_id_step_act_key", ["case_id", "step", "act"]
        )
    with op.batch_alter_table("enforcement") as batch:
        batch.alter_column("step", server_default=None)
    op.create_index("ix_enforcement_message", "enforcement", ["message_id"])


def _downgrade_enforcement() -> None:
    op.drop_index("ix_enforcement_message", "enforcement")
    op.execute("DELETE FROM enforcement WHERE step NOT IN ('decision', 'verdict')")
    op.execute(
        "DELETE FROM enforcement WHERE id NOT IN"
        " (SELECT MIN(id) FROM enforcement GROUP BY case_id, act)"
    )
    with op.batch_alter_table("enforcement") as batch:
        batch.drop_constraint("enforcement_case_id_step_act_key", type_="unique")
        batch.drop_column("former")
        batch.drop_column("step")
        batch.create_unique_constraint("enforcement_case_id_act_key", ["case_id", "act"])


def _unique(table: str) -> str:
    """The name of a table's only unique constraint; SQLite gives none, then the convention's."""
    (found,) = sa.inspect(op.get_bind()).get_unique_constraints(table)
    return found["name"] or NAMING["uq"] % {"table_name": table, "column_0_name": "case_id"}


def _upgrade_label() -> None:
    with op.batch_alter_table("label") as batch:
        batch.alter_column("case_id", existing_type=BIG_ID, nullable=True)
        batch.alter_column("chat_id", existing_type=sa.BigInteger(), nullable=True)
        batch.add_column(sa.Column("text_key", sa.String(32), nullable=False, server_default=""))
        batch.add_column(sa.Column("probability", sa.Float(), nullable=True))
        batch.add_column(sa.Column("import_key", sa.String(64), nullable=True))
        batch.create_unique_constraint("label_import_key_key", ["import_key"])
    with op.batch_alter_table("label") as batch:
        batch.alter_column("text_key", server_default=None)
    op.create_index("ix_label_chat_key", "label", ["chat_id", "text_key", "created_at"])


def _downgrade_label() -> None:
    op.drop_index("ix_label_chat_key", "label")
    op.execute("DELETE FROM label WHERE case_id IS NULL OR chat_id IS NULL")
    with op.batch_alter_table("label") as batch:
        batch.drop_constraint("label_import_key_key", type_="unique")
        for column in ("import_key", "probability", "text_key"):
            batch.drop_column(column)
        batch.alter_column("chat_id", existing_type=sa.BigInteger(), nullable=False)
        batch.alter_column("case_id", existing_type=BIG_ID, nullable=False)
