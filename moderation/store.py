"""Every query, as functions that take a session."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.categories import Category
from moderation.columns import now
from moderation.inserts import ensure, insert
from moderation.states import (
    Act,
    ActState,
    Origin,
    Source,
    UpdateState,
    Verdict,
)
from moderation.tables import Case, Chat, Enforcement, InboxUpdate, Label, Note, Prediction

KEEP_DONE = timedelta(days=2)  # Telegram delivers again what wasn't confirmed for a day
_BELOW = 1 << 40  # more than any id of an update


async def add_updates(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write updates (id, chat_id, payload); returns the ids that are not handled yet, those
    written before among them.

    An id that was used days ago means another update: after an idle week Telegram counts anew.
    """
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    used = (InboxUpdate.id.in_(ids), InboxUpdate.state != UpdateState.PENDING)
    await session.execute(
        delete(InboxUpdate).where(*used, InboxUpdate.received_at < now() - KEEP_DONE)
    )
    await session.execute(insert(session, InboxUpdate).on_conflict_do_nothing(), list(rows))
    pending = (InboxUpdate.id.in_(ids), InboxUpdate.state == UpdateState.PENDING)
    return list(await session.scalars(select(InboxUpdate.id).where(*pending)))


async def set_apart_updates(session: AsyncSession) -> None:
    """Give updates that have waited for days ids below all others, in the same order: theirs may
    be used anew. To be called before any of them is read."""
    old = (InboxUpdate.id > 0, InboxUpdate.received_at < now() - KEEP_DONE)
    statement = update(InboxUpdate).where(InboxUpdate.state == UpdateState.PENDING, *old)
    await session.execute(statement.values(id=InboxUpdate.id - _BELOW))


async def pending_updates(
    session: AsyncSession, after: int | None = None, limit: int = 500
) -> Sequence[InboxUpdate]:
    """The first updates that are not handled yet, with ids above `after`."""
    statement = select(InboxUpdate).where(InboxUpdate.state == UpdateState.PENDING)
    if after is not None:
        statement = statement.where(InboxUpdate.id > after)
    return (await session.scalars(statement.order_by(InboxUpdate.id).limit(limit))).all()


async def payloads(session: AsyncSession, ids: Sequence[int]) -> dict[int, str]:
    """What Telegram sent, by the ids of updates; nothing of those that are handled."""
    statement = select(InboxUpdate.id, InboxUpdate.payload).where(
        InboxUpdate.id.in_(ids), InboxUpdate.state == UpdateState.PENDING
    )
    return {row.id: row.payload for row in await session.execute(statement)}


async def count_updates(session: AsyncSession, state: UpdateState) -> int:
    """How many updates are in a state."""
    statement = select(func.count()).where(InboxUpdate.state == state)
    return await session.scalar(statement) or 0


async def finish_updates(session: AsyncSession, ids: Sequence[int]) -> None:
    """Note that updates are done; what they said isn't needed any more."""
    statement = update(InboxUpdate).where(InboxUpdate.id.in_(ids))
    await session.execute(statement.values(state=UpdateState.DONE, error=None, payload=""))


async def quarantine_update(session: AsyncSession, update_id: int, error: str) -> None:
    """Set an update aside, with what is wrong with it."""
    statement = update(InboxUpdate).where(InboxUpdate.id == update_id)
    await session.execute(statement.values(state=UpdateState.QUARANTINED, error=error))


async def end_quarantine(session: AsyncSession, *, again: bool) -> int:
    """Let all updates that were set aside be handled again, or drop them; returns how many."""
    values: dict[str, Any] = {"state": UpdateState.PENDING, "attempts": 0, "error": None}
    if not again:
        values = {"state": UpdateState.DONE, "payload": ""}
    statement = update(InboxUpdate).where(InboxUpdate.state == UpdateState.QUARANTINED)
    ended = await session.scalars(statement.values(**values).returning(InboxUpdate.id))
    return len(ended.all())


async def count_attempt(session: AsyncSession, ids: Sequence[int], error: str) -> dict[int, int]:
    """Note an attempt at updates; returns how many there were at each."""
    statement = update(InboxUpdate).where(InboxUpdate.id.in_(ids))
    counted = statement.values(attempts=InboxUpdate.attempts + 1, error=error)
    returned = counted.returning(InboxUpdate.id, InboxUpdate.attempts)
    return {row.id: row.attempts for row in await session.execute(returned)}


async def chat(session: AsyncSession, chat_id: int, title: str, kind: str) -> Chat:
    """The row of a group, made if it is new."""
    found = await session.get(Chat, chat_id)
    if found is None:
        await ensure(session, Chat, id=chat_id, preferences={}, is_active=True, added_at=now())
        found = await session.get_one(Chat, chat_id)
    found.title, found.kind = title, kind
    await session.flush()
    return found


