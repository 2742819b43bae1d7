"""Builds everything and runs it in one TaskGroup."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from datetime import timedelta
from time import monotonic

import structlog
import torch
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramNotFound, TelegramUnauthorizedError
from aiogram.types import Update
from aiogram.types.update import UpdateTypeLookupError
from sqlalchemy.exc import SQLAlchemyError

from bot import answers, enforce, menu, moderate, outcome, privacy, webhook
from bot.evidence import Scored
from bot.health import Health
from bot.inbox import Inbox
from bot.metrics import Metrics
from bot.moves import Moves
from bot.outbox import Outbox
from bot.routing import make_dispatcher
from bot.runner import Runner
from bot.shadow import Shadow
from bot.swaps import Service
from bot.telegram import describe, make_bot
from bot.web import Web
from moderation import database, registry, sanctions
from moderation.batcher import Batcher
from moderation.classifier import TorchClassifier
from moderation.database import DatabaseError, Sessions
from moderation.settings import Settings

log = structlog.get_logger()

NOTICE_AGE = timedelta(seconds=60)
SWEEP_SECONDS = 5
EXPIRE_SECONDS = 3600
CONNECT_SECONDS = 5
ABSENCE_SECONDS = 60  # of a database: machines start everything at once


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises one of `moderation`'s errors, or aiogram's for a
    token that Telegram refuses, if it can't start."""
    bot = make_bot(settings)
    begun = asyncio.current_task()
    assert begun is not None
    # As process 1 of a container it would hear no signal else; a second one changes nothing.
    _on_stop(lambda: begun.cancelling() or begun.cancel())
    try:
        async with _opened(settings.database_url) as sessions:
            classifier = await asyncio.to_thread(load, settings)
            bot.session.middleware(Moves(sessions))
            await _connect(bot)
            await menu.set_operators(bot, settings.operator_ids)
            if not settings.webhook_url:
                await webhook.agree(bot, settings)
            log.info("started", bot=bot.id, model=classifier.version)
            await _serve(bot, sessions, make_batcher(classifier), settings)
    except asyncio.CancelledError:
        log.info("stopped before it served")
    finally:
        await bot.session.close()
    log.info("stopped")


def _on_stop(do: Callable[[], object]) -> None:
    """What SIGTERM and SIGINT do from now on."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, do)


def load(settings: Settings) -> TorchClassifier:
    """The champion, loaded and warmed."""
    directory = registry.champion(settings.models_dir)
    registry.verify(directory)
    classifier = TorchClassifier(directory, settings.device)
    classifier.score(classifier.encode("warm-up"))
    return classifier


def make_batcher(classifier: TorchClassifier) -> Batcher:
    """On a CPU two workers of one thread each, on a GPU one with large batches."""
    if classifier.device.type == "cpu":
        torch.set_num_threads(1)
        return Batcher(classifier)
    return Batcher(classifier, workers=1, max_batch_tokens=16_384)


def ids_of(update: Update) -> dict[str, int]:
    """What every line of the log says that is written while an update is handled."""
    try:
        event = update.event
    except UpdateTypeLookupError:  # a kind that aiogram doesn't know
        return {"update": update.update_id}
    message = getattr(event, "message", None) or event
    chat = getattr(message, "chat", None)
    return {"update": update.update_id} | ({"chat": chat.id} if chat else {})


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Sessions]:
    """The sessions of the database, which is waited for if it is away."""
    end = monotonic() + ABSENCE_SECONDS
    async with AsyncExitStack() as stack:
        while True:
            try:
                sessions = await stack.enter_async_context(database.opened(url))
                break
            except DatabaseError as error:
                if not error.is_away or monotonic() > end:
                    raise
                log.warning("waiting for the database", reason=str(error))
                await asyncio.sleep(CONNECT_SECONDS)
        yield sessions


async def _connect(bot: Bot) -> None:
    """Wait until Telegram answers: a server that restarts is no reason to stop."""
    while True:
        try:
            await bot.me()
            await menu.set_all(bot)
            return
        except (TelegramUnauthorizedError, TelegramNotFound):
            raise
        except AiogramError as error:
            log.warning("Telegram doesn't answer", reason=describe(error))
            await asyncio.sleep(CONNECT_SECONDS)


async def _serve(bot: Bot, sessions: Sessions, batcher: Batcher, settings: Settings) -> None:
    outbox = Outbox(bot, sessions, batcher)
    dispatcher = make_dispatcher(bot, sessions, batcher, outbox, settings)
    service = Service(bot, sessions, batcher, settings)
    await service.begin()
    await outcome.finish(bot, sessions, settings)
    shadow = Shadow(bot, sessions, batcher, settings)

    async def prepare(update: Update) -> list[Scored]:
        with structlog.contextvars.bound_contextvars(**ids_of(update)):
            scored = await moderate.score(update, batcher)
            shadow.offer(update, scored)
        return scored

    async def handle(update: Update, scored: list[Scored]) -> None:
        with structlog.contextvars.bound_contextvars(**ids_of(update)):
            await dispatcher.feed_update(bot, update, scored=scored)

    inbox = Inbox(bot, sessions, prepare, handle, settings.operator_ids)
    metrics = Metrics(sessions, batcher, inbox)
    bot.session.middleware(metrics.calls)
    health = Health(sessions, batcher, inbox, metrics.calls, polls=not settings.webhook_url)
    server = Web(settings, inbox, metrics, health)
    stop, closed = asyncio.Event(), asyncio.Event()
    _on_stop(stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(batcher.run()),
                group.create_task(outbox.run()),
                group.create_task(_sweep(bot, sessions)),
                group.create_task(_expire(bot, sessions, settings)),
                group.create_task(Runner(bot, sessions, settings).run()),
                group.create_task(service.run()),
                group.create_task(shadow.run()),
            ]
            if settings.webhook_url:
                background.append(group.create_task(webhook.keep(bot, settings, stop)))
            group.create_task(_answer(server, settings, stop, closed))
            await inbox.run(closed, polls=not settings.webhook_url)
            await outbox.drain()
            for task in background:
                task.cancel()
    except BaseExceptionGroup as errors:
        raise _first(errors) from errors


async def _answer(
    server: Web, settings: Settings, stop: asyncio.Event, closed: asyncio.Event
) -> None:
    """Answer HTTP requests until `stop`; `closed` once no more updates can come by them."""
    async with server.serving() if settings.http_port else nullcontext():
        await stop.wait()
    closed.set()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The innermost of the errors that ended the groups: the others followed from it."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _sweep(bot: Bot, sessions: Sessions) -> None:
    """Remove notices that have been read: the group is for people."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        try:
            async with sessions() as session:
                expired = await sanctions.expired_notices(session, NOTICE_AGE)
            for enforcement_id, chat_id, message_id in expired:
                await enforce.remove_message(bot, sessions, enforcement_id, chat_id, message_id)
            await answers.sweep(bot, sessions)
        except (SQLAlchemyError, OSError) as error:
            log.warning("notices not swept", reason=describe(error))


async def _expire(bot: Bot, sessions: Sessions, settings: Settings) -> None:
    """Forget what each group's days are over for."""
    while True:
        await privacy.sweep(bot, sessions, settings)
        await asyncio.sleep(EXPIRE_SECONDS)
