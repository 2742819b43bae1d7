"""Queries about training runs, and about which version was put into service when."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.columns import now
from moderation.database import Sessions
from moderation.inserts import ensure, insert
from moderation.states import RunDecision, RunState
from moderation.tables import Promotion, TrainingRun

RESUMABLE = (RunState.CANCELLED, RunState.FAILED, RunState.INTERRUPTED)
BY_LIMIT = 128


async def claim(
    session: AsyncSession,
    folder: str,
    started_by: int | None,
    *,
    chat_id: int | None = None,
    message_id: int | None = None,
    thread_id: int | None = None,
    language: str = "ru",
    labels: int | None = None,
) -> int | None:
    """Begin a run; its id, or None if one is running. The instance that follows it starts it."""
    statement = insert(session, TrainingRun).on_conflict_do_nothing().returning(TrainingRun.id)
    moment = now()
    values = {
        "state": RunState.RUNNING, "folder": folder, "started_by": started_by,
        "started_at": moment, "heartbeat_at": moment, "chat_id": chat_id,
        "message_id": message_id, "thread_id": thread_id, "language": language, "share": 0.0,
        "labels": labels, "is_reported": False,
    }  # fmt: skip
    return (await session.scalars(statement.values(values))).one_or_none()


async def resume(sessions: Sessions, run_id: int, user_id: int) -> bool:
    """Let a run that stopped early go on; false if it did not, or another one is running."""
    statement = update(TrainingRun).where(
        TrainingRun.id == run_id, TrainingRun.state.in_(RESUMABLE)
    )
    values = {
        "state": RunState.RUNNING, "started_by": user_id, "finished_at": None, "host": None,
        "pid": None, "cancelled_by": None, "is_reported": False, "detail": None,
        "heartbeat_at": now(),
    }  # fmt: skip
    try:
        async with sessions.begin() as session:
            found = await session.scalars(statement.values(**values).returning(TrainingRun.id))
            return found.one_or_none() is not None
    except IntegrityError:
        return False


async def running(session: AsyncSession) -> TrainingRun | None:
    """The run that is under way."""
    statement = select(TrainingRun).where(TrainingRun.state == RunState.RUNNING)
    return (await session.scalars(statement)).one_or_none()


async def unreported(session: AsyncSession) -> Sequence[TrainingRun]:
    """The runs that ended and whose message doesn't say so yet."""
    statement = select(TrainingRun).where(
        TrainingRun.state != RunState.RUNNING, TrainingRun.is_reported.is_(False)
    )
    return (await session.scalars(statement.order_by(TrainingRun.id))).all()


async def newest(session: AsyncSession) -> TrainingRun | None:
    """The run that began last."""
    return (await session.scalars(select(TrainingRun).order_by(TrainingRun.id.desc()))).first()


async def folders(session: AsyncSession) -> dict[str, str | None]:
    """The folder of each run and the version that it published, the newest first."""
    statement = select(TrainingRun.folder, TrainingRun.version).order_by(TrainingRun.id.desc())
    return {row.folder: row.version for row in await session.execute(statement)}


async def undecided(session: AsyncSession) -> set[str]:
    """The version that was published last, if nobody has decided about it yet."""
    statement = select(TrainingRun).where(TrainingRun.version.is_not(None))
    last = (await session.scalars(statement.order_by(TrainingRun.id.desc()).limit(1))).first()
    return {str(last.version)} if last is not None and last.decision is None else set()


async def of_version(session: AsyncSession, version: str) -> TrainingRun | None:
    """The run that published a version."""
    statement = select(TrainingRun).where(TrainingRun.version == version)
    return (await session.scalars(statement.order_by(TrainingRun.id.desc()))).first()


async def lease(session: AsyncSession, run: TrainingRun) -> datetime | None:
    """Become, or stay, the one who follows a run: by a heartbeat after the one that was seen.
    None if somebody else's came first."""
    moment = now()
    statement = (
        update(TrainingRun)
        .where(TrainingRun.id == run.id, TrainingRun.heartbeat_at == run.heartbeat_at)
        .values(heartbeat_at=moment)
        .returning(TrainingRun.id)
        .execution_options(synchronize_session=False)
    )
    return moment if (await session.scalars(statement)).one_or_none() is not None else None


async def started(session: AsyncSession, run_id: int, host: str, pid: int | None) -> None:
    """Note where the process of a run is."""
    await _set(session, run_id, host=host, pid=pid)


async def progressed(session: AsyncSession, run_id: int, phase: str, share: float) -> None:
    """Note how far a run has come."""
    await _set(session, run_id, phase=phase, share=share)


async def shown(
    session: AsyncSession, run_id: int, chat_id: int, message_id: int, thread_id: int | None
) -> None:
    """Note where the message of a run stands."""
    await _set(session, run_id, chat_id=chat_id, message_id=message_id, thread_id=thread_id)


