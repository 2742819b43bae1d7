"""The tables: chats, durable updates, predictions, cases, enforcements, labels and people.

Those of models in training and in service stand in run_tables.py and can be had from here, too.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from moderation.album_tables import AlbumItem as AlbumItem
from moderation.categories import Category
from moderation.columns import BigId, Table, names, now
from moderation.policy import Action
from moderation.run_tables import Promotion as Promotion
from moderation.run_tables import TrainingRun as TrainingRun
from moderation.states import (
    Act,
    ActState,
    AssignmentState,
    Origin,
    PersonDecision,
    Source,
    Step,
    UpdateState,
    Verdict,
)


class Chat(Table):
    """A group under moderation, and where its cards go."""

    __tablename__ = "chat"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[str] = mapped_column(String(32), default="supergroup")
    is_active: Mapped[bool] = mapped_column(default=True)
    preferences: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # of preferences.py
    owner_id: Mapped[int | None] = mapped_column(BigInteger)  # who added the bot
    modchat_id: Mapped[int | None] = mapped_column(BigInteger)  # cards go to the owner until set
    rights: Mapped[list[str] | None] = mapped_column(JSON)  # the bot's, as last seen; None: unknown
    greeting_id: Mapped[int | None] = mapped_column(BigInteger)  # edited when the rights change
    card_error: Mapped[str | None] = mapped_column(Text)  # why the last card reached nobody
    added_at: Mapped[datetime] = mapped_column(default=now)
    moved_to: Mapped[int | None] = mapped_column(BigInteger)  # it is a supergroup of this id now
    removed_at: Mapped[datetime | None]  # what is stored about the group goes some days later


class PreferenceChange(Table):
    """One change of a group's preferences: who, when, from what to what."""

    __tablename__ = "preference_change"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger, index=True)
    user_id: Mapped[int] = mapped_column(BigInteger)
    field: Mapped[str] = mapped_column(String(64))
    before: Mapped[Any] = mapped_column(JSON)
    after: Mapped[Any] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Member(Table):
    """What is known of a person in a group beside their messages."""

    __tablename__ = "member"

    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    joined_at: Mapped[datetime | None]  # None: was there before the bot looked
    reports_blocked_until: Mapped[datetime | None]


