"""A person who asks to be forgotten: what is stored about them, and taking it away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, null, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.columns import now
from moderation.preferences import Preferences
from moderation.states import Act, UpdateState
from moderation.tables import (
    Case,
    Chat,
    Enforcement,
    InboxUpdate,
    Label,
    Member,
    Prediction,
    Report,
    Strike,
)

CHUNK = 500  # ids in one statement
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored about a person."""

    messages: int  # scores without text
    cases: int
    texts: int  # cases whose text is still stored
    until: datetime | None  # when the last of these texts goes by itself
    reports: int
    strikes: int  # that still count
    strikes_until: datetime | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the bot that may still show the words of somebody who was forgotten."""

    case_id: int
    chat_id: int
    message_id: int
    language: str  # of the case's group
    act_id: int | None = None  # None: the card; else a quote in the group


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was taken away, what stays, and what is yet to be changed in chats."""

    messages: int
    cases: int
    labels: int
    reports: int
    strikes: int  # that still count and so stay
    strikes_until: datetime | None
    shown: tuple[Shown, ...]


async def kept(session: AsyncSession, user_id: int) -> Kept:
    """What is stored about a person in all groups."""
    mine = Prediction.user_id == user_id
    found = await session.execute(
        select(Case.chat_id, func.count(), func.max(Case.created_at))
        .join(Prediction, Prediction.id == Case.prediction_id)
        .where(mine, Case.text != "")
        .group_by(Case.chat_id)
    )
    texts, ends = 0, []
    for chat_id, number, newest in found.all():
        chat = await session.get(Chat, chat_id)
        days = Preferences.of(chat.preferences if chat else {}).retention_days
        texts += number
        ends.append(newest + timedelta(days=days))
    cases = select(func.count(Case.id)).join(Prediction, Prediction.id == Case.prediction_id)
    reports = select(func.count(Report.id)).where(Report.reporter_id == user_id)
    strikes, strikes_until = await _strikes(session, user_id, None)
    return Kept(
        messages=await session.scalar(select(func.count(Prediction.id)).where(mine)) or 0,
        cases=await session.scalar(cases.where(mine)) or 0,
        texts=texts,
        until=max(ends, default=None),
        reports=await session.scalar(reports) or 0,
        strikes=strikes,
        strikes_until=strikes_until,
    )


async def forget_person(
    session: AsyncSession, user_id: int, chat_id: int | None = None
) -> Forgotten:
    """Take away what is stored about a person, in one group or in all. Repeating it does nothing.

    What still limits them stays until its time is over: strikes, a block of reports, being a
    newcomer. Else forgetting would be a way out of a ban. Raises ValueError for id 0.
    """
    if user_id == 0:
        raise ValueError("0 stands for those who are forgotten")
    # Read first: SQLite's lock begins with the first change.
    written = select(Prediction.id).where(Prediction.user_id == user_id, _in(Prediction, chat_id))
    predictions = (await session.scalars(written)).all()
    cases: list[int] = []
    for chunk in chunks(predictions):
        cases += await session.scalars(select(Case.id).where(Case.prediction_id.in_(chunk)))
    labels = 0
    for chunk in chunks(cases):
        labels += await _empty_cases(session, chunk)
    for chunk in chunks(predictions):
        unnamed = update(Prediction).where(Prediction.id.in_(chunk))
        await _do(session, unnamed.values(user_id=0, content_hash=""))
    reports = await _forget_reports(session, user_id, chat_id)
    await _forget_membership(session, user_id, chat_id)
    await _forget_updates(session, user_id, chat_id)
    strikes, strikes_until = await _strikes(session, user_id, chat_id)
    return Forgotten(
        messages=len(predictions),
        cases=len(cases),
        labels=labels,
        reports=reports,
        strikes=strikes,
        strikes_until=strikes_until,
        shown=await shown(session, cases),
    )


async def shown(session: AsyncSession, case_ids: Sequence[int] | None = None) -> tuple[Shown, ...]:
    """Cards and quotes of forgotten people's cases that were not changed yet: of some cases, or
    all of them, say after a crash."""
    forgotten = [Prediction.user_id == 0, Case.text == ""]
    cards = select(Case.id, Case.chat_id, Case.card_chat_id, Case.card_message_id, null())
    quotes = select(
        Case.id, Case.chat_id, Case.chat_id, Enforcement.message_id, Enforcement.id
    ).join(Enforcement, Enforcement.case_id == Case.id)
    statements = [
        cards.where(Case.card_chat_id.is_not(None), Case.card_message_id.is_not(None)),
        quotes.where(Enforcement.act == Act.RESTORE, Enforcement.message_id.is_not(None)),
    ]
    languages: dict[int, str] = {}
    found = []
    for chunk in [None] if case_ids is None else chunks(case_ids):
        narrowed = forgotten if chunk is None else [*forgotten, Case.id.in_(chunk)]
        for statement in statements:
            joined = statement.join(Prediction, Prediction.id == Case.prediction_id)
            for case_id, group, chat_id, message_id, act_id in await session.execute(
                joined.where(*narrowed)
            ):
                if chat_id is None or message_id is None:
                    continue
                if group not in languages:
                    chat = await session.get(Chat, group)
                    languages[group] = Preferences.of(chat.preferences if chat else {}).language
                found.append(Shown(case_id, chat_id, message_id, languages[group], act_id))
    return tuple(found)


