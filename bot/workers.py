"""Handling what was received: each chat in order, chats side by side, whatever fails."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, TypeVar

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramNetworkError, TelegramRetryAfter, TelegramServerError
from aiogram.types import Update
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.backlog import Backlog, Waiting
from bot.decoding import decode
from bot.telegram import describe
from bot.watch import RETRY_SECONDS, Watch
from moderation import store
from moderation.away import is_away
from moderation.columns import now
from moderation.database import Sessions

log = structlog.get_logger()

MAX_ATTEMPTS = 3  # that failed by themselves
MAX_LOST = 10  # that failed because Telegram didn't answer, though it was heard meanwhile
MAX_ENDS = 10  # of the process in the midst of it
CLOSING_SECONDS = 3.0  # of the time to stop in, for what is under way
SILENT = (TelegramNetworkError, TelegramServerError, TelegramRetryAfter)

Noted = TypeVar("Noted")
# What is needed before an update's turn comes, started for a whole chunk at once.
Prepare = Callable[[Update], Awaitable[Any]]
Handle = Callable[[Update, Any], Awaitable[None]]


class Workers:
    """One task for each chat in which something waits."""

    def __init__(
        self,
        bot: Bot,
        sessions: Sessions,
        prepare: Prepare,
        handle: Handle,
        backlog: Backlog,
        watch: Watch,
    ) -> None:
        self._bot = bot
        self._sessions = sessions
        self._prepare = prepare
        self._handle = handle
        self._backlog = backlog
        self._watch = watch
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._apart = asyncio.Lock()
        self._done: list[Waiting] = []  # handled, and about to be noted
        self._noting = asyncio.Lock()
        self._is_closing = False
        self._heard_at = 0.0
        self.room = asyncio.Event()  # set whenever fewer wait
        self.observe: Callable[[float], object] | None = None  # seconds from receipt to handling
        self.handled = self.failed = self.quarantined = 0

    def heard(self) -> None:
        """Telegram said something, so that it can't be silent to all."""
        self._heard_at = monotonic()

    def start(self, group: asyncio.TaskGroup) -> None:
        """Begin with all that waits, the newest of it first; repeating it does nothing."""
        if self._group is None:
            self._group = group
            for chat_id in self._backlog.chats():
                self._begin(chat_id)

    def dispatch(self, waiting: Waiting) -> None:
        """Let an update be handled, after those of its chat that it depends on."""
        if self._backlog.add(waiting):
            self._begin(waiting.chat_id)

    def _begin(self, chat_id: int | None) -> None:
        if self._group is not None:
            task = self._group.create_task(self._work(chat_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Handle all that waits; near the end only what was begun, so that no call is cut off."""
        closing = min(CLOSING_SECONDS, seconds / 2)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds - closing)
        self._is_closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=closing)
        if self._backlog:
            log.warning("stopped with updates left", updates=len(self._backlog))
        for task in self._tasks:
            task.cancel()

    async def _work(self, chat_id: int | None) -> None:
        while not self._is_closing and (chunk := self._backlog.take(chat_id)):
            if chunk[0].is_suspect:
                async with self._apart:
                    await self._handle_all(chunk)
            else:
                await self._handle_all(chunk)

    async def _handle_all(self, chunk: list[Waiting]) -> None:
        """Prepare updates of one chat at once, then handle them in turn."""
        if await self._is_fatal(chunk):
            return
        chunk, said = await self._payloads(chunk)
        decoded = [await self._decode(waiting, said[waiting.id]) for waiting in chunk]
        prepared = await asyncio.gather(
            *(self._prepared(update) for update in decoded), return_exceptions=True
        )
        for waiting, update, ready in zip(chunk, decoded, prepared, strict=True):
            if self._is_closing:
                return
            if update is not None:
                await self._finish(waiting, update, ready)

    async def _payloads(self, chunk: list[Waiting]) -> tuple[list[Waiting], dict[int, str]]:
        """What Telegram sent, of all that wait still: a process that was about to end may have
        handled some while this one began."""
        ids = [waiting.id for waiting in chunk]
        said = await self._read(lambda session: store.payloads(session, ids))
        for waiting in chunk:
            if waiting.id not in said:
                self._backlog.done(waiting)
        return [waiting for waiting in chunk if waiting.id in said], said

    async def _is_fatal(self, chunk: Sequence[Waiting]) -> bool:
        """Count an attempt at what another process left, for it may have ended that process. The
        suspect stands alone, and after some ends it is set aside."""
        left = [waiting.id for waiting in chunk if waiting.is_left]
        if not left:
            return False
        reason = "the process ended in the midst of it"
        counts = await self._write(lambda session: store.count_attempt(session, left, reason))
        is_fatal = chunk[0].is_suspect and counts[chunk[0].id] > MAX_ENDS
        if is_fatal:
            await self._quarantine(chunk[0], reason)
        return is_fatal

    async def _decode(self, waiting: Waiting, payload: str) -> Update | None:
        try:
            return decode(json.loads(payload), self._bot)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            await self._quarantine(waiting, f"not decodable at {where}")
        except Exception as error:  # nested too deep, say
            await self._quarantine(waiting, f"not decodable: {describe(error)}")
        return None

    async def _prepared(self, update: Update | None) -> Any:
        return await self._prepare(update) if update else None

    async def _finish(self, waiting: Waiting, update: Update, ready: Any) -> None:
        """Handle an update; after some failures it is set aside, so that its chat goes on."""
        failed = lost = 0
        while True:
            begun = monotonic()
            try:
                if isinstance(ready, BaseException):
                    raise ready
                await self._handle(update, ready)
                await self._note_done(waiting)
                self._observe(waiting)
                return
            except Exception as error:  # whatever it is, it must not stop the others
                reason = describe(error)
                if is_away(error):  # not this update's fault, so it isn't counted
                    self._watch.away(error)
                elif isinstance(error, SILENT):  # nor is this while Telegram is silent to all
                    lost += self._heard_at > begun
                    log.warning("update waits for Telegram", update=waiting.id, reason=reason)
                else:
                    failed += 1
                    await self._count_failure(waiting, reason)
            if failed >= MAX_ATTEMPTS or lost >= MAX_LOST:
                await self._quarantine(waiting, reason)
                return
            await asyncio.sleep(RETRY_SECONDS)
            again = asyncio.gather(self._prepared(update), return_exceptions=True)
            (ready,) = await again

    def _observe(self, waiting: Waiting) -> None:
        self.handled += 1
        if self.observe is not None:
            self.observe(max((now() - waiting.received_at).total_seconds(), 0.0))

    async def _count_failure(self, waiting: Waiting, reason: str) -> None:
        self.failed += 1
        log.error("update failed", update=waiting.id, chat=waiting.chat_id, reason=reason)
        await self._write(lambda session: store.count_attempt(session, [waiting.id], reason))

    async def _quarantine(self, waiting: Waiting, reason: str) -> None:
        log.error("update quarantined", update=waiting.id, chat=waiting.chat_id, reason=reason)
        await self._write(lambda session: store.quarantine_update(session, waiting.id, reason))
        self._backlog.done(waiting)
        self.room.set()
        self.quarantined += 1
        self._watch.set_aside()

    async def _note_done(self, waiting: Waiting) -> None:
        """Together with those of other chats that are done meanwhile: it's transactions that take
        time. When this returns it is written."""
        self._done.append(waiting)
        async with self._noting:
            if waiting not in self._done:
                return  # it was among those of the one before
            together, self._done = self._done, []
            ids = [each.id for each in together]
            try:
                await self._write(lambda session: store.finish_updates(session, ids))
            except BaseException:
                # Whoever fails here is handled again, and would be noted twice.
                self._done += [each for each in together if each is not waiting]
                raise
            for each in together:
                self._backlog.done(each)
        self.room.set()

    async def _read(self, query: Callable[[AsyncSession], Awaitable[Noted]]) -> Noted:
        async def attempt() -> Noted:
            async with self._sessions() as session:
                return await query(session)

        return await self._watch.outlast(attempt)

    async def _write(self, note: Callable[[AsyncSession], Awaitable[Noted]]) -> Noted:
        async def attempt() -> Noted:
            async with self._sessions.begin() as session:
                noted = await note(session)
            self._watch.used()
            return noted

        return await self._watch.outlast(attempt)
