"""Acts of enforcement as rows: planned, begun once, ended; and what they say of a person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moderation import albums
from moderation.columns import now
from moderation.inserts import insert
from moderation.states import Act, ActState, PersonDecision, Step, Verdict
from moderation.tables import Case, Enforcement, Label, Prediction


async def enforcements(session: AsyncSession, case_id: int) -> Sequence[Enforcement]:
    """The acts of a case in the order in which they were planned."""
    statement = select(Enforcement).where(Enforcement.case_id == case_id)
    return (await session.scalars(statement.order_by(Enforcement.id))).all()


async def plan(session: AsyncSession, case_id: int, acts: Iterable[Act], step: Step) -> None:
    """Record acts that are to be attempted; those of this step planned before stay as they are,
    whoever planned them."""
    rows = [
        {"case_id": case_id, "act": act, "step": step, "state": ActState.PENDING} for act in acts
    ]
    if rows:
        await session.execute(insert(session, Enforcement).on_conflict_do_nothing(), rows)


async def replan(session: AsyncSession, case_id: int, rows: Sequence[Enforcement]) -> None:
    """Record acts of a step, or try those again that were planned in it before."""
    known = {(row.step, row.act): row for row in await enforcements(session, case_id)}
    for row in rows:
        before = known.get((row.step, row.act))
        if before is None:
            row.case_id = case_id
            session.add(row)
        else:
            before.state, before.detail, before.until = ActState.PENDING, None, row.until
            before.created_at = now()


async def reopen_deletion(session: AsyncSession, case_id: int) -> None:
    """Do a case's deletion again, for there is more to delete than was known: one that is under
    way, too, since nobody can tell what it still takes with it."""
    statement = update(Enforcement).where(
        Enforcement.case_id == case_id,
        Enforcement.act == Act.DELETE,
        Enforcement.state.in_([ActState.ATTEMPTED, ActState.DONE]),
    )
    await session.execute(statement.values(state=ActState.PENDING, detail=None))


async def cancel(
    session: AsyncSession, case_id: int, acts: Iterable[Act], step: Step, reason: str
) -> None:
    """Give up acts that nobody has begun."""
    statement = update(Enforcement).where(
        Enforcement.case_id == case_id,
        Enforcement.act.in_(list(acts)),
        Enforcement.step == step,
        Enforcement.state == ActState.PENDING,
    )
    await session.execute(statement.values(state=ActState.SKIPPED, detail=reason))


async def begin(session: AsyncSession, enforcement_id: int) -> bool:
    """Take an act upon oneself; false if another worker did before."""
    statement = update(Enforcement).where(
        Enforcement.id == enforcement_id, Enforcement.state == ActState.PENDING
    )
    begun = statement.values(state=ActState.ATTEMPTED).returning(Enforcement.id)
    return (await session.scalars(begun)).one_or_none() is not None


async def begin_all(session: AsyncSession, ids: Sequence[int]) -> None:
    """Take acts upon oneself that were found open in the same transaction."""
    statement = update(Enforcement).where(Enforcement.id.in_(ids))
    await session.execute(statement.values(state=ActState.ATTEMPTED))


async def end(
    session: AsyncSession,
    enforcement_id: int,
    state: ActState,
    detail: str | None = None,
    message_id: int | None = None,
) -> None:
    """Note what became of an act that was begun; what was asked for anew meanwhile stays open."""
    statement = update(Enforcement).where(
        Enforcement.id == enforcement_id, Enforcement.state == ActState.ATTEMPTED
    )
    values = {"state": state, "detail": detail, "message_id": message_id}
    await session.execute(statement.values(**values))


async def is_open(session: AsyncSession, case_id: int) -> bool:
    """Whether something is still to be done about a case."""
    statement = select(Enforcement.id).where(
        Enforcement.case_id == case_id,
        Enforcement.state.in_([ActState.PENDING, ActState.ATTEMPTED]),
    )
    return await session.scalar(statement.limit(1)) is not None


async def deletions(
    session: AsyncSession, case_ids: Sequence[int]
) -> list[tuple[Enforcement, int]]:
    """The deletions of some cases that are still to be done, each with its message's id, or with
    those of all items of an album. What has no message, and those of before a group became a
    supergroup are left out: their numbers mean nothing there."""
    statement = (
        select(Enforcement, Prediction.message_id, Case.chat_id)
        .join(Case, Case.id == Enforcement.case_id)
        .join(Prediction, Prediction.id == Case.prediction_id)
        .where(Enforcement.case_id.in_(case_ids), Enforcement.act == Act.DELETE)
        .where(Enforcement.state.in_([ActState.PENDING, ActState.ATTEMPTED]))
        .where(Prediction.message_id > 0)
        .order_by(Enforcement.id)
    )
    found = [(row, number, chat_id) for row, number, chat_id in await session.execute(statement)]
    rows = {number: row for row, number, _ in found}
    deleted: list[tuple[Enforcement, int]] = []  # what becomes of the words themselves comes last
    for chat_id in {chat_id for _, _, chat_id in found}:
        items = await albums.others(session, chat_id, list(rows))
        deleted += [(rows[of], number) for number, of in items.items()]
    return [*deleted, *((row, number) for row, number, _ in found)]


async def set_act(
    session: AsyncSession,
    enforcement_id: int,
    state: ActState,
    detail: str | None = None,
    message_id: int | None = None,
) -> None:
    """Note how far an act has come."""
    values = {"state": state, "detail": detail, "message_id": message_id}
    statement = update(Enforcement).where(Enforcement.id == enforcement_id)
    await session.execute(statement.values(**values))


async def expired_notices(session: AsyncSession, age: timedelta) -> Sequence[tuple[int, int, int]]:
    """(enforcement id, chat id, message id) of notices that have stood long enough."""
    statement = (
        select(Enforcement.id, Case.chat_id, Enforcement.message_id)
        .join(Case, Case.id == Enforcement.case_id)
        .where(Enforcement.act == Act.NOTICE, Enforcement.message_id.is_not(None))
        .where(Enforcement.created_at < now() - age)
    )
    rows = await session.execute(statement)
    return [(id_, chat_id, message_id) for id_, chat_id, message_id in rows if message_id]


@dataclass(frozen=True, slots=True)
class Mute:
    """A mute that was done, and whether it was taken back."""

    id: int
    case_id: int
    until: datetime | None
    former: Mapping[str, Any] | None
    is_undone: bool


async def mutes(session: AsyncSession, chat_id: int, user_id: int) -> list[Mute]:
    """All mutes of a person in a group that took effect, the oldest first."""
    statement = (
        select(Enforcement)
        .join(Case, Case.id == Enforcement.case_id)
        .join(Prediction, Prediction.id == Case.prediction_id)
        .where(Prediction.chat_id == chat_id, Prediction.user_id == user_id)
        # Taking back is skipped while a later mute stands, and counts once that one goes too.
        .where(
            or_(
                and_(Enforcement.act == Act.MUTE, Enforcement.state == ActState.DONE),
                and_(
                    Enforcement.act == Act.UNMUTE,
                    Enforcement.state.in_([ActState.DONE, ActState.SKIPPED]),
                ),
            )
        )
        .order_by(Enforcement.id)
    )
    rows = (await session.scalars(statement)).all()
    undone = {row.case_id: row.id for row in rows if row.act is Act.UNMUTE}
    return [
        Mute(row.id, row.case_id, row.until, row.former, row.id < undone.get(row.case_id, 0))
        for row in rows
        if row.act is Act.MUTE
    ]


async def is_warned(session: AsyncSession, case: Case) -> bool:
    """Whether the author heard of another revision of a case's message, or is about to, and no
    moderator took that back."""
    row = case.prediction
    statement = (
        select(Enforcement.id)
        .join(Case, Case.id == Enforcement.case_id)
        .join(Prediction, Prediction.id == Case.prediction_id)
        .where(Prediction.chat_id == row.chat_id, Prediction.message_id == row.message_id)
        .where(Case.id != case.id, Enforcement.act == Act.NOTICE)
        .where(Enforcement.state.in_([ActState.PENDING, ActState.ATTEMPTED, ActState.DONE]))
        .where(or_(Case.verdict.is_(None), Case.verdict != Verdict.CLEAN))
        .where(or_(Case.person.is_(None), Case.person != PersonDecision.FORGIVE))
    )
    return bool(await session.scalar(select(statement.exists())))


async def notices_to(
    session: AsyncSession, chat_id: int, user_id: int, since: datetime
) -> Sequence[Enforcement]:
    """The notices to an author since a moment that were shown, the oldest first."""
    statement = (
        select(Enforcement)
        .join(Case, Case.id == Enforcement.case_id)
        .join(Prediction, Prediction.id == Case.prediction_id)
        .where(Prediction.chat_id == chat_id, Prediction.user_id == user_id)
        .where(Enforcement.act == Act.NOTICE, Enforcement.state == ActState.DONE)
        .where(Enforcement.created_at >= since)
        .order_by(Enforcement.id)
    )
    return (await session.scalars(statement)).all()


async def claim_person(
    session: AsyncSession, case_id: int, decision: PersonDecision, moderator_id: int, name: str
) -> bool:
    """Note what was decided about a case's author, unless somebody did before; forgiving may come
    after anything else. Only for a case whose text was called toxic."""
    open_: ColumnElement[bool] = Case.person.is_(None)
    if decision is PersonDecision.FORGIVE:
        open_ = or_(open_, Case.person != PersonDecision.FORGIVE)
    statement = (
        update(Case)
        .where(Case.id == case_id, open_)
        .where(Case.verdict.in_([Verdict.CONFIRMED, Verdict.CORRECTED]))
        .values(person=decision, person_by=moderator_id, person_by_name=name, person_at=now())
    )
    return (await session.scalars(statement.returning(Case.id))).one_or_none() is not None


async def release_person(session: AsyncSession, case_id: int, decision: PersonDecision) -> None:
    """Take back a decision of which nothing could be done, so that another can be made."""
    statement = update(Case).where(Case.id == case_id, Case.person == decision)
    nobody = {"person": None, "person_by": None, "person_by_name": None, "person_at": None}
    await session.execute(statement.values(nobody))


async def verdict_vector(session: AsyncSession, case: Case) -> Mapping[str, int | None] | None:
    """What the one who decided a case said of its text."""
    statement = (
        select(Label.vector)
        .where(Label.case_id == case.id, Label.moderator_id == case.resolved_by)
        .order_by(Label.id.desc())
        .limit(1)
    )
    return await session.scalar(statement)
