"""The review queue: which case a moderator sees next.

Three kinds share the moderator's time: what teaches most, blind audits drawn at random, so that
estimates stay unbiased, and second opinions. A moderator can't tell them apart.
"""

import hashlib
import random
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.inserts import insert
from moderation.preferences import Preferences
from moderation.states import AssignmentState, Origin, Source
from moderation.tables import Assignment, Case, Label, Prediction
from moderation.usefulness import Candidate, best

AGE = timedelta(days=14)  # older decisions are no longer worth a person's time
LEASE = timedelta(minutes=10)  # what one moderator looks at isn't shown to another meanwhile
AUDIT_BLOCK = 4  # one of so many served is an audit
SECOND_BLOCK = 20  # one of so many is somebody else's already
CANDIDATES = 200  # the newest open cases that compete
LABELLED = 200
RECENT = 5  # answers from which the next text should differ


class Kind(Enum):
    """Why a case is in the queue."""

    USEFUL = "useful"
    AUDIT = "audit"
    SECOND = "second"


def kind_of(moderator_id: int, served: int) -> Kind:
    """What comes after `served` cases: one of each four is an audit and one of each twenty a second
    opinion. Their places in a block differ, so that nobody can count them out."""
    if _is_audit(moderator_id, served):
        return Kind.AUDIT
    first = served - served % SECOND_BLOCK
    others = [i for i in range(first, first + SECOND_BLOCK) if not _is_audit(moderator_id, i)]
    place = _digest(moderator_id, SECOND_BLOCK, first) % len(others)
    return Kind.SECOND if others[place] == served else Kind.USEFUL


def source_of(case: Case, labelled_by: Collection[int]) -> Source | None:
    """What the answer of one more moderator is, after those who labelled the case; None if it
    comes too late to be anything."""
    if case.verdict is None and not labelled_by:
        return Source.AUDIT if case.origin is Origin.AUDIT else Source.REVIEW
    return Source.SECOND if case.is_seconded and len(labelled_by) == 1 else None


async def serve(
    session: AsyncSession,
    preferences: Mapping[int, Preferences],
    moderator_id: int,
    moment: datetime,
    rng: random.Random,
) -> Case | None:
    """The next case for a moderator of the groups in `preferences`, noted as shown; the one that
    still waits for this moderator's answer, if there is one. None: nothing is left."""
    case = await _waiting(session, preferences, moderator_id, moment)
    if case is None:
        served = await session.scalar(
            select(func.count(Assignment.id)).where(Assignment.moderator_id == moderator_id)
        )
        wanted = kind_of(moderator_id, served or 0)
        for kind in (wanted, *(kind for kind in Kind if kind is not wanted)):
            case_id = await _next(session, kind, preferences, moderator_id, moment, rng)
            if case_id is not None:
                case = await session.get_one(Case, case_id)
                break
    if case is not None:
        await _show(session, case.id, moderator_id, moment)
    return case


async def finish(
    session: AsyncSession,
    case_id: int,
    moderator_id: int,
    state: AssignmentState,
    moment: datetime,
) -> bool:
    """Note that a moderator is through with a case; false if it wasn't before them.

    The row takes the moment of the answer: the day's budget is counted by it.
    """
    statement = (
        update(Assignment)
        .where(Assignment.case_id == case_id, Assignment.moderator_id == moderator_id)
        .where(Assignment.state == AssignmentState.SHOWN)
        .values(state=state, created_at=moment)
        .returning(Assignment.id)
    )
    return (await session.scalars(statement)).one_or_none() is not None


async def state_of(
    session: AsyncSession, case_id: int, moderator_id: int
) -> AssignmentState | None:
    """How far a moderator has come with a case; None if it was never shown to them."""
    statement = select(Assignment.state).where(
        Assignment.case_id == case_id, Assignment.moderator_id == moderator_id
    )
    return await session.scalar(statement)


