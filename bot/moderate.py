"""The path of a message: predict, decide, record, enforce, show."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from aiogram import Bot, Router
from aiogram.types import Message, Update
from sqlalchemy.ext.asyncio import AsyncSession

from bot import enforce
from bot.content import Sender, is_ignored, sender_of, texts_of
from bot.evidence import Scored, case_of, evidence_of, hash_of, prediction_of, secret, weightiest
from bot.language import language
from bot.members import Members
from bot.names import Names, look_at
from bot.outbox import Outbox
from bot.places import GROUPS, in_groups
from moderation import albums, context, owing, people, sanctions, store
from moderation.batcher import Batcher
from moderation.columns import now
from moderation.context import Context
from moderation.database import Sessions
from moderation.ledger import Ledger
from moderation.memory import text_key
from moderation.policy import Action, Decision, Policy, judge
from moderation.preferences import Preferences, climb
from moderation.settings import Settings
from moderation.states import Act, ActState, Origin
from moderation.tables import Case, Chat


def router() -> Router:
    """The handlers of all that is written in groups."""
    messages = Router(name="moderate")
    messages.message.register(on_message, in_groups)
    messages.edited_message.register(on_message, in_groups)
    return messages


async def score(update: Update, batcher: Batcher) -> list[Scored]:
    """Score what is written in an update. Needs no order, so a chat's waiting updates are scored
    together while they are handled one after another."""
    message = update.message or update.edited_message
    if message is None or message.chat.type not in GROUPS:
        return []
    return await score_message(message, batcher)


async def score_message(message: Message, batcher: Batcher) -> list[Scored]:
    """Score every part of a message."""
    parts = texts_of(message)
    predictions = await asyncio.gather(*(batcher.predict(part.text) for part in parts))
    return [Scored(part, found) for part, found in zip(parts, predictions, strict=True)]


async def on_message(
    message: Message,
    scored: list[Scored],
    bot: Bot,
    sessions: Sessions,
    ledger: Ledger,
    members: Members,
    outbox: Outbox,
    names: Names,
    settings: Settings,
) -> None:
    """Moderate one revision of a message. Repeating it changes nothing."""
    sender = sender_of(message)
    if sender is None or is_ignored(message, bot.id):
        return
    if message.media_group_id and (fallen := await _fallen(message, sessions)) is not None:
        outbox.put(fallen)
        return
    if scored:
        case = await _record(message, scored, sender, sessions, ledger, members, settings)
        if case is not None and case.card_due is not None:  # else it's only for an audit, or done
            outbox.put(case)
    await look_at(message, names)


async def _fallen(message: Message, sessions: Sessions) -> Case | None:
    """The case for which the album that a message belongs to was deleted before this item of it
    came; what it asked for is to be done again."""
    async with sessions.begin() as session:
        chat_id, message_id = message.chat.id, message.message_id
        case_id = await albums.add(session, chat_id, message_id, message.media_group_id or "")
        if case_id is None:
            return None
        await sanctions.reopen_deletion(session, case_id)
        await owing.owe(session, case_id)
        return await session.get_one(Case, case_id)


async def _record(
    message: Message,
    scored: list[Scored],
    sender: Sender,
    sessions: Sessions,
    ledger: Ledger,
    members: Members,
    settings: Settings,
) -> Case | None:
    """The case of a message, if it needs one; written before anything is done about it."""
    chat_id, message_id = message.chat.id, message.message_id
    revision = int(message.edit_date or 0)
    content_hash = hash_of(scored, settings)
    words = "\n".join(found.part.text for found in scored if found.part.authored)
    key = text_key(words, secret(settings))
    where = (chat_id, message.chat.title or "", message.chat.type)
    known = await context.find(sessions, where, message_id, sender.id, key)
    chat = known.chat
    if known.is_modchat or chat.moved_to is not None:
        return None  # it's the moderators' own, or a supergroup now, where nothing can be done
    is_settled = False
    if known.revision is not None:
        async with sessions() as session:
            row = await store.prediction(session, chat_id, message_id, revision)
            if row is not None:
                if not revision or row.content_hash in ("", content_hash):
                    return await store.case_of(session, row.id)
                revision = known.revision + 1  # another edit within the same second
            is_settled = await store.is_settled(session, chat_id, message_id, revision)
    if known.content_hash == content_hash:
        return None  # Telegram also reports edits that change nothing visible
    preferences = Preferences.of(chat.preferences)
    is_newcomer = preferences.is_newcomer(known.joined_at, now())
    policy = preferences.policy(now(), is_newcomer=is_newcomer)
    evidence = evidence_of(scored, await _remembered(sessions, known, key, preferences))
    decision = judge(evidence, policy)
    exempt = "settled" if is_settled else None
    exempt = exempt or await _exempt(message, sender, decision, preferences, members)
    row = prediction_of(message, revision, sender, evidence, decision)
    row.content_hash, row.is_newcomer, row.exempt = content_hash, is_newcomer, exempt
    row.model_version = scored[0].prediction.model_version
    part = weightiest(scored, decision)
    row.field = part.field
    case = None if exempt else case_of(message, sender, part, decision, preferences, row)
    if case is None:
        await ledger.write(row)
        return None
    case.text_key = key
    async with sessions.begin() as session:
        await store.record(session, row, case, [])
        if case.origin is Origin.DECISION:
            case.card_due = now()
            await _punish(session, case, decision, policy, chat, settings)
    return await _reread(sessions, row.id)


async def _remembered(
    sessions: Sessions, known: Context, key: str, preferences: Preferences
) -> Mapping[str, int] | None:
    """What moderators of this group said of the same words lately."""
    if not known.has_labels:
        return None
    since = now() - timedelta(days=preferences.memory_days)
    async with sessions() as session:
        return await people.remembered(session, known.chat.id, key, since)


async def _reread(sessions: Sessions, prediction_id: int) -> Case | None:
    async with sessions() as session:
        return await store.case_of(session, prediction_id)


async def _punish(
    session: AsyncSession,
    case: Case,
    decision: Decision,
    policy: Policy,
    chat: Chat,
    settings: Settings,
) -> None:
    """Add a strike, see how high up the ladder that is, and plan the acts. Whatever becomes of
    a message, its author has one strike and hears of it once."""
    preferences = Preferences.of(chat.preferences)
    action = decision.action
    prediction = case.prediction
    if action >= Action.WARN and not policy.dry_run:
        strike = await people.strike(session, case, preferences.strike_days)
        # Punishing a person needs stricter evidence than removing a message.
        if prediction.remembered is None and decision.score >= policy.punish_threshold:
            author = prediction.user_id
            count = await people.count_strikes(session, chat.id, author, now(), strike)
            climbed = climb(action, count, preferences)
            if author > 0 or climbed is Action.BAN:  # a channel can be banned, but not muted
                action = climbed
    is_warned = await sanctions.is_warned(session, case)
    for act in enforce.plan(action, policy, preferences, settings.mute_hours):
        act.case_id = case.id
        if is_warned and act.act is Act.NOTICE and act.state is ActState.PENDING:
            words = language(preferences.language)
            act.state, act.detail = ActState.SKIPPED, words.plain("act.warned")
        session.add(act)


async def _exempt(
    message: Message,
    sender: Sender,
    decision: Decision,
    preferences: Preferences,
    members: Members,
) -> str | None:
    """Why nothing is done about this sender's messages; None for everybody else."""
    if sender.exempt is not None:
        return sender.exempt
    if sender.id in preferences.exempt:
        return "exempt"
    if decision.action and sender.is_channel:
        is_linked = await members.is_linked(message.chat.id, sender.id)
        return "linked_channel" if is_linked else None
    if decision.action:
        administers = await members.is_administrator(message.chat.id, sender.id)
        return "administrator" if administers else None
    return None
