"""How right the bot was in some groups: what its precision, recall and agreement rest on.

A message counts for the moment at which it was written; its labels may be later.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.accuracy import BOUNDS, Flagged, Result, Stratum, precision, recall
from moderation.agreement import Agreement, Vote, alpha
from moderation.categories import TOXIC, Category
from moderation.figures import within
from moderation.policy import Action
from moderation.preferences import Preferences
from moderation.states import Origin, Source
from moderation.tables import Case, Chat, Label, Prediction, PreferenceChange

STRATA = range(len(BOUNDS) + 1)
_SHARE = "audit_share"
_PASSED = (Prediction.action == Action.NONE, Prediction.exempt.is_(None))


@dataclass(frozen=True, slots=True)
class Quality:
    """The counts for each toxic category, and the answers of moderators who saw the same text."""

    flagged: Mapping[Category, Flagged]
    strata: Mapping[Category, Sequence[Stratum]]
    units: Sequence[Mapping[int, Vote]]  # by moderator: what each last said of one text


@dataclass(frozen=True, slots=True)
class Measured:
    """How right the bot is about a category, as far as that can be said."""

    precision: Result
    recall: Result
    agreement: Agreement | None = None  # of moderators with each other


def measured(found: Quality) -> dict[Category, Measured]:
    """The estimates for each toxic category. Draws random numbers, so it takes its time."""
    agreements = alpha(found.units) if found.units else {}
    return {
        category: Measured(
            precision(flagged),
            recall(flagged, found.strata[category]),
            agreements.get(category),
        )
        for category, flagged in found.flagged.items()
    }


async def quality(
    session: AsyncSession, chat_ids: Sequence[int] | None, since: datetime
) -> Quality:
    """The counts of what was written since a moment."""
    claims = await _claims(session, chat_ids, since)
    labels = await _labels(session, chat_ids, since)
    shares = await _shares(session, chat_ids, since)
    passed = await _passed(session, shares)
    drawn = [
        ((shares.at(audit.chat_id, audit.created_at), audit.stratum), vector)
        for audit in await _audits(session, chat_ids, since)
        if (vector := _answer(labels.get(audit.id, ()))) is not None
    ]
    return Quality(
        flagged={category: _flagged(category, claims, labels) for category in TOXIC},
        strata={
            category: [_stratum(category, key, total, drawn) for key, total in passed.items()]
            for category in TOXIC
        },
        units=[
            unit
            for given in labels.values()
            if len(unit := {label.moderator_id: _vote(label.vector) for label in given}) > 1
        ],
    )


def _flagged(
    category: Category, claims: Sequence[tuple[int, list[str]]], labels: Mapping[int, Sequence[Any]]
) -> Flagged:
    claimed = [case_id for case_id, flagged in claims if category.value in flagged]
    said = [
        vector.get(category.value)
        for case_id in claimed
        if (vector := _verdict(labels.get(case_id, ())))
    ]
    return Flagged(len(claimed), len(said) - said.count(None), said.count(1))


def _stratum(
    category: Category, key: tuple[float, int], total: int, drawn: Sequence[tuple[Any, Any]]
) -> Stratum:
    said = [vector.get(category.value) for at, vector in drawn if at == key]
    return Stratum(total, len(said) - said.count(None), said.count(1))


def _vote(vector: Mapping[str, int | None]) -> Vote:
    return {Category(name): value for name, value in vector.items()}


def _verdict(given: Sequence[Any]) -> Mapping[str, int | None] | None:
    """What was said of a case whose card was pressed. The queue asks for the doubtful ones first,
    and a second opinion comes after a first: neither is a random part of what was flagged."""
    chosen = (Source.REVIEW, Source.SECOND)
    return _last([label for label in given if label.source not in chosen])


def _last(given: Sequence[Any]) -> Mapping[str, int | None] | None:
    """What was said last of a case."""
    return given[-1].vector if given else None


def _answer(given: Sequence[Any]) -> Mapping[str, int | None] | None:
    """The answer to an audit. Where a member's report came first its verdict is one too: without
    it the misses that people notice would be left out."""
    blind = [label for label in given if label.source is Source.AUDIT]
    return _last(blind or [label for label in given if label.source is not Source.SECOND])


async def _claims(
    session: AsyncSession, chat_ids: Sequence[int] | None, since: datetime
) -> list[tuple[int, list[str]]]:
    """The cases that the policy asked for, each with the categories that it claims."""
    statement = select(Case.id, Case.flagged).where(
        within(Case.chat_id, chat_ids), Case.created_at >= since, Case.origin == Origin.DECISION
    )
    return [(row.id, row.flagged) for row in await session.execute(statement)]


async def _audits(
    session: AsyncSession, chat_ids: Sequence[int] | None, since: datetime
) -> Sequence[Any]:
    """The messages that were drawn among those that `_passed` counts."""
    statement = (
        select(Case.id, Case.chat_id, Prediction.created_at, Prediction.stratum)
        .join(Prediction, Prediction.id == Case.prediction_id)
        .where(within(Case.chat_id, chat_ids), Case.created_at >= since)
        .where(Case.origin == Origin.AUDIT, Prediction.created_at >= since, *_PASSED)
    )
    return (await session.execute(statement)).all()


async def _labels(
    session: AsyncSession, chat_ids: Sequence[int] | None, since: datetime
) -> dict[int, list[Any]]:
    """The labels of each case, the oldest first."""
    statement = (
        select(Label.case_id, Label.moderator_id, Label.source, Label.vector)
        .join(Case, Case.id == Label.case_id)
        .where(within(Case.chat_id, chat_ids), Case.created_at >= since)
        .order_by(Label.case_id, Label.id)
    )
    rows = await session.execute(statement)
    return {case_id: list(given) for case_id, given in groupby(rows, lambda row: row.case_id)}


@dataclass(frozen=True, slots=True)
class _Shares:
    """Which share of its passed messages each group let be audited, from which moment on."""

    since: Mapping[int, Sequence[tuple[datetime, float]]]  # by group, the oldest first

    def at(self, chat_id: int, moment: datetime) -> float | None:
        changes = reversed(self.since.get(chat_id, ()))
        return next((share for start, share in changes if start <= moment), None)

    def spans(self) -> dict[tuple[datetime, datetime | None, float], list[int]]:
        """The groups that had a share from one moment to another."""
        found: dict[tuple[datetime, datetime | None, float], list[int]] = {}
        for chat_id, changes in self.since.items():
            ends = [*(start for start, _ in changes[1:]), None]
            for (start, share), end in zip(changes, ends, strict=True):
                found.setdefault((start, end, share), []).append(chat_id)
        return found


async def _shares(
    session: AsyncSession, chat_ids: Sequence[int] | None, since: datetime
) -> _Shares:
    """Where a share changes new strata begin, for a message's chance to be drawn is another."""
    rows = await session.execute(select(Chat.id, Chat.preferences).where(within(Chat.id, chat_ids)))
    now = {chat_id: Preferences.of(stored).audit_share for chat_id, stored in rows}
    statement = select(PreferenceChange).where(
        within(PreferenceChange.chat_id, chat_ids),
        PreferenceChange.field == _SHARE,
        PreferenceChange.created_at >= since,
    )
    changes: dict[int, list[PreferenceChange]] = {}
    for change in await session.scalars(statement.order_by(PreferenceChange.id)):
        changes.setdefault(change.chat_id, []).append(change)
    found = {}
    for chat_id, share in now.items():
        made = changes.get(chat_id, [])
        before = [_share(change.before) for change in made]
        starts = [since, *(change.created_at for change in made)]
        found[chat_id] = list(zip(starts, [*before, share], strict=True))
    return _Shares(found)


def _share(stored: Any) -> float:
    return Preferences.of({} if stored is None else {_SHARE: stored}).audit_share


async def _passed(session: AsyncSession, shares: _Shares) -> Counter[tuple[float, int]]:
    """How many messages passed and could be drawn, by share and stratum."""
    found: Counter[tuple[float, int]] = Counter()
    for (start, end, share), chat_ids in shares.spans().items():
        ranged = [Prediction.chat_id.in_(chat_ids), Prediction.created_at >= start]
        if end is not None:
            ranged.append(Prediction.created_at < end)
        # Filters need no sorting, as groups would.
        counts = (func.count().filter(Prediction.stratum == stratum) for stratum in STRATA)
        row = (await session.execute(select(*counts).where(*ranged, *_PASSED))).one()
        for stratum, number in zip(STRATA, row, strict=True):
            if number:
                found[share, stratum] += number
    return found