async def chats(session: AsyncSession) -> Sequence[Chat]:
    """All groups the bot is in."""
    statement = select(Chat).where(Chat.is_active).order_by(Chat.title)
    return (await session.scalars(statement)).all()


async def moderated_from(session: AsyncSession, modchat_id: int) -> Sequence[Chat]:
    """The groups whose cards go to this chat."""
    statement = select(Chat).where(Chat.modchat_id == modchat_id, Chat.id != modchat_id)
    return (await session.scalars(statement)).all()


async def prediction(
    session: AsyncSession, chat_id: int, message_id: int, revision: int
) -> Prediction | None:
    """The prediction for one revision of a message."""
    statement = select(Prediction).where(
        Prediction.chat_id == chat_id,
        Prediction.message_id == message_id,
        Prediction.revision == revision,
    )
    return (await session.scalars(statement)).one_or_none()


async def latest_prediction(
    session: AsyncSession, chat_id: int, message_id: int
) -> Prediction | None:
    """The prediction for the newest known revision of a message."""
    statement = (
        select(Prediction)
        .where(Prediction.chat_id == chat_id, Prediction.message_id == message_id)
        .order_by(Prediction.revision.desc())
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def is_settled(session: AsyncSession, chat_id: int, message_id: int, revision: int) -> bool:
    """Whether nothing can follow from a revision any more: the words that stand are newer, or the
    message falls for other words that it had. Edits can come before their message, and after."""
    other = (Prediction.chat_id == chat_id, Prediction.message_id == message_id)
    newer = select(Prediction.id).where(*other, Prediction.revision > revision)
    falls = (
        select(Enforcement.id)
        .join(Case, Case.id == Enforcement.case_id)
        .join(Prediction, Prediction.id == Case.prediction_id)
        .where(*other, Prediction.revision != revision, Enforcement.act == Act.DELETE)
        .where(Enforcement.state.in_((ActState.PENDING, ActState.ATTEMPTED, ActState.DONE)))
    )
    return bool(await session.scalar(select(newer.exists() | falls.exists())))


async def case_of(session: AsyncSession, prediction_id: int) -> Case | None:
    """The case that a prediction led to."""
    statement = select(Case).where(Case.prediction_id == prediction_id)
    return (await session.scalars(statement)).one_or_none()


async def record(
    session: AsyncSession, prediction: Prediction, case: Case | None, acts: Iterable[Enforcement]
) -> None:
    """Write a prediction and, if it led to one, its case with the acts that are planned."""
    session.add(prediction)
    await session.flush()
    if case is None:
        return
    case.prediction = prediction
    session.add(case)
    await session.flush()
    for act in acts:
        act.case_id = case.id
        session.add(act)


async def expired_notes(session: AsyncSession) -> Sequence[Note]:
    """The messages that are to vanish by now."""
    return (await session.scalars(select(Note).where(Note.expires_at <= now()))).all()


async def count_open(session: AsyncSession, chat_id: int) -> int:
    """How many cases of a group wait for a moderator."""
    statement = select(func.count(Case.id)).where(
        Case.chat_id == chat_id, Case.verdict.is_(None), Case.origin != Origin.AUDIT
    )
    return await session.scalar(statement) or 0


async def remember_card(
    session: AsyncSession,
    case: Case,
    card_chat_id: int | None,
    card_message_id: int | None,
    error: str | None,
) -> None:
    """Note where the card of a case stands, or why it reached nobody."""
    if card_message_id is not None:
        where = {"card_chat_id": card_chat_id, "card_message_id": card_message_id}
        await session.execute(update(Case).where(Case.id == case.id).values(**where))
    await session.execute(update(Chat).where(Chat.id == case.chat_id).values(card_error=error))


async def claim(
    session: AsyncSession, case_id: int, verdict: Verdict, moderator_id: int, name: str
) -> bool:
    """Give a case its verdict, unless somebody did before; true for the one who came first."""
    statement = update(Case).where(Case.id == case_id, Case.verdict.is_(None))
    values = {"resolved_by": moderator_id, "resolved_by_name": name, "resolved_at": now()}
    claimed = await session.scalars(statement.values(verdict=verdict, **values).returning(Case.id))
    return claimed.one_or_none() is not None


async def add_label(
    session: AsyncSession,
    case: Case,
    moderator_id: int,
    vector: Mapping[Category, int | None],
    source: Source = Source.BUTTON,
) -> None:
    """Append what a moderator said about a case's text."""
    session.add(
        Label(
            case_id=case.id,
            chat_id=case.chat_id,
            moderator_id=moderator_id,
            source=source,
            text=case.text,
            text_key=case.text_key,
            vector={category.value: vector[category] for category in Category},
            model_version=case.prediction.model_version,
            scores=case.prediction.scores,
            probability=case.probability,
        )
    )
