"""What is known of a message, as it is decided on and written down."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiogram.types import Message

from bot.content import Part, Sender
from moderation import accuracy
from moderation.batcher import Prediction
from moderation.categories import TOXIC, Category
from moderation.policy import Action, Decision, Evidence
from moderation.preferences import Preferences
from moderation.settings import Settings
from moderation.states import Origin
from moderation.tables import Case
from moderation.tables import Prediction as PredictionRow

SECONDED_SHARE = 0.05  # of all cases, shown to a second moderator to measure agreement


@dataclass(frozen=True, slots=True)
class Scored:
    """A part of a message and its scores."""

    part: Part
    prediction: Prediction


def evidence_of(scored: Sequence[Scored], remembered: Mapping[str, int] | None) -> Evidence:
    """What is known of a message: of the parts of either kind, the highest score of each
    category."""
    known = {Category(name): value for name, value in remembered.items()} if remembered else None
    return Evidence(
        scores=_highest([found for found in scored if found.part.authored]),
        quoted=_highest([found for found in scored if not found.part.authored]),
        remembered=known,
    )


def secret(settings: Settings) -> bytes:
    """What keys the digests of texts, so that short ones can't be guessed back."""
    return hashlib.sha256(settings.bot_token.get_secret_value().encode()).digest()


def _highest(scored: Sequence[Scored]) -> dict[Category, float]:
    highest: dict[Category, float] = {}
    for found in scored:
        for category, value in found.prediction.scores.items():
            highest[category] = max(value, highest.get(category, 0.0))
    return highest


def weightiest(scored: Sequence[Scored], decision: Decision) -> Part:
    """The part that a card shows: where the decisive category scored highest."""

    def weight(found: Scored) -> tuple[bool, float]:
        scores = found.prediction.scores
        category = decision.category
        shown = [category] if category else _toxic(scores)
        high = max((scores.get(name, 0.0) for name in shown), default=0.0)
        return (found.part.authored or decision.action == Action.REVIEW, high)

    return max(scored, key=weight).part


def _toxic(scores: Mapping[Category, float]) -> list[Category]:
    return [category for category in TOXIC if category in scores]


def prediction_of(
    message: Message, revision: int, sender: Sender, evidence: Evidence, decision: Decision
) -> PredictionRow:
    """The row that keeps a message's scores without its words."""
    return prediction_row(message.chat.id, message.message_id, revision, sender, evidence, decision)


def prediction_row(
    chat_id: int,
    message_id: int,
    revision: int,
    sender: Sender,
    evidence: Evidence,
    decision: Decision,
) -> PredictionRow:
    """The row of what was decided on, be it a message or a name."""
    scores, quoted = evidence.scores, evidence.quoted
    shown = scores or quoted
    highest = max((shown[category] for category in _toxic(shown)), default=0.0)
    return PredictionRow(
        chat_id=chat_id,
        message_id=message_id,
        revision=revision,
        user_id=sender.id,
        scores={category.value: value for category, value in scores.items()},
        quoted_scores={c.value: value for c, value in quoted.items()} if quoted else None,
        remembered=None
        if evidence.remembered is None
        else {category.value: value for category, value in evidence.remembered.items()},
        stratum=accuracy.stratum_of(min(max(highest, 0.0), 1.0)),
        action=decision.action,
        category=decision.category,
        score=decision.score,
        threshold=decision.threshold,
    )


def case_of(
    message: Message,
    sender: Sender,
    part: Part,
    decision: Decision,
    preferences: Preferences,
    row: PredictionRow,
) -> Case | None:
    """The case that a decision asks for, or that an audit draws among what passes."""
    origin, probability = Origin.DECISION, None
    if not decision.action:
        highest = max((row.scores.get(category, 0.0) for category in TOXIC), default=0.0)
        probability = accuracy.probability(highest, preferences.audit_share)
        if not part.authored or random.random() >= probability:
            return None
        origin = Origin.AUDIT
    flagged = decision.over or ((decision.category,) if decision.category else ())
    return Case(
        chat_id=message.chat.id,
        origin=origin,
        probability=probability,
        is_seconded=random.random() < SECONDED_SHARE,
        thread_id=message.message_thread_id if message.is_topic_message else None,
        user_name=sender.name,
        text=part.text,
        flagged=[category.value for category in flagged],
    )


def hash_of(scored: Sequence[Scored], settings: Settings) -> str:
    """Tells whether a text changed without keeping it."""
    digest = hashlib.blake2b(key=secret(settings), digest_size=16)
    for found in scored:
        digest.update(f"{found.part.field}\0{found.part.text}\0".encode())
    return digest.hexdigest()
