"""What other preferences would have done: the policy applied anew to the scores that are kept."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.policy import Action, Evidence, Policy, judge
from moderation.preferences import Preferences
from moderation.states import Verdict
from moderation.tables import Case, Prediction

EXAMPLES = 3
_NAMES = {category.value: category for category in Category}
_NULL = (None, "null")  # of the database, and of JSON


class Seen(NamedTuple):
    """What is kept of one revision of a message, in the order of the columns that are read."""

    id: int
    message_id: int
    revision: int
    scores: Mapping[str, float]
    quoted: Mapping[str, float] | None
    remembered: Mapping[str, int | None] | None
    is_newcomer: bool
    exempt: str | None


class Change(NamedTuple):
    """A message about which something else would be done."""

    prediction_id: int
    before: Action
    after: Action


@dataclass(frozen=True, slots=True)
class Example:
    """A message whose text is kept, and what is and would be done about it."""

    text: str
    before: Action
    after: Action


@dataclass(frozen=True, slots=True)
class Preview:
    """What the current and the wanted preferences ask for, over the same messages.

    A mode in which the bot only observes counts as what would be done.
    """

    messages: int
    before: Mapping[Action, int]
    after: Mapping[Action, int]
    caught: Mapping[Category, int]  # messages over the wanted threshold of each category
    changes: Sequence[Change] = ()
    harsher_clean: int = 0  # of the harsher ones, those that moderators called clean
    milder_confirmed: int = 0  # of the milder ones, those that moderators confirmed
    examples: Sequence[Example] = ()

    @property
    def harsher(self) -> int:
        """The messages about which more would be done than a card."""
        return sum(map(_is_harsher, self.changes))

    @property
    def milder(self) -> int:
        """The messages about which less would be done."""
        return sum(map(_is_milder, self.changes))


async def preview(
    session: AsyncSession,
    chat_id: int,
    current: Preferences,
    wanted: Preferences,
    since: datetime,
) -> Preview:
    """What would have been done since a moment, with some examples.

    Only what the words ask for: the ladder of repeated offences, which depends on the order in
    which people wrote, is left out.
    """
    columns = (
        Prediction.id,
        Prediction.message_id,
        Prediction.revision,
        # As they are written: a busy group's week is parsed beside the event loop.
        cast(Prediction.scores, Text),
        cast(Prediction.quoted_scores, Text),
        cast(Prediction.remembered, Text),
        Prediction.is_newcomer,
        Prediction.exempt,
    )
    statement = select(*columns).where(
        Prediction.chat_id == chat_id, Prediction.created_at >= since
    )
    rows: Sequence[Any] = (await session.execute(statement)).all()
    counted = await asyncio.to_thread(count, map(_parsed, rows), current, wanted)
    return await _with_cases(session, chat_id, counted) if counted.changes else counted


def count(rows: Iterable[Seen], current: Preferences, wanted: Preferences) -> Preview:
    """Both policies over the newest revision of each message that isn't exempt. Pure."""
    newest: dict[int, Seen] = {}
    for row in rows:
        known = newest.get(row.message_id)
        if known is None or row.revision > known.revision:
            newest[row.message_id] = row
    policies = [_policies(current), _policies(wanted)]
    floors = _floors(policy for pair in policies for policy in pair)
    before: Counter[Action] = Counter()
    after: Counter[Action] = Counter()
    caught: Counter[Category] = Counter()
    changes: list[Change] = []
    harmless = 0
    for row in newest.values():
        if row.exempt:
            continue
        if not _may_matter(row, floors):
            harmless += 1
            continue
        evidence = _evidence(row)
        was, then = (judge(evidence, pair[row.is_newcomer]) for pair in policies)
        caught.update(then.over)
        before[was.action] += 1
        after[then.action] += 1
        if was.action is not then.action:
            changes.append(Change(row.id, was.action, then.action))
    if harmless:
        before[Action.NONE] += harmless
        after[Action.NONE] += harmless
    return Preview(before.total(), before, after, caught, tuple(changes))


async def _with_cases(session: AsyncSession, chat_id: int, counted: Preview) -> Preview:
    """What moderators said of the messages, and examples; the newest, the harsher ones first."""
    oldest = min(change.prediction_id for change in counted.changes)
    statement = select(Case.prediction_id, Case.verdict, Case.text != "").where(
        Case.chat_id == chat_id, Case.prediction_id >= oldest
    )
    found = {row[0]: (row[1], row[2]) for row in await session.execute(statement)}
    cases = [
        (change, *found[change.prediction_id])
        for change in counted.changes
        if change.prediction_id in found
    ]
    kept = sorted(
        (change for change, _, has_text in cases if has_text),
        key=lambda change: (_is_harsher(change), change.prediction_id),
        reverse=True,
    )[:EXAMPLES]
    texts = select(Case.prediction_id, Case.text).where(
        Case.prediction_id.in_([change.prediction_id for change in kept])
    )
    text = {row[0]: row[1] for row in await session.execute(texts)}
    return replace(
        counted,
        harsher_clean=sum(_is_harsher(c) and said is Verdict.CLEAN for c, said, _ in cases),
        milder_confirmed=sum(_is_milder(c) and said is Verdict.CONFIRMED for c, said, _ in cases),
        examples=tuple(Example(text[c.prediction_id], c.before, c.after) for c in kept),
    )


def _parsed(row: Sequence[Any]) -> Seen:
    id_, message_id, revision, scores, quoted, remembered, is_newcomer, exempt = row
    return Seen(
        id_,
        message_id,
        revision,
        json.loads(scores),
        None if quoted in _NULL else json.loads(quoted),
        None if remembered in _NULL else json.loads(remembered),
        is_newcomer,
        exempt,
    )


def _is_harsher(change: Change) -> bool:
    return change.after > change.before and change.after >= Action.WARN


def _is_milder(change: Change) -> bool:
    return change.after < change.before and change.before >= Action.WARN


def _policies(preferences: Preferences) -> tuple[Policy, Policy]:
    """For those who are there and for newcomers. Their rules don't depend on the moment."""
    moment = now()
    return preferences.policy(moment), preferences.policy(moment, is_newcomer=True)


def _floors(policies: Iterable[Policy]) -> Sequence[tuple[str, float]]:
    """For each category the score under which no policy does anything."""
    rules = [policy.rules for policy in policies]
    reviews = {c: [found[c].review for found in rules if c in found] for c in TOXIC}
    return [(c.value, min(found)) for c, found in reviews.items() if found]


def _may_matter(row: Seen, floors: Sequence[tuple[str, float]]) -> bool:
    """Whether a policy could ask for something: most messages are far from it."""
    if row.remembered is not None:
        return True
    scores = row.scores
    for name, floor in floors:
        if scores.get(name, -1.0) >= floor:
            return True
    quoted = row.quoted or {}
    return any(quoted.get(name, -1.0) >= floor for name, floor in floors)


def _evidence(row: Seen) -> Evidence:
    remembered = row.remembered
    return Evidence(
        scores=_named(row.scores),
        quoted=_named(row.quoted or {}),
        remembered=None if remembered is None else _said(remembered),
    )


def _named(scores: Mapping[str, float]) -> dict[Category, float]:
    return {_NAMES[name]: score for name, score in scores.items() if name in _NAMES}


def _said(remembered: Mapping[str, int | None]) -> dict[Category, int]:
    return {
        _NAMES[name]: value
        for name, value in remembered.items()
        if value is not None and name in _NAMES
    }
