"""Whether the bot works, asked of its parts: the loop, the database, the model, the receiver."""

import asyncio
from dataclasses import dataclass, field
from time import monotonic

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.calls import Calls
from bot.inbox import MAX_WAITING, Inbox
from moderation import golden
from moderation.batcher import Batcher
from moderation.database import Sessions

KEEP_SECONDS = 5  # for so long an answer is given again, so that asking often costs nothing
DATABASE_SECONDS = 3
MODEL_SECONDS = 5
BUSY_SECONDS = 30  # a model that scores others' texts meanwhile is busy, not ill
LAG_SECONDS = 2
SILENCE_SECONDS = 120  # a poll takes 25 if nobody writes
CONFLICT_SECONDS = 60
NAP_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Check:
    """What one part says of itself; nobody's words, no token."""

    ok: bool
    more: dict[str, object] = field(default_factory=dict)


class Health:
    """The parts of a running bot."""

    def __init__(
        self, sessions: Sessions, batcher: Batcher, inbox: Inbox, calls: Calls, *, polls: bool
    ) -> None:
        self._sessions = sessions
        self._batcher = batcher
        self._inbox = inbox
        self._calls = calls
        self._polls = polls
        self._one = asyncio.Lock()
        self._found: dict[str, Check] = {}
        self._found_at = 0.0

    async def checks(self) -> dict[str, Check]:
        """What each part says, at most some seconds old."""
        async with self._one:
            if not self._found or monotonic() - self._found_at > KEEP_SECONDS:
                loop, database, model = await asyncio.gather(
                    self._loop(), self._database(), self._model()
                )
                self._found = {
                    "loop": loop, "database": database, "model": model,
                    "receiver": self._receiver(),
                }  # fmt: skip
                self._found_at = monotonic()
            return self._found

    async def _loop(self) -> Check:
        began = monotonic()
        await asyncio.sleep(NAP_SECONDS)
        lag = monotonic() - began - NAP_SECONDS
        return Check(lag < LAG_SECONDS, {"lag_seconds": round(lag, 3)})

    async def _database(self) -> Check:
        began = monotonic()
        try:
            async with asyncio.timeout(DATABASE_SECONDS), self._sessions() as session:
                await session.execute(text("SELECT version_num FROM alembic_version"))
        except (SQLAlchemyError, OSError) as error:  # a timeout is an OSError
            return Check(False, {"error": type(error).__name__})
        return Check(True, {"seconds": round(monotonic() - began, 3)})

    async def _model(self) -> Check:
        version, began = self._batcher.classifier.version, monotonic()
        more: dict[str, object] = {"version": version}
        try:
            async with asyncio.timeout(MODEL_SECONDS):
                await self._batcher.predict(golden.ABUSIVE[0])
        except TimeoutError:
            is_busy = began - self._batcher.batch_at < BUSY_SECONDS
            return Check(is_busy, more | {"error": "busy" if is_busy else "no answer"})
        except Exception as error:  # whatever a model raises
            return Check(False, more | {"error": type(error).__name__})
        return Check(True, more | {"seconds": round(monotonic() - began, 3)})

    def _receiver(self) -> Check:
        more: dict[str, object] = {"waiting": self._inbox.waiting}
        if not self._polls:
            return Check(True, {"mode": "webhook"} | more)
        age = monotonic() - self._calls.polled_at
        more |= {"mode": "polling", "seconds": round(age)}
        conflict_at = self._calls.conflict_at
        if conflict_at is not None and monotonic() - conflict_at < CONFLICT_SECONDS:
            return Check(False, more | {"error": "another program receives the updates"})
        # With so many waiting it asks for no more until there is room.
        return Check(age < SILENCE_SECONDS or self._inbox.waiting >= MAX_WAITING, more)
