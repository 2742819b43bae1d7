"""The tables of models: their training runs, and which version was put into service when."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from moderation.columns import BigId, Table, names, now
from moderation.states import RunDecision, RunState


class TrainingRun(Table):
    """A training of a new model, from the press to what was decided about its outcome."""

    __tablename__ = "training_run"
    __table_args__ = (
        # At most one runs, whoever starts it and from where.
        Index(
            "ix_training_run_running",
            "state",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    state: Mapped[RunState] = mapped_column(names(RunState), default=RunState.RUNNING)
    started_by: Mapped[int | None] = mapped_column(BigInteger)  # None: the schedule
    started_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime] = mapped_column(default=now)  # of the instance that follows it
    host: Mapped[str | None] = mapped_column(Text)  # None: not started yet
    pid: Mapped[int | None]
    folder: Mapped[str] = mapped_column(Text)  # its name among the runs
    chat_id: Mapped[int | None] = mapped_column(BigInteger)  # where its message stands
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    thread_id: Mapped[int | None] = mapped_column(BigInteger)
    verdict_id: Mapped[int | None] = mapped_column(BigInteger)  # the message with the verdict
    language: Mapped[str] = mapped_column(String(8), default="ru")
    phase: Mapped[str | None] = mapped_column(String(32))
    share: Mapped[float] = mapped_column(Float, default=0.0)
    labels: Mapped[int | None]  # that were new when it began
    cancelled_by: Mapped[int | None] = mapped_column(BigInteger)  # who asked it to stop
    is_reported: Mapped[bool] = mapped_column(default=False)  # its message says how it ended
    detail: Mapped[str | None] = mapped_column(Text)  # why it failed; never anybody's words
    version: Mapped[str | None] = mapped_column(String(128))  # that it published
    champion: Mapped[str | None] = mapped_column(String(128))  # that it was compared with
    promote: Mapped[bool | None]  # the gate's word
    decision: Mapped[RunDecision | None] = mapped_column(names(RunDecision))
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None]
    shadow: Mapped[dict[str, int] | None] = mapped_column(JSON)  # what it would have changed


class Promotion(Table):
    """One change of the version in service: written before it is made, dated once it is."""

    __tablename__ = "promotion"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version: Mapped[str] = mapped_column(String(128))
    previous: Mapped[str | None] = mapped_column(String(128))
    by: Mapped[str] = mapped_column(String(128))  # an operator's id, or a program's name
    run_id: Mapped[int | None] = mapped_column(ForeignKey("training_run.id"))
    is_forced: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime | None] = mapped_column(unique=True)  # of the registry's pointer
    refusal: Mapped[str | None] = mapped_column(Text)  # why the bot did not serve it
