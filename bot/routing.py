"""Which handler gets an update, and what handlers may ask for by name."""

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.filters import ExceptionTypeFilter
from aiogram.types import ErrorEvent

from bot import (
    chats,
    inquiries,
    models,
    moderate,
    names,
    outcome,
    panel,
    privacy,
    queue,
    reports,
    retrain,
    stats,
    verdicts,
)
from bot.members import Members
from bot.names import Names
from bot.outbox import Outbox
from bot.telegram import describe
from moderation.batcher import Batcher
from moderation.database import Sessions
from moderation.ledger import Ledger
from moderation.settings import Settings

log = structlog.get_logger()


def make_dispatcher(
    bot: Bot, sessions: Sessions, batcher: Batcher, outbox: Outbox, settings: Settings
) -> Dispatcher:
    """The dispatcher with all handlers; a message's scores come with its update."""
    members = Members(bot)
    dispatcher = Dispatcher(
        disable_fsm=True,
        sessions=sessions,
        ledger=Ledger(sessions),
        batcher=batcher,
        settings=settings,
        members=members,
        outbox=outbox,
        names=Names(sessions, members, batcher, outbox, settings),
    )
    # Moderation takes what is left, so it is the last.
    dispatcher.include_routers(
        verdicts.router(),
        panel.router(),
        queue.router(),
        stats.router(),
        retrain.router(),
        outcome.router(),
        models.router(),
        names.router(),
        chats.router(),
        privacy.router(),
        inquiries.router(),
        reports.router(),
        moderate.router(),
        verdicts.leftovers(),
    )
    refusals = ExceptionTypeFilter(TelegramBadRequest, TelegramForbiddenError)
    dispatcher.errors.register(on_refusal, refusals)
    return dispatcher


async def on_refusal(event: ErrorEvent) -> None:
    """Who blocked the bot, or doesn't let it write, gets no answer: trying again is no use."""
    log.info("not answered", update=event.update.update_id, reason=describe(event.exception))
