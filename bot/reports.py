"""/report: a member shows the moderators a message."""

from datetime import timedelta

import structlog
from aiogram import Bot, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command
from aiogram.types import Message, User
from sqlalchemy.ext.asyncio import AsyncSession

from bot.answers import language_of, whisper
from bot.content import Sender, sender_of
from bot.evidence import Scored, evidence_of, hash_of, prediction_of, secret, weightiest
from bot.moderate import score_message
from bot.outbox import Outbox
from bot.places import in_groups
from moderation import owing, people, store
from moderation.batcher import Batcher
from moderation.columns import now
from moderation.database import Sessions
from moderation.memory import text_key
from moderation.policy import Action, Decision
from moderation.settings import Settings
from moderation.states import Origin
from moderation.tables import Case, Prediction, Report

log = structlog.get_logger()
REPORTS_AN_HOUR = 5


def router() -> Router:
    """The handler of /report."""
    found = Router(name="reports")
    found.message.register(on_report, Command("report"), in_groups)
    return found


async def on_report(
    message: Message,
    bot: Bot,
    sessions: Sessions,
    batcher: Batcher,
    outbox: Outbox,
    settings: Settings,
) -> None:
    """Make a case of the message that was replied to, or add a voice to the case it has."""
    reporter, reported = message.from_user, message.reply_to_message
    if reporter is None or reporter.is_bot:
        raise SkipHandler
    words = await language_of(message, sessions)
    key = await _report(message, reporter, reported, bot, sessions, batcher, outbox, settings)
    await whisper(message, bot, sessions, words(f"report.{key}"))
    raise SkipHandler  # what stands after the command is judged as any other words


async def _report(
    message: Message,
    reporter: User,
    reported: Message | None,
    bot: Bot,
    sessions: Sessions,
    batcher: Batcher,
    outbox: Outbox,
    settings: Settings,
) -> str:
    """What the reporter is told, as the key of it."""
    sender = sender_of(reported) if reported else None
    if reported is None or sender is None or reported.forum_topic_created:
        return "usage"
    if sender.id == bot.id or sender.id == reporter.id:
        return "pointless"
    scored = await score_message(reported, batcher)
    if not scored:
        return "no_words"
    async with sessions.begin() as session:
        if (refusal := await _refusal(session, message.chat.id, reporter.id)) is not None:
            return refusal
        case, is_new = await _case(session, reported, sender, scored, settings)
        if case.verdict is not None:
            return "decided"
        if reporter.id in {row.reporter_id for row in await people.reports(session, case.id)}:
            return "again"
        row = Report(chat_id=message.chat.id, case_id=case.id, reporter_id=reporter.id)
        row.reporter_name = reporter.full_name
        session.add(row)
        await owing.owe(session, case.id)
    log.info("message reported", case=case.id, reporter=reporter.id, new=is_new)
    outbox.put(case)
    return "accepted"


async def _refusal(session: AsyncSession, chat_id: int, reporter_id: int) -> str | None:
    member = await people.member(session, chat_id, reporter_id)
    if member.reports_blocked_until is not None and member.reports_blocked_until > now():
        return "blocked"
    since = now() - timedelta(hours=1)
    if await people.count_reports(session, chat_id, reporter_id, since) >= REPORTS_AN_HOUR:
        return "too_many"
    return None


async def _case(
    session: AsyncSession,
    reported: Message,
    sender: Sender,
    scored: list[Scored],
    settings: Settings,
) -> tuple[Case, bool]:
    """The case of a reported message, made if there is none."""
    found = await store.latest_prediction(session, reported.chat.id, reported.message_id)
    prediction = found or _unseen(reported, sender, scored, settings)
    known = await store.case_of(session, prediction.id) if found else None
    if known is not None:
        return known, False
    part = weightiest(scored, Decision(Action.NONE))
    case = Case(
        chat_id=reported.chat.id,
        origin=Origin.REPORT,
        thread_id=reported.message_thread_id if reported.is_topic_message else None,
        user_name=sender.name,
        text=part.text,
        text_key=text_key(part.text, secret(settings)),
        flagged=[],
        is_seconded=False,
    )
    await store.record(session, prediction, case, [])
    return case, True


def _unseen(
    reported: Message, sender: Sender, scored: list[Scored], settings: Settings
) -> Prediction:
    """The prediction of a message that was written before the bot came."""
    row = prediction_of(reported, 0, sender, evidence_of(scored, None), Decision(Action.NONE))
    row.content_hash, row.exempt = hash_of(scored, settings), "unseen"
    row.model_version = scored[0].prediction.model_version
    row.field = scored[0].part.field
    return row
