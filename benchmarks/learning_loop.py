"""What happens between two retrainings: people write, the bot scores, moderators answer.

Decisions, audits, the queue and the labels are the bot's own; only the people are made up. Each
answer is the row's labels, by one of four moderators, in three groups.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pandas as pd
from learning_base import Rows
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.evidence import SECONDED_SHARE
from moderation import accuracy, database, queue, store
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.memory import text_key
from moderation.policy import Decision, decide
from moderation.preferences import Preferences
from moderation.states import AssignmentState, Origin, Source
from moderation.tables import Case, Label, Prediction

GROUPS, MODERATORS, AUTHORS = (-1001, -1002, -1003), (11, 12, 13, 14), 300
CLEAN = 0.75  # of the messages; a chat has more, but moderators aren't shown those
SETTINGS = Preferences()


class Arm(StrEnum):
    """Which messages the moderators are asked about."""

    RANDOM = "random"  # any that was written
    FLAGGED = "flagged"  # any that the bot acted on or doubts
    QUEUE = "queue"  # what the review queue serves


@dataclass(frozen=True, slots=True)
class Setup:
    """What is the same for all arms."""

    out: Path
    base: Path
    rows: Rows
    category: Category
    rounds: int
    labels: int
    messages: int


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody wrote, what the model in service says of it, and what it is."""

    number: int
    text: str
    scores: Mapping[Category, float]
    vector: Mapping[Category, int]


@dataclass(frozen=True, slots=True)
class Round:
    """A round: who is asked about what, how often, and by which scores the queue goes."""

    arm: Arm
    messages: Sequence[Message]  # all until now, the new ones last
    new: int
    labels: int
    version: str


def stream(rows: pd.DataFrame, seed: int, number: int) -> pd.DataFrame:
    """So many messages in random order, most of them clean."""
    is_clean = rows[Category.NON_TOXIC] == 1
    clean = round(number * CLEAN)
    picked = [
        rows[is_clean].sample(n=clean, random_state=seed),
        rows[~is_clean].sample(n=number - clean, random_state=seed),
    ]
    return pd.concat(picked).sample(frac=1, random_state=seed).reset_index(drop=True)


async def answer(url: str, asked: Round, chance: random.Random) -> None:
    """Let the new messages arrive, and the moderators label some by turns."""
    asks = {Arm.RANDOM: _random, Arm.FLAGGED: _flagged, Arm.QUEUE: _served}[asked.arm]
    async with database.opened(url) as sessions, sessions.begin() as session:
        if asked.arm is not Arm.RANDOM:
            for message in asked.messages[-asked.new :]:
                await _arrive(session, message, asked.version, chance)
        for turn in range(asked.labels):
            await asks(session, asked, MODERATORS[turn % len(MODERATORS)], chance)


async def _arrive(
    session: AsyncSession, message: Message, version: str, chance: random.Random
) -> None:
    """The case of a message, if the bot has one of it: see bot/evidence.py."""
    decision = decide(message.scores, SETTINGS.policy(now()))
    origin, probability = Origin.DECISION, None
    if not decision.action:
        highest = max(message.scores.get(category, 0.0) for category in TOXIC)
        probability = accuracy.probability(highest, SETTINGS.audit_share)
        if chance.random() >= probability:
            return
        origin = Origin.AUDIT
    await _record(session, message, version, decision, origin, probability, chance)


async def _record(
    session: AsyncSession,
    message: Message,
    version: str,
    decision: Decision,
    origin: Origin,
    probability: float | None,
    chance: random.Random,
) -> Case:
    chat_id, author = chance.choice(GROUPS), 1000 + chance.randrange(AUTHORS)
    prediction = Prediction(
        chat_id=chat_id, message_id=message.number, revision=0, user_id=author, content_hash="",
        field="text", model_version=version, action=decision.action, category=decision.category,
        scores={c.value: score for c, score in message.scores.items()}, score=decision.score,
        threshold=decision.threshold,
    )  # fmt: skip
    case = Case(
        chat_id=chat_id, origin=origin, probability=probability, user_name="", text=message.text,
        text_key=text_key(message.text), flagged=[c.value for c in decision.over],
        is_seconded=chance.random() < SECONDED_SHARE,
    )  # fmt: skip
    await store.record(session, prediction, case, [])
    return case


async def _random(
    session: AsyncSession, asked: Round, moderator_id: int, chance: random.Random
) -> None:
    known = set(await session.scalars(select(Prediction.message_id)))
    message = chance.choice([m for m in asked.messages if m.number not in known])
    decision = decide(message.scores, SETTINGS.policy(now()))
    case = await _record(session, message, asked.version, decision, Origin.REPORT, None, chance)
    await store.add_label(session, case, moderator_id, message.vector, Source.REVIEW)


async def _flagged(
    session: AsyncSession, asked: Round, moderator_id: int, chance: random.Random
) -> None:
    is_labelled = select(Label.id).where(Label.case_id == Case.id).exists()
    statement = select(Case).where(Case.origin == Origin.DECISION, ~is_labelled).order_by(Case.id)
    found = (await session.scalars(statement)).all()
    if found:
        case = chance.choice(found)
        vector = asked.messages[case.prediction.message_id].vector
        await store.add_label(session, case, moderator_id, vector, Source.REVIEW)


async def _served(
    session: AsyncSession, asked: Round, moderator_id: int, chance: random.Random
) -> None:
    preferences = dict.fromkeys(GROUPS, SETTINGS)
    case = await queue.serve(session, preferences, moderator_id, now(), chance)
    if case is None:
        return
    source = queue.source_of(case, await queue.labelled_by(session, case.id))
    assert source is not None, "nobody was faster"
    vector = asked.messages[case.prediction.message_id].vector
    await store.add_label(session, case, moderator_id, vector, source)
    await queue.finish(session, case.id, moderator_id, AssignmentState.ANSWERED, now())