async def hidden(session: AsyncSession, message: Shown) -> None:
    """Note that a message of the bot shows no words any more."""
    if message.act_id is not None:
        quote = update(Enforcement).where(Enforcement.id == message.act_id)
        await _do(session, quote.values(message_id=None))
        return
    card = update(Case).where(Case.id == message.case_id)
    await _do(session, card.values(card_chat_id=None, card_message_id=None))


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """`ids` in parts that fit a statement."""
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


async def _empty_cases(session: AsyncSession, case_ids: Sequence[int]) -> int:
    """Take the words and names of cases away, and those of their labels; how many labels."""
    emptied = {"text": "", "text_key": "", "user_name": "", "marks": null()}
    await _do(session, update(Case).where(Case.id.in_(case_ids)).values(**emptied))
    acts = update(Enforcement).where(Enforcement.case_id.in_(case_ids))
    await _do(session, acts.values(former=null()))  # a member's rights
    labels = update(Label).where(Label.case_id.in_(case_ids))
    return await _do(session, labels.values(text="", text_key=""))


async def _forget_reports(session: AsyncSession, user_id: int, chat_id: int | None) -> int:
    """Those of the last day lose the name alone: they count for how many somebody may send."""
    mine = [Report.reporter_id == user_id, _in(Report, chat_id)]
    old = await _do(session, delete(Report).where(*mine, Report.created_at < now() - DAY))
    named = update(Report).where(*mine, Report.reporter_name != "")
    return old + await _do(session, named.values(reporter_name=""))


async def _forget_membership(session: AsyncSession, user_id: int, chat_id: int | None) -> None:
    moment = now()
    over = or_(Strike.expires_at <= moment, Strike.withdrawn_at.is_not(None))
    await _do(session, delete(Strike).where(Strike.user_id == user_id, _in(Strike, chat_id), over))
    for by, name in (
        (Case.resolved_by, Case.resolved_by_name),
        (Case.person_by, Case.person_by_name),
    ):
        named = update(Case).where(by == user_id, _in(Case, chat_id), name != "")
        await _do(session, named.values({name: ""}))
    found = await session.scalars(
        select(Member).where(Member.user_id == user_id, _in(Member, chat_id))
    )
    for member in found.all():
        chat = await session.get(Chat, member.chat_id)
        preferences = Preferences.of(chat.preferences if chat else {})
        if not preferences.is_newcomer(member.joined_at, moment):
            member.joined_at = None
        if member.reports_blocked_until and member.reports_blocked_until <= moment:
            member.reports_blocked_until = None
        if member.joined_at is None and member.reports_blocked_until is None:
            await session.delete(member)
    await session.flush()


async def _forget_updates(session: AsyncSession, user_id: int, chat_id: int | None) -> None:
    """Updates that were handled, or set aside because they could not be. What still waits is
    handled first: its words have not come to anything yet."""
    handled = [InboxUpdate.state != UpdateState.PENDING, _in(InboxUpdate, chat_id)]
    # As json.dumps writes them.
    mentions = or_(
        InboxUpdate.payload.contains(f'"id": {user_id},'),
        InboxUpdate.payload.contains(f'"id": {user_id}}}'),
    )
    await _do(session, update(InboxUpdate).where(*handled, mentions).values(payload=""))
    # A private chat has its person's id.
    own = and_(*handled, InboxUpdate.chat_id == user_id)
    await _do(session, update(InboxUpdate).where(own).values(chat_id=None, payload=""))


async def _strikes(
    session: AsyncSession, user_id: int, chat_id: int | None
) -> tuple[int, datetime | None]:
    """How many strikes still count, and until when."""
    counting = [Strike.expires_at > now(), Strike.withdrawn_at.is_(None)]
    statement = select(func.count(), func.max(Strike.expires_at)).where(
        Strike.user_id == user_id, _in(Strike, chat_id), *counting
    )
    number, until = (await session.execute(statement)).one()
    return number, until


def _in(table: Any, chat_id: int | None) -> ColumnElement[bool]:
    return table.chat_id == chat_id if chat_id is not None else true()


async def _do(session: AsyncSession, statement: Any) -> int:
    """Rows that a change touched; objects in memory are not looked after."""
    done = await session.execute(statement, execution_options={"synchronize_session": False})
    return max(getattr(done, "rowcount", 0), 0)
