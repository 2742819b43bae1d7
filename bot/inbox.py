"""Durable receipt: updates are written before Telegram may forget them, then handled in order."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    TelegramConflictError,
    TelegramUnauthorizedError,
)
from aiogram.types import Update
from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.telegram import ALLOWED_UPDATES, GetRawUpdates, decode, describe
from moderation import store
from moderation.columns import now
from moderation.database import Sessions
from moderation.states import UpdateState

log = structlog.get_logger()

POLL_SECONDS = 25
MAX_ATTEMPTS = 3
RETRY_SECONDS = 2.0
MAX_WAITING = 2000  # updates in memory; the rest wait at Telegram, which keeps them for a day
CHUNK = 64  # updates of one chat that are scored together
KEEP_DONE = timedelta(days=2)

# The database is locked, full, restarting or out of reach.
AWAY = (OperationalError, InterfaceError, OSError)

Noted = TypeVar("Noted")
# What is needed before an update's turn comes, started for a whole chunk at once.
Prepare = Callable[[Update], Awaitable[Any]]
Handle = Callable[[Update, Any], Awaitable[None]]


class BusyError(Exception):
    """Too many updates wait, or the bot is stopping: they must be delivered again later."""


@dataclass(frozen=True, slots=True)
class Received:
    """An update as it was written down."""

    id: int
    chat_id: int | None
    payload: str
    received_at: datetime


class Inbox:
    """Updates from getUpdates to their handling: each chat in order, chats side by side."""

    def __init__(self, bot: Bot, sessions: Sessions, prepare: Prepare, handle: Handle) -> None:
        self._bot = bot
        self._sessions = sessions
        self._prepare = prepare
        self._handle = handle
        self._queues: dict[int | None, deque[Received]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._waiting: dict[int, Received] = {}  # by id, the oldest first
        self._room = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None  # while updates are taken
        self._accepting = asyncio.Lock()
        self.received = self.handled = self.failed = self.quarantined = 0

    @property
    def waiting(self) -> int:
        """Updates that were written down and are not handled yet."""
        return len(self._waiting)

    @property
    def oldest_waiting_seconds(self) -> float:
        """For how long the oldest of them has waited; 0 if none does."""
        oldest = next(iter(self._waiting.values()), None)
        return max((now() - oldest.received_at).total_seconds(), 0.0) if oldest else 0.0

    async def run(
        self, stop: asyncio.Event, drain_seconds: float = 10, *, polls: bool = True
    ) -> None:
        """Handle what was left, then receive until `stop`; then finish what is under way, as far
        as the time allows: the rest is handled after the next start. Unless it `polls`, updates
        come through `accept` alone."""
        async with asyncio.TaskGroup() as group:
            await self._resume(group)
            self._group = group
            receiving = group.create_task(self._receive() if polls else asyncio.Event().wait())
            stopping = group.create_task(stop.wait())
            await asyncio.wait((receiving, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if receiving.done():
                receiving.result()  # it ends by itself only with an error that can't be helped
            receiving.cancel()
            self._group = None
            await self._drain(drain_seconds)

    async def accept(self, batch: list[dict[str, Any]]) -> None:
        """Take raw updates; when this returns they are written, and will be handled even if the
        power goes. Raises BusyError if there is no room, and the database's own errors."""
        async with self._accepting:
            if self._group is None or self.waiting >= MAX_WAITING:
                raise BusyError(self.waiting)
            self._dispatch(await self._write(batch), self._group)

    async def _drain(self, seconds: float) -> None:
        if self._workers:
            await asyncio.wait(self._workers, timeout=seconds)
        for worker in self._workers:
            log.warning("stopped with updates left", updates=self.waiting)
            worker.cancel()

    async def _resume(self, group: asyncio.TaskGroup) -> None:
        async with self._sessions.begin() as session:
            await store.forget_updates(session, KEEP_DONE)
            rows = await store.pending_updates(session)
        if rows:
            log.info("resuming", updates=len(rows))
        self._dispatch(
            [Received(row.id, row.chat_id, row.payload, row.received_at) for row in rows], group
        )

    async def _receive(self) -> None:
        offset: int | None = None
        while True:
            while self.waiting >= MAX_WAITING:
                self._room.clear()
                await self._room.wait()
            try:
                batch = await self._poll(offset)
                if batch:
                    await self.accept(batch)
                    offset = batch[-1]["update_id"] + 1
            except TelegramUnauthorizedError:
                raise
            except TelegramConflictError as error:
                log.error("another program receives this bot's updates", reason=describe(error))
                await asyncio.sleep(RETRY_SECONDS)
            except (AiogramError, SQLAlchemyError, OSError, BusyError) as error:
                log.warning("receiving failed", reason=describe(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _poll(self, offset: int | None) -> list[dict[str, Any]]:
        method = GetRawUpdates(
            offset=offset, timeout=POLL_SECONDS, limit=100, allowed_updates=ALLOWED_UPDATES
        )
        return await self._bot(method, request_timeout=POLL_SECONDS + 10)

    async def _write(self, batch: list[dict[str, Any]]) -> list[Received]:
        """Write a batch; what was written before (a repeated delivery) is left out."""
        at = now()
        found = [Received(raw["update_id"], chat_of(raw), json.dumps(raw), at) for raw in batch]
        rows = [{"id": r.id, "chat_id": r.chat_id, "payload": r.payload} for r in found]
        async with self._sessions.begin() as session:
            added = set(await store.add_updates(session, rows))
        self.received += len(added)
        return [received for received in found if received.id in added]

    def _dispatch(self, batch: list[Received], group: asyncio.TaskGroup) -> None:
        for received in batch:
            queue = self._queues.get(received.chat_id)
            if queue is None:
                queue = self._queues[received.chat_id] = deque()
                worker = group.create_task(self._work(received.chat_id, queue))
                self._workers.add(worker)
                worker.add_done_callback(self._workers.discard)
            queue.append(received)
            self._waiting[received.id] = received

    async def _work(self, chat_id: int | None, queue: deque[Received]) -> None:
        """Handle one chat's updates until none waits."""
        while queue:
            chunk = [queue.popleft() for _ in range(min(CHUNK, len(queue)))]
            decoded = [await self._decode(received) for received in chunk]
            prepared = await asyncio.gather(
                *(self._prepared(update) for update in decoded), return_exceptions=True
            )
            for received, update, ready in zip(chunk, decoded, prepared, strict=True):
                if update is not None:
                    await self._finish(received, update, ready)
                del self._waiting[received.id]
                self._room.set()
        del self._queues[chat_id]

    async def _decode(self, received: Received) -> Update | None:
        try:
            return decode(json.loads(received.payload), self._bot)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            await self._quarantine(received, f"not decodable at {where}")
        except Exception as error:  # nested too deep, say
            await self._quarantine(received, f"not decodable: {describe(error)}")
        return None

    async def _prepared(self, update: Update | None) -> Any:
        return await self._prepare(update) if update else None

    async def _finish(self, received: Received, update: Update, ready: Any) -> None:
        """Handle an update; after some failures it is set aside, so that its chat goes on."""
        while True:
            try:
                if isinstance(ready, BaseException):
                    raise ready
                await self._handle(update, ready)
                await self._note(received, UpdateState.DONE)
                self.handled += 1
                return
            except AWAY as error:  # not this update's fault, so it isn't counted
                log.warning("waiting for the database", reason=describe(error))
            except Exception as error:  # whatever it is, it must not stop the others
                reason = describe(error)
                self.failed += 1
                log.error("update failed", update=received.id, chat=received.chat_id, reason=reason)
                if await self._attempts(received, reason) >= MAX_ATTEMPTS:
                    await self._quarantine(received, reason)
                    return
            await asyncio.sleep(RETRY_SECONDS)
            again = asyncio.gather(self._prepared(update), return_exceptions=True)
            (ready,) = await again

    async def _attempts(self, received: Received, reason: str) -> int:
        return await self._persist(lambda s: store.count_attempt(s, received.id, reason))

    async def _quarantine(self, received: Received, reason: str) -> None:
        log.error("update quarantined", update=received.id, chat=received.chat_id, reason=reason)
        await self._note(received, UpdateState.QUARANTINED, reason)
        self.quarantined += 1

    async def _note(
        self, received: Received, state: UpdateState, reason: str | None = None
    ) -> None:
        await self._persist(lambda s: store.finish_update(s, received.id, state, reason))

    async def _persist(self, note: Callable[[AsyncSession], Awaitable[Noted]]) -> Noted:
        """Write something down, however long the database is away."""
        while True:
            try:
                async with self._sessions.begin() as session:
                    return await note(session)
            except AWAY as error:
                log.warning("waiting for the database", reason=describe(error))
                await asyncio.sleep(RETRY_SECONDS)


def chat_of(raw: dict[str, Any]) -> int | None:
    """The chat that an update belongs to, whatever kind it is; None if it has none."""
    for value in raw.values():
        if isinstance(value, dict):
            inner = value.get("message") if "chat" not in value else value
            if isinstance(inner, dict) and isinstance(inner.get("chat"), dict):
                chat_id = inner["chat"].get("id")
                return chat_id if isinstance(chat_id, int) else None
    return None