async def finish(
    session: AsyncSession,
    run_id: int,
    state: RunState,
    *,
    detail: str | None = None,
    version: str | None = None,
    champion: str | None = None,
    promote: bool | None = None,
) -> None:
    """Note how a run ended, unless that is known."""
    statement = update(TrainingRun).where(
        TrainingRun.id == run_id, TrainingRun.state == RunState.RUNNING
    )
    outcome = {"detail": detail, "version": version, "champion": champion, "promote": promote}
    await session.execute(statement.values(state=state, finished_at=now(), **outcome))


async def reported(session: AsyncSession, run_id: int) -> None:
    """Note that a run's message says how it ended."""
    await _set(session, run_id, is_reported=True)


async def verdict_shown(session: AsyncSession, run_id: int, message_id: int) -> None:
    """Note which message has the verdict."""
    await _set(session, run_id, verdict_id=message_id)


async def cancel(session: AsyncSession, run_id: int, user_id: int) -> bool:
    """Ask a running run to stop; whoever follows it does that. False if it is no longer running,
    or was asked before."""
    statement = update(TrainingRun).where(
        TrainingRun.id == run_id,
        TrainingRun.state == RunState.RUNNING,
        TrainingRun.cancelled_by.is_(None),
    )
    found = await session.scalars(statement.values(cancelled_by=user_id).returning(TrainingRun.id))
    return found.one_or_none() is not None


async def decide(
    session: AsyncSession, run_id: int, decision: RunDecision, user_id: int | None
) -> bool:
    """Note what is decided about a published version; false if somebody was first. A champion
    that was kept may still be replaced."""
    is_open: ColumnElement[bool] = TrainingRun.decision.is_(None)
    if decision is not RunDecision.KEPT:
        is_open = or_(is_open, TrainingRun.decision == RunDecision.KEPT)
    statement = (
        update(TrainingRun)
        .where(TrainingRun.id == run_id, TrainingRun.state == RunState.FINISHED, is_open)
        .values(decision=decision, decided_by=user_id, decided_at=now())
        .returning(TrainingRun.id)
    )
    return (await session.scalars(statement)).one_or_none() is not None


async def shadowed(session: AsyncSession, run_id: int, counts: dict[str, int]) -> None:
    """Note what a version would have changed."""
    await _set(session, run_id, shadow=counts)


async def ask_promotion(
    session: AsyncSession,
    version: str,
    by: str,
    run_id: int | None,
    *,
    previous: str | None = None,
    is_forced: bool = False,
) -> int:
    """Note that somebody is about to put a version into service in place of `previous`."""
    row = Promotion(
        version=version, previous=previous, by=by[:BY_LIMIT], run_id=run_id, is_forced=is_forced
    )
    session.add(row)
    await session.flush()
    return row.id


async def asked(session: AsyncSession) -> Promotion | None:
    """The last promotion, if it was written down and not made: a kill came in between."""
    last = (await session.scalars(select(Promotion).order_by(Promotion.id.desc()))).first()
    return last if last is not None and last.at is None else None


async def withdraw(session: AsyncSession, promotion_id: int) -> None:
    """Forget a promotion that could not be made, and what was decided: it is open again."""
    row = await session.get_one(Promotion, promotion_id)
    if row.run_id is not None:
        nothing = {"decision": None, "decided_by": None, "decided_at": None}
        await _set(session, row.run_id, **nothing)
    await session.delete(row)


async def promoted(
    session: AsyncSession, version: str, previous: str | None, by: str, at: datetime
) -> None:
    """Note that the registry's pointer was moved then, whoever did it; once only."""
    if (await session.scalars(select(Promotion.id).where(Promotion.at == at))).first() is not None:
        return
    asked = select(func.max(Promotion.id)).where(
        Promotion.version == version, Promotion.by == by[:BY_LIMIT], Promotion.at.is_(None)
    )
    row_id = await session.scalar(asked)
    if row_id is None:
        values = {"version": version, "previous": previous, "by": by[:BY_LIMIT], "at": at}
        await ensure(session, Promotion, is_forced=False, **values)
        return
    row = await session.get_one(Promotion, row_id)
    row.at, row.previous = at, previous


async def refuse(session: AsyncSession, at: datetime, reason: str) -> None:
    """Note why a version that was put into service then is not served."""
    statement = update(Promotion).where(Promotion.at == at)
    await session.execute(statement.values(refusal=reason))


async def promotions(session: AsyncSession, limit: int = 50) -> Sequence[Promotion]:
    """The last changes of the version in service, the newest first."""
    statement = select(Promotion).where(Promotion.at.is_not(None))
    return (await session.scalars(statement.order_by(Promotion.at.desc()).limit(limit))).all()


async def _set(session: AsyncSession, run_id: int, **values: object) -> None:
    statement = update(TrainingRun).where(TrainingRun.id == run_id)
    await session.execute(statement.values(**values))
