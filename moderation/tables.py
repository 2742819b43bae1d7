"""The tables: chats, durable updates, predictions, cases, enforcements and labels."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from moderation.categories import Category
from moderation.policy import Action

# SQLite gives row ids of its own to INTEGER keys only.
_BigId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite stores no time zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


def _names(enum: type[Any]) -> Enum:
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.name.lower() for member in members],
    )


class Table(DeclarativeBase):
    """The base of all tables."""

    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy's own idiom


class Chat(Table):
    """A group under moderation, and where its cards go."""

    __tablename__ = "chat"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[str] = mapped_column(String(32), default="supergroup")
    is_active: Mapped[bool] = mapped_column(default=True)
    preset: Mapped[str] = mapped_column(String(32), default="standard")
    owner_id: Mapped[int | None] = mapped_column(BigInteger)  # who added the bot
    modchat_id: Mapped[int | None] = mapped_column(BigInteger)  # cards go to the owner until set
    rights: Mapped[list[str] | None] = mapped_column(JSON)  # the bot's, as last seen; None: unknown
    greeting_id: Mapped[int | None] = mapped_column(BigInteger)  # edited when the rights change
    card_error: Mapped[str | None] = mapped_column(Text)  # why the last card reached nobody
    added_at: Mapped[datetime] = mapped_column(default=now)


class UpdateState(StrEnum):
    """How far an update has come."""

    PENDING = "pending"
    DONE = "done"
    QUARANTINED = "quarantined"


class InboxUpdate(Table):
    """An update as Telegram sent it, kept until it is handled."""

    __tablename__ = "inbox_update"
    __table_args__ = (Index("ix_inbox_update_state", "state", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    chat_id: Mapped[int | None] = mapped_column(BigInteger)
    payload: Mapped[str] = mapped_column(Text)  # JSON with escapes, so that any text fits
    state: Mapped[UpdateState] = mapped_column(_names(UpdateState), default=UpdateState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(default=now)


class Prediction(Table):
    """The scores of one revision of a message and what was decided. No text is kept here."""

    __tablename__ = "prediction"
    __table_args__ = (
        UniqueConstraint("chat_id", "message_id", "revision"),
        Index("ix_prediction_chat_created", "chat_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(_BigId, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    revision: Mapped[int] = mapped_column(BigInteger)  # 0, or the edit's date in Unix seconds
    user_id: Mapped[int] = mapped_column(BigInteger)  # negative: a channel wrote it
    content_hash: Mapped[str] = mapped_column(String(32))  # keyed, so it can't be guessed back
    field: Mapped[str] = mapped_column(String(32))  # where the words that weighed most stood
    model_version: Mapped[str] = mapped_column(String(128))
    scores: Mapped[dict[str, float]] = mapped_column(JSON)
    action: Mapped[Action] = mapped_column(_names(Action))
    category: Mapped[Category | None] = mapped_column(_names(Category))
    score: Mapped[float] = mapped_column(Float)
    threshold: Mapped[float] = mapped_column(Float)
    exempt: Mapped[str | None] = mapped_column(String(32))  # why the decision was not applied
    created_at: Mapped[datetime] = mapped_column(default=now)


class Verdict(StrEnum):
    """What the moderators said about a case."""

    CONFIRMED = "confirmed"
    CLEAN = "clean"
    CORRECTED = "corrected"


class Case(Table):
    """A message that was acted on or needs a look, with its text, and the moderators' verdict."""

    __tablename__ = "case"

    id: Mapped[int] = mapped_column(_BigId, primary_key=True)
    prediction_id: Mapped[int] = mapped_column(ForeignKey("prediction.id"), unique=True)
    chat_id: Mapped[int] = mapped_column(BigInteger, index=True)
    thread_id: Mapped[int | None] = mapped_column(BigInteger)  # of a forum's topic
    user_name: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    flagged: Mapped[list[str]] = mapped_column(JSON)  # the categories that the card claims
    card_chat_id: Mapped[int | None] = mapped_column(BigInteger)
    card_message_id: Mapped[int | None] = mapped_column(BigInteger)
    verdict: Mapped[Verdict | None] = mapped_column(_names(Verdict))
    resolved_by: Mapped[int | None] = mapped_column(BigInteger)
    resolved_by_name: Mapped[str | None] = mapped_column(Text)
    resolved_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    prediction: Mapped[Prediction] = relationship(lazy="joined", innerjoin=True)


class Act(StrEnum):
    """One call that changes something for people, or takes such a change back."""

    NOTICE = "notice"
    DELETE = "delete"
    MUTE = "mute"
    BAN = "ban"
    UNMUTE = "unmute"
    UNBAN = "unban"
    RESTORE = "restore"  # the deleted words stand in the chat again, as a quote


class ActState(StrEnum):
    """What became of an act. Attempted without an outcome: the bot stopped in between."""

    PENDING = "pending"
    ATTEMPTED = "attempted"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Enforcement(Table):
    """One act for a case: recorded, then attempted, then its outcome."""

    __tablename__ = "enforcement"
    __table_args__ = (UniqueConstraint("case_id", "act"),)

    id: Mapped[int] = mapped_column(_BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    act: Mapped[Act] = mapped_column(_names(Act))
    state: Mapped[ActState] = mapped_column(_names(ActState), default=ActState.PENDING)
    detail: Mapped[str | None] = mapped_column(Text)  # Telegram's answer, or why it was skipped
    until: Mapped[datetime | None]  # fixed before the call, so that repeating it changes nothing
    message_id: Mapped[int | None] = mapped_column(BigInteger)  # of what the bot wrote
    created_at: Mapped[datetime] = mapped_column(default=now)


class Label(Table):
    """What one moderator said about one text. Append-only: a later row overrides an earlier one
    of the same moderator."""

    __tablename__ = "label"

    id: Mapped[int] = mapped_column(_BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    moderator_id: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(Text)
    vector: Mapped[dict[str, int | None]] = mapped_column(JSON)  # every category: 1, 0 or unknown
    model_version: Mapped[str] = mapped_column(String(128))
    scores: Mapped[dict[str, float]] = mapped_column(JSON)  # as shown to the moderator
    created_at: Mapped[datetime] = mapped_column(default=now)
