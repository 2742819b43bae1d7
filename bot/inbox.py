"""Durable receipt: updates are written before Telegram may forget them, then handled in order."""

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    TelegramConflictError,
    TelegramUnauthorizedError,
)

from bot.backlog import Backlog, Waiting, waiting_of
from bot.telegram import ALLOWED_UPDATES, GetRawUpdates, describe
from bot.watch import RETRY_SECONDS, Watch
from bot.workers import Handle, Prepare, Workers
from moderation import store
from moderation.away import is_away
from moderation.columns import now
from moderation.database import Sessions
from moderation.tables import InboxUpdate

log = structlog.get_logger()

POLL_SECONDS = 25
BATCH = 100
# Updates that are written down and not handled; more wait at Telegram, which keeps them for a day.
MAX_WAITING = 20_000


class BusyError(Exception):
    """Too many updates wait, or the bot is stopping: they must be delivered again later."""


class Inbox:
    """Updates from Telegram to their handling."""

    def __init__(
        self,
        bot: Bot,
        sessions: Sessions,
        prepare: Prepare,
        handle: Handle,
        operators: Sequence[int] = (),
    ) -> None:
        self._bot = bot
        self._sessions = sessions
        self._backlog = Backlog()
        self._watch = Watch(bot, operators, self._backlog)
        self._workers = Workers(bot, sessions, prepare, handle, self._backlog, self._watch)
        self._takes = False
        self._accepting = asyncio.Lock()
        self.received = 0

    @property
    def waiting(self) -> int:
        """Updates that were written down and are not handled yet."""
        return len(self._backlog)

    @property
    def oldest_waiting_seconds(self) -> float:
        """For how long the oldest of them has waited; 0 if none does."""
        oldest = self._backlog.oldest
        return max((now() - oldest.received_at).total_seconds(), 0.0) if oldest else 0.0

    @property
    def handled(self) -> int:
        """Updates that were handled since the start."""
        return self._workers.handled

    @property
    def failed(self) -> int:
        """Attempts that failed by the update itself."""
        return self._workers.failed

    @property
    def quarantined(self) -> int:
        """Updates that were set aside since the start."""
        return self._workers.quarantined

    @property
    def observe(self) -> Callable[[float], object] | None:
        """Told of each handled update how many seconds passed since its receipt."""
        return self._workers.observe

    @observe.setter
    def observe(self, told: Callable[[float], object]) -> None:
        self._workers.observe = told

    async def run(
        self, stop: asyncio.Event, drain_seconds: float = 10, *, polls: bool = True
    ) -> None:
        """Handle what was left, then receive until `stop`; then finish what waits, as far as the
        time allows: the rest is handled after the next start. Unless it `polls`, updates come
        through `accept` alone."""
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch.run())
            await self._resume()
            self._takes = True
            if not polls:
                self._workers.start(group)
            receiving = group.create_task(self._receive(group) if polls else asyncio.Event().wait())
            stopping = group.create_task(stop.wait())
            await asyncio.wait((receiving, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if receiving.done():
                receiving.result()  # it ends by itself only with an error that can't be helped
            receiving.cancel()
            self._takes = False
            self._workers.start(group)
            await self._workers.drain(drain_seconds)
            watching.cancel()

    async def accept(self, batch: list[dict[str, Any]]) -> None:
        """Take raw updates; when this returns they are written, and will be handled even if the
        power goes. Raises BusyError if there is no room, and the database's own errors."""
        self._workers.heard()
        async with self._accepting:
            if not self._takes or self.waiting >= MAX_WAITING:
                raise BusyError(self.waiting)
            try:
                written = await self._write(batch)
            except Exception as error:
                if is_away(error):
                    self._watch.away(error)
                raise
            for waiting in written:
                self._workers.dispatch(waiting)
                self.received += 1

    async def _resume(self) -> None:
        last: int | None = None
        while rows := await self._watch.outlast(partial(self._left, last)):
            for row in rows:
                # Its id may be another than Telegram's by now.
                raw = json.loads(row.payload) | {"update_id": row.id}
                waiting = waiting_of(raw, row.received_at, is_left=True, attempts=row.attempts)
                self._workers.dispatch(waiting)
            last = rows[-1].id
        if self.waiting:
            log.info("resuming", updates=self.waiting)

    async def _left(self, after: int | None) -> Sequence[InboxUpdate]:
        async with self._sessions.begin() as session:
            if after is None:
                await store.set_apart_updates(session)
            return await store.pending_updates(session, after)

    async def _receive(self, group: asyncio.TaskGroup) -> None:
        """Poll for ever. What Telegram kept meanwhile is written down before anything is handled,
        so that the newest of it can be handled first."""
        offset: int | None = None
        wait = 0
        while True:
            try:
                await self._wait_for_room(group)
                batch = await self._poll(offset, wait)
                self._workers.heard()
                if batch:
                    await self.accept(batch)
                # What was asked for is confirmed. After an idle week Telegram's ids start anew,
                # perhaps below the last one.
                offset = max(raw["update_id"] for raw in batch) + 1 if batch else None
                if len(batch) == BATCH and not wait and self.waiting < MAX_WAITING:
                    continue
            except TelegramUnauthorizedError:
                raise
            except TelegramConflictError as error:
                log.error("another program receives this bot's updates", reason=describe(error))
                if "webhook" in error.message:
                    await self._take_back()
                await asyncio.sleep(RETRY_SECONDS)
            except (AiogramError, BusyError) as error:
                log.warning("receiving failed", reason=describe(error))
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as error:
                if not is_away(error):
                    raise
                self._watch.away(error)
                await asyncio.sleep(RETRY_SECONDS)
            self._workers.start(group)
            wait = POLL_SECONDS

    async def _take_back(self) -> None:
        """Delete a webhook that was set meanwhile: while there is one, asking is refused."""
        try:
            await self._bot.delete_webhook(drop_pending_updates=False)
        except TelegramUnauthorizedError:
            raise
        except AiogramError as error:
            log.warning("webhook not deleted", reason=describe(error))

    async def _wait_for_room(self, group: asyncio.TaskGroup) -> None:
        while self.waiting >= MAX_WAITING:
            self._workers.start(group)
            self._workers.room.clear()
            await self._workers.room.wait()

    async def _poll(self, offset: int | None, seconds: int) -> list[dict[str, Any]]:
        method = GetRawUpdates(
            offset=offset, timeout=seconds, limit=BATCH, allowed_updates=ALLOWED_UPDATES
        )
        return await self._bot(method, request_timeout=seconds + 10)

    async def _write(self, batch: list[dict[str, Any]]) -> list[Waiting]:
        """Write a batch; what was handled before, or waits already, is left out, for Telegram may
        deliver again. What was written but confirmed to nobody isn't."""
        raws = {raw["update_id"]: raw for raw in batch}
        found = {key: waiting_of(raw, now()) for key, raw in raws.items()}
        rows = [
            {"id": key, "chat_id": found[key].chat_id, "payload": json.dumps(raw)}
            for key, raw in raws.items()
        ]
        known = {key for key in found if key in self._backlog}
        async with self._sessions.begin() as session:
            pending = set(await store.add_updates(session, rows))
        self._watch.used()
        return [each for key, each in found.items() if key in pending - known]
