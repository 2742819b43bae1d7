"""Tells the operators, once each, that updates pile up, fail, or that the database is away, and of
the end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import TypeVar

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError

from bot.backlog import Backlog
from bot.language import of_person
from bot.telegram import describe
from moderation.away import is_away
from moderation.columns import now

log = structlog.get_logger()
RETRY_SECONDS = 2.0
LOOK_SECONDS = 5.0
LONG = 1000  # updates: about half a minute's work
LONG_MINUTES = 5  # or so long a wait of the oldest, if it isn't one of a few
FEW = 50
AWAY_SECONDS = 10.0  # a shorter absence of the database isn't worth a message
STEADY_SECONDS = 5.0  # without a failure: a full disk takes small things still
ASIDE_SECONDS = 3600.0  # of silence after telling of updates that were set aside

Found = TypeVar("Found")


class Watch:
    """What is amiss with receiving, for the log and for the operators, as far as Telegram lets
    them be reached."""

    def __init__(self, bot: Bot, operators: Sequence[int], backlog: Backlog) -> None:
        self._bot = bot
        self._operators = operators
        self._backlog = backlog
        self._most = 0  # updates that waited at once since it was told that many do
        self._away_since: float | None = None
        self._failed_at = 0.0  # when the database was found away last
        self._used_at = 0.0  # when it was written to last
        self._is_told = False
        self._aside = 0  # updates that were set aside and not told of yet
        self._aside_told_at = -ASIDE_SECONDS

    def set_aside(self) -> None:
        """An update failed for good: if it was a message, nobody has judged it."""
        self._aside += 1

    def away(self, error: BaseException) -> None:
        """The database can't be used just now."""
        self._failed_at = monotonic()
        if self._away_since is None:
            self._away_since = self._failed_at
            log.warning("waiting for the database", reason=describe(error))

    def used(self) -> None:
        """The database was written to."""
        self._used_at = monotonic()

    async def outlast(self, attempt: Callable[[], Awaitable[Found]]) -> Found:
        """Try something with the database, however long that is away."""
        while True:
            try:
                return await attempt()
            except Exception as error:
                if not is_away(error):
                    raise
                self.away(error)
                await asyncio.sleep(RETRY_SECONDS)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Tell what has changed since the last time."""
        await self._look_at_database()
        await self._look_at_backlog()
        await self._look_aside()

    async def _look_at_database(self) -> None:
        if self._away_since is None:
            return
        if self._used_at <= self._failed_at:
            if not self._is_told and monotonic() - self._away_since >= AWAY_SECONDS:
                self._is_told = True
                await self._tell("operators.database", round(monotonic() - self._away_since))
        elif monotonic() - self._failed_at >= STEADY_SECONDS:
            seconds, self._away_since = round(self._used_at - self._away_since), None
            log.warning("the database is back", seconds=seconds)
            if self._is_told:
                self._is_told = False
                await self._tell("operators.database_back", seconds)

    async def _look_at_backlog(self) -> None:
        waiting, oldest = len(self._backlog), self._backlog.oldest
        minutes = round((now() - oldest.received_at).total_seconds() / 60) if oldest else 0
        if self._most:
            self._most = max(self._most, waiting)
            if waiting < FEW:
                log.warning("backlog worked off", most=self._most)
                most, self._most = self._most, 0
                await self._tell("operators.backlog_over", most)
        elif waiting >= LONG or (waiting >= FEW and minutes >= LONG_MINUTES):
            self._most = waiting
            log.warning("backlog is long", updates=waiting, oldest_minutes=minutes)
            await self._tell("operators.backlog", waiting, minutes=minutes)

    async def _look_aside(self) -> None:
        if self._aside and monotonic() - self._aside_told_at >= ASIDE_SECONDS:
            self._aside_told_at = monotonic()
            number, self._aside = self._aside, 0
            await self._tell("operators.set_aside", number)

    async def _tell(self, key: str, n: int, **values: object) -> None:
        await tell(self._bot, self._operators, of_person(None).plural(key, n, **values))


async def tell(bot: Bot, operators: Sequence[int], said: str) -> None:
    """Write to each operator, as far as Telegram lets them be reached."""
    for operator in operators:
        try:
            await bot.send_message(operator, said)
        except AiogramError as error:
            log.info("operator not reached", user=operator, reason=describe(error))
