"""Rows of messages and people, as the bot writes them."""

import itertools
from datetime import timedelta

from sqlalchemy import select

from moderation.columns import now
from moderation.policy import Action
from moderation.states import Act, Source
from moderation.tables import Case, Enforcement, Label, Prediction, Table

GROUP, OTHER = -1001, -1002
ANNA, BORIS, MODERATOR = 51, 52, 53
DAY = timedelta(days=1)
numbers = itertools.count(1)


def prediction(chat_id, message_id, **other):
    """The row of a message that was judged: nothing was done, unless something else is given."""
    given = {
        "revision": 0, "user_id": 5, "content_hash": "0", "field": "text", "model_version": "v1",
        "scores": {"insult": 0.1}, "action": Action.NONE, "category": None, "score": 0.1,
        "threshold": 0.8,
    }  # fmt: skip
    return Prediction(chat_id=chat_id, message_id=message_id, **given | other)


async def say(session, user_id, chat_id=GROUP, created_at=None, text=None, label=True):
    """A message that was scored; with a text it has a case with a card, a quote and a label."""
    created_at = created_at or now()
    given = {"user_id": user_id, "content_hash": "h", "scores": {"rude": 0.5}}
    given["created_at"] = created_at
    row = prediction(chat_id, next(numbers), **given)
    session.add(row)
    await session.flush()
    if text is None:
        return row
    case = Case(
        prediction_id=row.id, chat_id=chat_id, user_name=f"Имя {user_id}", text=text,
        text_key="key", flagged=[], card_chat_id=-7, card_message_id=row.id,
        resolved_by=MODERATOR, resolved_by_name="Судья", created_at=created_at,
    )  # fmt: skip
    session.add(case)
    await session.flush()
    session.add(
        Enforcement(case_id=case.id, act=Act.RESTORE, message_id=900, former={"status": "member"})
    )
    if label:
        session.add(
            Label(
                case_id=case.id, chat_id=chat_id, moderator_id=MODERATOR, source=Source.BUTTON,
                text=text, text_key="key", vector={}, model_version="v", scores={},
                created_at=created_at,
            )
        )  # fmt: skip
    return case


async def rows(sessions, table, *conditions):
    async with sessions() as session:
        key = table.__table__.primary_key.columns.values()
        return list(await session.scalars(select(table).where(*conditions).order_by(*key)))


async def written(sessions):
    """Everything that the database holds, as text."""
    async with sessions() as session:
        found = [
            await session.execute(select(table.__table__))
            for table in (mapper.class_ for mapper in Table.registry.mappers)
        ]
        return "\n".join(str(row) for result in found for row in result)
