"""What happened in some groups over a period: the figures of /stats.

Days and hours are those of UTC. `chat_ids` are the groups asked about, None all of them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from moderation.categories import Category
from moderation.policy import Action
from moderation.states import Act, ActState, Origin, Source, Verdict
from moderation.tables import Case, Chat, Enforcement, Label, Prediction, Report, Strike

MEASURES = (Act.NOTICE, Act.DELETE, Act.MUTE, Act.BAN)


class Period(StrEnum):
    """The last 24 hours, 7 days or 30 days, the one that is under way among them."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def step(self) -> timedelta:
        """What one bar of a chart stands for."""
        return timedelta(hours=1) if self is Period.DAY else timedelta(days=1)

    def starts(self, moment: datetime) -> list[datetime]:
        """Where each hour or day begins, the oldest first; the last one holds `moment`."""
        last = moment.replace(minute=0, second=0, microsecond=0)
        number = {Period.DAY: 24, Period.WEEK: 7, Period.MONTH: 30}[self]
        if self is not Period.DAY:
            last = last.replace(hour=0)
        return [last - i * self.step for i in reversed(range(number))]


@dataclass(frozen=True, slots=True)
class Reason:
    """A category at the threshold that it was held against, and how many messages reached it."""

    category: Category
    threshold: float
    number: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened. Series have a number for each of `starts`."""

    period: Period
    starts: Sequence[datetime]
    messages: Sequence[int]  # revisions of messages: an edit is looked at again
    # By the category that weighed most; None: people found what the bot had passed.
    flagged: Mapping[Category, Sequence[int]]
    acted: Mapping[Category | None, Sequence[int]]
    acts: Mapping[Act, int]  # that were done
    strikes: int
    reasons: Sequence[Reason]  # the most frequent first
    reports: int
    verdicts: Mapping[Verdict, int]  # on what the bot flagged
    response: timedelta | None  # the median time that a case waited for its verdict
    open_cases: int  # now, however old; audits are in no hurry
    labels: Mapping[Source, int]
    model_version: str | None  # that judged the newest message

    @property
    def total(self) -> int:
        """All messages."""
        return sum(self.messages)

    @property
    def measures(self) -> int:
        """How many messages something was done about."""
        return sum(map(sum, self.acted.values()))


async def figures(
    session: AsyncSession, chat_ids: Sequence[int] | None, period: Period, moment: datetime
) -> Figures:
    """The figures of the period that ends now, at `moment`."""
    starts = period.starts(moment)
    acts = await _acts(session, chat_ids, starts[0])
    flags = {flag.id: flag for flag in await _flags(session, chat_ids, starts[0])}
    decided = await _decided(session, chat_ids, starts[0])
    waits = [case.resolved_at - case.created_at for case in decided if case.resolved_at]
    by_case = {act.case_id: act for act in acts}
    return Figures(
        period=period,
        starts=starts,
        messages=await _messages(session, chat_ids, starts),
        flagged=_series(starts, ((flag.category, flag.created_at) for flag in flags.values())),
        acted=_series(
            starts,
            (
                (flag.category if (flag := flags.get(act.prediction_id)) else None, act.created_at)
                for act in by_case.values()
            ),
        ),
        acts=Counter(act.act for act in acts),
        strikes=await _count(session, Strike, chat_ids, starts[0], Strike.withdrawn_at.is_(None)),
        reasons=_reasons(flags.values()),
        reports=await _count(session, Report, chat_ids, starts[0]),
        verdicts=Counter(case.verdict for case in decided if case.origin is Origin.DECISION),
        response=median(waits) if waits else None,
        open_cases=await _count(
            session,
            Case,
            chat_ids,
            None,
            Case.verdict.is_(None),
            Case.origin != Origin.AUDIT,
            Case.text != "",
        ),
        labels=await _labels(session, chat_ids, starts[0]),
        model_version=await _model_version(session, chat_ids),
    )


def within(
    column: InstrumentedAttribute[Any], chat_ids: Sequence[int] | None
) -> ColumnElement[bool]:
    """Only the groups asked about. All groups are named too: the indexes begin with a group."""
    return column.in_(select(Chat.id) if chat_ids is None else chat_ids)


async def _messages(
    session: AsyncSession, chat_ids: Sequence[int] | None, starts: Sequence[datetime]
) -> list[int]:
    """Counted between each two moments, for which the index alone is read and nothing sorted."""
    counts = []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        ranged = [within(Prediction.chat_id, chat_ids), Prediction.created_at >= start]
        if end is not None:
            ranged.append(Prediction.created_at < end)
        counts.append(select(func.count()).select_from(Prediction).where(*ranged))
    row = (await session.execute(select(*(count.scalar_subquery() for count in counts)))).one()
    return list(row)


async def _flags(
    session: AsyncSession, chat_ids: Sequence[int] | None, since: datetime
) -> Sequence[Any]:
    columns = (Prediction.id, Prediction.created_at, Prediction.category, Prediction.threshold)
    statement = select(*columns).where(
        within(Prediction.chat_id, chat_ids),
        Prediction.created_at >= since,
        Prediction.action != Action.NONE,
        Prediction.exempt.is_(None),
        Prediction.category.is_not(None),
    )
    return (await session.execute(statement)).all()


async def _decided(
    session: AsyncSession, chat_ids: Sequence[int] | None, since: datetime
) -> Sequence[Any]:
    """The cases that moderators were to decide and did."""
    statement = select(Case.created_at, Case.resolved_at, Case.origin, Case.verdict).where(
        within(Case.chat_id, chat_ids),
        Case.created_at >= since,
        Case.origin != Origin.AUDIT,
        Case.verdict.is_not(None),
    )
    return (await session.execute(statement)).all()


async def _acts(
    session: AsyncSession, chat_ids: Sequence[int] | None, since: datetime
) -> Sequence[Any]:
    """What was done about messages and people; taking it back is none of it."""
    statement = (
        select(Enforcement.case_id, Enforcement.act, Case.prediction_id, Case.created_at)
        .join(Case, Case.id == Enforcement.case_id)
        .where(within(Case.chat_id, chat_ids), Case.created_at >= since)
        .where(Enforcement.state == ActState.DONE, Enforcement.act.in_(MEASURES))
    )
    return (await session.execute(statement)).all()


async def _labels(
    session: AsyncSession, chat_ids: Sequence[int] | None, since: datetime
) -> dict[Source, int]:
    """Labels by source; those that were imported belong to no group."""
    statement = select(Label.source, func.count()).where(Label.created_at >= since)
    if chat_ids is not None:
        statement = statement.where(Label.chat_id.in_(chat_ids))
    found = await session.execute(statement.group_by(Label.source))
    return {row[0]: row[1] for row in found}


async def _count(
    session: AsyncSession,
    table: type[Case | Report | Strike],
    chat_ids: Sequence[int] | None,
    since: datetime | None,
    *conditions: ColumnElement[bool],
) -> int:
    statement = select(func.count(table.id)).where(within(table.chat_id, chat_ids), *conditions)
    if since is not None:
        statement = statement.where(table.created_at >= since)
    return await session.scalar(statement) or 0


async def _model_version(session: AsyncSession, chat_ids: Sequence[int] | None) -> str | None:
    newest = (
        select(Prediction.id)
        .where(Prediction.chat_id == Chat.id)
        .order_by(Prediction.created_at.desc())
        .limit(1)
        .correlate(Chat)
        .scalar_subquery()
    )
    of_each = select(func.max(newest)).where(within(Chat.id, chat_ids)).scalar_subquery()
    statement = select(Prediction.model_version).where(Prediction.id == of_each)
    return await session.scalar(statement)


def _reasons(flags: Iterable[Any]) -> list[Reason]:
    counted = Counter((flag.category, round(flag.threshold, 2)) for flag in flags)
    return [Reason(*reason, number) for reason, number in counted.most_common()]


def _series(
    starts: Sequence[datetime], events: Iterable[tuple[Any, datetime]]
) -> dict[Any, list[int]]:
    """How many events of each kind fall between each two moments."""
    step = starts[1] - starts[0]
    found: dict[Any, list[int]] = {}
    for kind, at in events:
        series = found.setdefault(kind, [0] * len(starts))
        series[min((at - starts[0]) // step, len(starts) - 1)] += 1
    return found