async def answered_today(session: AsyncSession, moderator_id: int, moment: datetime) -> int:
    """How many cases a moderator answered on this day, in UTC."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    statement = select(func.count(Assignment.id)).where(
        Assignment.moderator_id == moderator_id,
        Assignment.state == AssignmentState.ANSWERED,
        Assignment.created_at >= midnight,
    )
    return await session.scalar(statement) or 0


async def labelled_by(session: AsyncSession, case_id: int) -> set[int]:
    """The moderators who labelled a case."""
    return set(await session.scalars(select(Label.moderator_id).where(Label.case_id == case_id)))


async def reconsider(session: AsyncSession, case_ids: Collection[int]) -> int:
    """Ask one more moderator about cases that a single one labelled; how many of them there are.
    Those whose words are no longer kept, or that several have labelled, stay as they are."""
    statement = (
        update(Case)
        .where(Case.id.in_(case_ids), Case.text != "", _labellers() == 1)
        .values(is_seconded=True)
        .returning(Case.id)
        .execution_options(synchronize_session=False)
    )
    return len((await session.scalars(statement)).all())


async def _waiting(
    session: AsyncSession,
    preferences: Mapping[int, Preferences],
    moderator_id: int,
    moment: datetime,
) -> Case | None:
    found = or_(*(_is(kind, moderator_id, moment) for kind in Kind))
    statement = (
        select(Case)
        .join(Assignment, Assignment.case_id == Case.id)
        .where(Assignment.moderator_id == moderator_id)
        .where(Assignment.state == AssignmentState.SHOWN)
        .where(*_common(preferences, moderator_id), found)
        .order_by(Assignment.created_at.desc(), Assignment.id.desc())
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def _next(
    session: AsyncSession,
    kind: Kind,
    preferences: Mapping[int, Preferences],
    moderator_id: int,
    moment: datetime,
    rng: random.Random,
) -> int | None:
    conditions = (*_common(preferences, moderator_id), _is(kind, moderator_id, moment))
    conditions = (*conditions, ~_is_with_another(moderator_id, moment))
    if kind is not Kind.USEFUL:
        # Uniform over all, so uniform within each stratum. Audits whose words were labelled before
        # stay in: leaving out what is said often would change what is measured.
        ids = (await session.scalars(select(Case.id).where(*conditions).order_by(Case.id))).all()
        return rng.choice(ids) if ids else None
    statement = (
        select(Case).where(*conditions, ~_is_known()).order_by(Case.id.desc()).limit(CANDIDATES)
    )
    rows = (await session.scalars(statement)).all()
    candidates = [_candidate(case, preferences[case.chat_id], moment) for case in rows]
    recent = await _recent(session, moderator_id)
    return best(candidates, recent, await _labelled(session, preferences, moment))


def _candidate(case: Case, preferences: Preferences, moment: datetime) -> Candidate:
    policy = preferences.policy(moment, is_newcomer=case.prediction.is_newcomer)
    return Candidate(case.id, case.chat_id, case.text, case.prediction.scores, policy)


async def _recent(session: AsyncSession, moderator_id: int) -> Sequence[str]:
    statement = (
        select(Case.text)
        .join(Assignment, Assignment.case_id == Case.id)
        .where(Assignment.moderator_id == moderator_id)
        .where(Assignment.state == AssignmentState.ANSWERED)
        .order_by(Assignment.created_at.desc(), Assignment.id.desc())
        .limit(RECENT)
    )
    return (await session.scalars(statement)).all()


async def _labelled(
    session: AsyncSession, chat_ids: Collection[int], moment: datetime
) -> list[tuple[int, str]]:
    statement = (
        select(Label.chat_id, Label.text)
        .where(Label.chat_id.in_(chat_ids), Label.text != "", Label.created_at >= moment - AGE)
        .order_by(Label.id.desc())
        .limit(LABELLED)
    )
    return [(chat_id, text) for chat_id, text in await session.execute(statement) if chat_id]


async def _show(session: AsyncSession, case_id: int, moderator_id: int, moment: datetime) -> None:
    values = {"case_id": case_id, "moderator_id": moderator_id, "created_at": moment}
    await session.execute(
        insert(session, Assignment)
        .values(**values, state=AssignmentState.SHOWN)
        .on_conflict_do_update(
            index_elements=[Assignment.case_id, Assignment.moderator_id],
            set_={"created_at": moment},
            where=Assignment.state == AssignmentState.SHOWN,
        )
    )


def _common(chat_ids: Collection[int], moderator_id: int) -> tuple[ColumnElement[bool], ...]:
    """What holds for every case that this moderator can be asked about: nobody judges their own
    words, or the same words twice."""
    is_through = _assignment(
        Assignment.moderator_id == moderator_id, Assignment.state != AssignmentState.SHOWN
    )
    said = _label(Label.moderator_id == moderator_id)
    return (
        Case.chat_id.in_(chat_ids),
        Case.text != "",
        Case.prediction.has(Prediction.user_id != moderator_id),
        ~is_through,
        ~said,
    )


def _is(kind: Kind, moderator_id: int, moment: datetime) -> ColumnElement[bool]:
    unlabelled = and_(Case.verdict.is_(None), ~_label())
    if kind is Kind.AUDIT:
        return and_(Case.origin == Origin.AUDIT, unlabelled)
    if kind is Kind.USEFUL:
        return and_(Case.origin != Origin.AUDIT, unlabelled, Case.created_at >= moment - AGE)
    return and_(Case.is_seconded, _labellers(Label.moderator_id != moderator_id) == 1)


def _is_with_another(moderator_id: int, moment: datetime) -> ColumnElement[bool]:
    return _assignment(
        Assignment.moderator_id != moderator_id,
        Assignment.state == AssignmentState.SHOWN,
        Assignment.created_at > moment - LEASE,
    )


def _is_known() -> ColumnElement[bool]:
    """Whether the same words were labelled in the group."""
    same = exists().where(Label.chat_id == Case.chat_id, Label.text_key == Case.text_key)
    return and_(Case.text_key != "", same.correlate(Case))


def _assignment(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Assignment.case_id == Case.id, *conditions).correlate(Case)


def _label(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Label.case_id == Case.id, *conditions).correlate(Case)


def _labellers(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """How many moderators labelled a case."""
    return (
        select(func.count(Label.moderator_id.distinct()))
        .where(Label.case_id == Case.id, *conditions)
        .correlate(Case)
        .scalar_subquery()
    )


def _is_audit(moderator_id: int, served: int) -> bool:
    place = _digest(moderator_id, AUDIT_BLOCK, served // AUDIT_BLOCK) % AUDIT_BLOCK
    return served % AUDIT_BLOCK == place


def _digest(*numbers: int) -> int:
    said = " ".join(map(str, numbers)).encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big")