class InboxUpdate(Table):
    """An update as Telegram sent it, kept until it is handled."""

    __tablename__ = "inbox_update"
    __table_args__ = (Index("ix_inbox_update_state", "state", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    chat_id: Mapped[int | None] = mapped_column(BigInteger)
    # JSON with escapes, so that any text fits; emptied once it is handled.
    payload: Mapped[str] = mapped_column(Text)
    state: Mapped[UpdateState] = mapped_column(names(UpdateState), default=UpdateState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(default=now)


class Note(Table):
    """A message in a group that is to vanish after a while: an answer, or the command before it."""

    __tablename__ = "note"

    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Prediction(Table):
    """The scores of one revision of a message and what was decided. No text is kept here."""

    __tablename__ = "prediction"
    __table_args__ = (
        UniqueConstraint("chat_id", "message_id", "revision"),
        # Holds all by which /stats counts, so that it never reads the rows themselves.
        Index("ix_prediction_chat_created", "chat_id", "created_at", "action", "stratum", "exempt"),
        Index("ix_prediction_chat_user", "chat_id", "user_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    revision: Mapped[int] = mapped_column(BigInteger)  # 0, or the edit's date in Unix seconds
    user_id: Mapped[int] = mapped_column(BigInteger)  # negative: a channel; 0: forgotten
    content_hash: Mapped[str] = mapped_column(String(32))  # keyed, so it can't be guessed back
    field: Mapped[str] = mapped_column(String(32))  # where the words that weighed most stood
    model_version: Mapped[str] = mapped_column(String(128))
    scores: Mapped[dict[str, float]] = mapped_column(JSON)  # the highest of what the author wrote
    quoted_scores: Mapped[dict[str, float] | None] = mapped_column(JSON)  # of others' words in it
    remembered: Mapped[dict[str, int | None] | None] = mapped_column(JSON)  # a person's verdict
    is_newcomer: Mapped[bool] = mapped_column(default=False)
    stratum: Mapped[int] = mapped_column(default=0)  # of the audits' sampling, see accuracy.py
    action: Mapped[Action] = mapped_column(names(Action))
    category: Mapped[Category | None] = mapped_column(names(Category))
    score: Mapped[float] = mapped_column(Float)
    threshold: Mapped[float] = mapped_column(Float)
    exempt: Mapped[str | None] = mapped_column(String(32))  # why the decision was not applied
    created_at: Mapped[datetime] = mapped_column(default=now)


class Case(Table):
    """A message that was acted on or needs a look, with its text, and the moderators' verdict."""

    __tablename__ = "case"
    __table_args__ = (Index("ix_case_chat_created", "chat_id", "created_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    prediction_id: Mapped[int] = mapped_column(ForeignKey("prediction.id"), unique=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    origin: Mapped[Origin] = mapped_column(names(Origin), default=Origin.DECISION)
    probability: Mapped[float | None] = mapped_column(Float)  # with which an audit was drawn
    is_seconded: Mapped[bool] = mapped_column(default=False)  # a second moderator is asked, blind
    thread_id: Mapped[int | None] = mapped_column(BigInteger)  # of a forum's topic
    user_name: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)  # empty once its time is over
    text_key: Mapped[str] = mapped_column(String(32), default="", index=True)  # of memory.py
    flagged: Mapped[list[str]] = mapped_column(JSON)  # the categories that the card claims
    marks: Mapped[list[list[int]] | None] = mapped_column(JSON)  # where the weightiest words stand
    card_chat_id: Mapped[int | None] = mapped_column(BigInteger)
    card_message_id: Mapped[int | None] = mapped_column(BigInteger)
    card_due: Mapped[datetime | None]  # since when the moderators' card is behind; None: it isn't
    verdict: Mapped[Verdict | None] = mapped_column(names(Verdict))
    resolved_by: Mapped[int | None] = mapped_column(BigInteger)
    resolved_by_name: Mapped[str | None] = mapped_column(Text)
    resolved_at: Mapped[datetime | None]
    person: Mapped[PersonDecision | None] = mapped_column(names(PersonDecision))
    person_by: Mapped[int | None] = mapped_column(BigInteger)
    person_by_name: Mapped[str | None] = mapped_column(Text)
    person_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    prediction: Mapped[Prediction] = relationship(lazy="joined", innerjoin=True)


class Enforcement(Table):
    """One act for a case: recorded, then attempted, then its outcome."""

    __tablename__ = "enforcement"
    __table_args__ = (
        UniqueConstraint("case_id", "step", "act"),
        Index("ix_enforcement_message", "message_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    step: Mapped[Step] = mapped_column(names(Step), default=Step.DECISION)
    act: Mapped[Act] = mapped_column(names(Act))
    state: Mapped[ActState] = mapped_column(names(ActState), default=ActState.PENDING)
    detail: Mapped[str | None] = mapped_column(Text)  # Telegram's answer, or why it was skipped
    until: Mapped[datetime | None]  # fixed before the call, so that repeating it changes nothing
    former: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # the ChatMember before a mute
    message_id: Mapped[int | None] = mapped_column(BigInteger)  # of what the bot wrote
    created_at: Mapped[datetime] = mapped_column(default=now)


class Strike(Table):
    """One step up the ladder of a person in a group; it counts until it expires."""

    __tablename__ = "strike"
    __table_args__ = (Index("ix_strike_chat_user", "chat_id", "user_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    user_id: Mapped[int] = mapped_column(BigInteger)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Report(Table):
    """A member's report of a message."""

    __tablename__ = "report"
    __table_args__ = (
        UniqueConstraint("case_id", "reporter_id"),
        Index("ix_report_chat_reporter", "chat_id", "reporter_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    reporter_id: Mapped[int] = mapped_column(BigInteger)
    reporter_name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Assignment(Table):
    """A case of the review queue that was shown to a moderator."""

    __tablename__ = "assignment"
    __table_args__ = (
        UniqueConstraint("case_id", "moderator_id"),
        Index("ix_assignment_moderator", "moderator_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    moderator_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[AssignmentState] = mapped_column(
        names(AssignmentState), default=AssignmentState.SHOWN
    )
    created_at: Mapped[datetime] = mapped_column(default=now)


class Label(Table):
    """What one moderator said about one text. Append-only: a later row overrides an earlier one
    of the same moderator."""

    __tablename__ = "label"
    __table_args__ = (Index("ix_label_chat_key", "chat_id", "text_key", "created_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"), index=True)
    chat_id: Mapped[int | None] = mapped_column(BigInteger)  # None: imported
    moderator_id: Mapped[int] = mapped_column(BigInteger)  # negative: a pseudonym of an import
    source: Mapped[Source] = mapped_column(names(Source))
    text: Mapped[str] = mapped_column(Text)  # empty once its author asked to be forgotten
    text_key: Mapped[str] = mapped_column(String(32), default="")
    vector: Mapped[dict[str, int | None]] = mapped_column(JSON)  # every category: 1, 0 or unknown
    model_version: Mapped[str] = mapped_column(String(128))
    scores: Mapped[dict[str, float]] = mapped_column(JSON)  # of the model, hidden in an audit
    probability: Mapped[float | None] = mapped_column(Float)  # of an audit's draw
    import_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
