"""The labels that a model has not learned from: what an operator sees before a training."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.agreement import Agreement, Vote, alpha, resolve
from moderation.categories import Category
from moderation.registry import ModelCard
from moderation.tables import Label, TrainingRun

_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
HELD_OUT = 0.15  # about the share of texts that the trainer never learns from


@dataclass(frozen=True, slots=True)
class Growth:
    """Labelled texts that came after a moment. A text that several labelled counts once."""

    texts: int
    categories: Mapping[Category, int]  # texts that show each
    moderators: int
    agreement: Mapping[Category, Agreement]  # of those who labelled the same texts

    @property
    def held_out(self) -> int:
        """About how many are kept for tests."""
        return round(self.texts * HELD_OUT)


async def known_until(session: AsyncSession, card: ModelCard) -> datetime:
    """The moment up to which a version may have learned from labels."""
    begun = select(TrainingRun.started_at).where(TrainingRun.version == card.version)
    found = await session.scalar(begun.order_by(TrainingRun.id.desc()).limit(1))
    if found is not None:
        return found
    return card.created if "labels" in card.metrics else _NEVER


async def growth(session: AsyncSession, since: datetime) -> Growth:
    """What moderators said since a moment; texts that were forgotten are no labels any more."""
    statement = (
        select(Label.case_id, Label.text, Label.moderator_id, Label.vector)
        .where(Label.created_at > since, Label.text != "")
        .order_by(Label.id)
    )
    votes: dict[int | str, dict[int, Vote]] = {}
    moderators = set()
    for row in await session.execute(statement):
        key = row.text if row.case_id is None else row.case_id
        votes.setdefault(key, {})[row.moderator_id] = {
            Category(name): value for name, value in row.vector.items()
        }
        moderators.add(row.moderator_id)
    counted: Counter[Category] = Counter()
    for given in votes.values():
        settled = resolve(list(given.values()))
        counted.update(category for category, value in settled.items() if value == 1)
    several = [given for given in votes.values() if len(given) > 1]
    return Growth(len(votes), counted, len(moderators), alpha(several) if several else {})


async def count_since(session: AsyncSession, since: datetime) -> int:
    """How many labels came after a moment."""
    statement = select(func.count()).select_from(Label)
    return await session.scalar(statement.where(Label.created_at > since, Label.text != "")) or 0
