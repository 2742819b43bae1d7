"""What is known of people in a group: joining, strikes, reports, their history in numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.agreement import resolve
from moderation.categories import Category
from moderation.columns import now
from moderation.inserts import ensure
from moderation.states import Origin, Verdict
from moderation.tables import Case, Label, Member, Prediction, Report, Strike


async def member(session: AsyncSession, chat_id: int, user_id: int) -> Member:
    """The row of a person in a group, made if it is new."""
    found = await session.get(Member, (chat_id, user_id))
    if found is None:
        await ensure(session, Member, chat_id=chat_id, user_id=user_id)
        found = await session.get_one(Member, (chat_id, user_id))
    return found


async def count_strikes(
    session: AsyncSession, chat_id: int, user_id: int, at: datetime, upto: int | None = None
) -> int:
    """The strikes of a person that still count; of those before and with the one `upto`."""
    statement = select(func.count(Strike.id)).where(*_standing(chat_id, user_id, at))
    if upto is not None:
        statement = statement.where(Strike.id <= upto)
    return await session.scalar(statement) or 0


async def strikes(
    session: AsyncSession, chat_id: int, user_id: int, at: datetime
) -> Sequence[Strike]:
    """The strikes of a person that still count, the oldest first."""
    statement = select(Strike).where(*_standing(chat_id, user_id, at)).order_by(Strike.id)
    return (await session.scalars(statement)).all()


async def strike(session: AsyncSession, case: Case, days: int) -> int:
    """Add a strike for a case, unless its message has one: whoever edits it breaks the rules with
    it once. The id of that strike."""
    standing = await session.scalar(_strike_of(case))
    if standing is not None:
        return standing
    await ensure(
        session,
        Strike,
        chat_id=case.chat_id,
        user_id=case.prediction.user_id,
        case_id=case.id,
        expires_at=now() + timedelta(days=days),
    )
    return (await session.scalars(select(Strike.id).where(Strike.case_id == case.id))).one()


async def forgive(session: AsyncSession, case: Case) -> None:
    """The strike of a case's message doesn't count any more, whichever revision gave it."""
    forgiven = update(Strike).where(Strike.id.in_(_strike_of(case)))
    await session.execute(forgiven.values(withdrawn_at=now()))


async def withdraw_strike(session: AsyncSession, case_id: int) -> None:
    """A case's strike doesn't count any more."""
    statement = update(Strike).where(Strike.case_id == case_id, Strike.withdrawn_at.is_(None))
    await session.execute(statement.values(withdrawn_at=now()))


async def remembered(
    session: AsyncSession, chat_id: int, key: str, since: datetime
) -> Mapping[str, int] | None:
    """What moderators of a group said of the same words, the last word of each, most votes first;
    only what they agree on. None: nothing."""
    if not key:
        return None
    statement = (
        select(Label.moderator_id, Label.vector)
        .where(Label.chat_id == chat_id, Label.text_key == key, Label.created_at >= since)
        .order_by(Label.id)
    )
    votes = {row.moderator_id: row.vector for row in await session.execute(statement)}
    if not votes:
        return None
    known = [{Category(name): value for name, value in vote.items()} for vote in votes.values()]
    agreed = resolve(known)
    said = {category.value: value for category, value in agreed.items() if value is not None}
    return said or None


@dataclass(frozen=True, slots=True)
class History:
    """A person's record in a group, in numbers."""

    messages: int
    cases: int  # that the policy asked for
    confirmed: int  # by moderators
    strikes: int  # that still count


async def history(session: AsyncSession, chat_id: int, user_id: int, at: datetime) -> History:
    """The record of somebody in a group; a person who asked to be forgotten has none."""
    if user_id == 0:
        return History(0, 0, 0, 0)
    mine = [Prediction.chat_id == chat_id, Prediction.user_id == user_id]
    messages = await session.scalar(select(func.count(Prediction.id)).where(*mine)) or 0
    found = await session.execute(
        select(Case.verdict, func.count())
        .join(Prediction, Prediction.id == Case.prediction_id)
        .where(*mine, Case.origin == Origin.DECISION)
        .group_by(Case.verdict)
    )
    cases: dict[Verdict | None, int] = {row[0]: row[1] for row in found}
    return History(
        messages=messages,
        cases=sum(cases.values()),
        confirmed=cases.get(Verdict.CONFIRMED, 0) + cases.get(Verdict.CORRECTED, 0),
        strikes=await count_strikes(session, chat_id, user_id, at),
    )


async def cases_of(
    session: AsyncSession, user_id: int, chat_ids: Sequence[int] | None, limit: int
) -> Sequence[Case]:
    """The newest cases about a person's messages that led to something, in some groups."""
    statement = (
        select(Case)
        .join(Case.prediction)
        .where(Prediction.user_id == user_id, Case.origin != Origin.AUDIT)
        .order_by(Case.id.desc())
        .limit(limit)
    )
    if chat_ids is not None:
        statement = statement.where(Case.chat_id.in_(chat_ids))
    return (await session.scalars(statement)).all()


async def count_reports(
    session: AsyncSession, chat_id: int, reporter_id: int, since: datetime
) -> int:
    """How many reports somebody sent in a group since a moment."""
    statement = select(func.count(Report.id)).where(
        Report.chat_id == chat_id, Report.reporter_id == reporter_id, Report.created_at >= since
    )
    return await session.scalar(statement) or 0


async def reports(session: AsyncSession, case_id: int) -> Sequence[Report]:
    """The reports of a case, the oldest first."""
    statement = select(Report).where(Report.case_id == case_id).order_by(Report.id)
    return (await session.scalars(statement)).all()


async def left(session: AsyncSession, chat_id: int, user_id: int) -> None:
    """Forget when somebody joined: coming back makes a newcomer again."""
    await session.execute(
        delete(Member).where(
            Member.chat_id == chat_id,
            Member.user_id == user_id,
            Member.reports_blocked_until.is_(None),
        )
    )


def _strike_of(case: Case) -> Select[int]:
    """The strike that a case's message has; of one about a name, the case's own."""
    row = case.prediction
    message = and_(
        Prediction.chat_id == row.chat_id,
        Prediction.message_id == row.message_id,
        Prediction.message_id != 0,
    )
    return (
        select(Strike.id)
        .join(Case, Case.id == Strike.case_id)
        .join(Prediction, Prediction.id == Case.prediction_id)
        .where(Strike.chat_id == case.chat_id, Strike.withdrawn_at.is_(None))
        .where(or_(Case.id == case.id, message))
        .order_by(Strike.id)
    )


def _standing(chat_id: int, user_id: int, at: datetime) -> list[ColumnElement[bool]]:
    return [
        Strike.chat_id == chat_id,
        Strike.user_id == user_id,
        Strike.withdrawn_at.is_(None),
        Strike.expires_at > at,
    ]
