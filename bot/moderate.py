"""The path of a message: predict, decide, record, enforce, show."""

import asyncio
import hashlib
from dataclasses import dataclass

import structlog
from aiogram import Bot, F, Router
from aiogram.types import Message, Update

from bot import enforce, review
from bot.content import Part, Sender, sender_of, texts_of
from bot.members import Members
from moderation import store
from moderation.batcher import Batcher, Prediction
from moderation.columns import now
from moderation.database import Sessions
from moderation.policy import Decision, Policy, decide
from moderation.preferences import Preferences
from moderation.settings import Settings
from moderation.tables import Case
from moderation.tables import Prediction as PredictionRow

log = structlog.get_logger()
IN_GROUPS = F.chat.type.in_({"group", "supergroup"})


@dataclass(frozen=True, slots=True)
class Scored:
    """A part of a message and its scores."""

    part: Part
    prediction: Prediction


def router() -> Router:
    """The handlers of all that is written in groups."""
    messages = Router(name="moderate")
    messages.message.register(on_message, IN_GROUPS)
    messages.edited_message.register(on_message, IN_GROUPS)
    return messages


async def score(update: Update, batcher: Batcher) -> list[Scored]:
    """Score what is written in an update. Needs no order, so a chat's waiting updates are scored
    together while they are handled one after another."""
    message = update.message or update.edited_message
    if message is None or message.chat.type not in ("group", "supergroup"):
        return []
    parts = texts_of(message)
    predictions = await asyncio.gather(*(batcher.predict(part.text) for part in parts))
    return [Scored(part, found) for part, found in zip(parts, predictions, strict=True)]


async def on_message(
    message: Message,
    scored: list[Scored],
    bot: Bot,
    sessions: Sessions,
    members: Members,
    settings: Settings,
) -> None:
    """Moderate one revision of a message. Repeating it changes nothing."""
    sender = sender_of(message)
    if not scored or sender is None or sender.id == bot.id:
        return
    case = await _record(message, scored, sender, sessions, members, settings)
    if case is not None:
        await enforce.apply(bot, sessions, case)
        await review.post(bot, sessions, case)


async def _record(
    message: Message,
    scored: list[Scored],
    sender: Sender,
    sessions: Sessions,
    members: Members,
    settings: Settings,
) -> Case | None:
    """The case of a message, if it needs one; written before anything is done about it."""
    chat_id, message_id = message.chat.id, message.message_id
    revision = int(message.edit_date or 0)
    content_hash = _hash(scored, settings)
    async with sessions.begin() as session:
        if await store.moderated_from(session, chat_id):
            return None  # the moderators' own chat
        chat = await store.chat(session, chat_id, message.chat.title or "", message.chat.type)
        known = await store.prediction(session, chat_id, message_id, revision)
        if known is not None:
            return await store.case_of(session, known.id)
        before = await store.latest_prediction(session, chat_id, message_id)
    if before is not None and before.content_hash == content_hash:
        return None  # Telegram also reports edits that change nothing visible
    policy = Preferences.of(chat.preferences).policy(now())
    worst, decision = _decide(scored, policy)
    exempt = sender.exempt
    if exempt is None and decision.action and not sender.is_channel:
        exempt = "administrator" if await members.is_administrator(chat_id, sender.id) else None
    row = _prediction(message, revision, sender, content_hash, worst, decision, exempt)
    case = _case(message, sender, worst, decision) if decision.action else None
    if exempt:
        case = None
    async with sessions.begin() as session:
        acts = enforce.plan(decision, policy, settings.mute_hours)
        await store.record(session, row, case, acts)
    if case is None:
        return None
    async with sessions() as session:
        return await store.case_of(session, row.id)


def _decide(scored: list[Scored], policy: Policy) -> tuple[Scored, Decision]:
    """The part that asks for the most severe action, and that action."""
    decisions = [
        (found, decide(found.prediction.scores, policy, authored=found.part.authored))
        for found in scored
    ]
    return max(decisions, key=lambda pair: (pair[1].action, pair[1].score))


def _prediction(
    message: Message,
    revision: int,
    sender: Sender,
    content_hash: str,
    worst: Scored,
    decision: Decision,
    exempt: str | None,
) -> PredictionRow:
    return PredictionRow(
        chat_id=message.chat.id,
        message_id=message.message_id,
        revision=revision,
        user_id=sender.id,
        content_hash=content_hash,
        field=worst.part.field,
        model_version=worst.prediction.model_version,
        scores={category.value: value for category, value in worst.prediction.scores.items()},
        action=decision.action,
        category=decision.category,
        score=decision.score,
        threshold=decision.threshold,
        exempt=exempt,
    )


def _case(message: Message, sender: Sender, worst: Scored, decision: Decision) -> Case:
    flagged = decision.over or ((decision.category,) if decision.category else ())
    return Case(
        chat_id=message.chat.id,
        thread_id=message.message_thread_id if message.is_topic_message else None,
        user_name=sender.name,
        text=worst.part.text,
        flagged=[category.value for category in flagged],
    )


def _hash(scored: list[Scored], settings: Settings) -> str:
    """Tells whether a text changed without keeping it; keyed, for short texts can be guessed."""
    key = hashlib.sha256(settings.bot_token.get_secret_value().encode()).digest()
    digest = hashlib.blake2b(key=key, digest_size=16)
    for found in scored:
        digest.update(f"{found.part.field}\0{found.part.text}\0".encode())
    return digest.hexdigest()
