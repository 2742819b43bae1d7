"""One run of the soak: people write, the bot is killed, and in the end all becomes quiet."""

import argparse
import asyncio
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, strftime, time

from soak_bot import Bot
from soak_counts import Database
from soak_people import People
from soak_watch import Watch

from sandbox.server import Sandbox

PROGRESS_SECONDS = 15
QUIET_SECONDS = 15
AGAIN_SHARE = 0.2  # of the kills are followed by one while the bot starts
KILLED_UNTIL = 0.85  # of the messages; what comes after shows whether memory grows
BURST = 20  # messages written before others have their turn


@dataclass(slots=True)
class Soak:
    """One run: who writes, who kills, and what was seen."""

    arguments: argparse.Namespace
    sandbox: Sandbox
    folder: Path
    bot: Bot
    people: People
    watch: Watch
    database: Database
    first: int  # the number of the first update
    began: float = 0.0
    wrote: float = 0.0  # the seconds until all was written
    took: float = 0.0  # and until all was done

    def backlog(self) -> int:
        """Updates that Telegram or the bot still holds."""
        query = "SELECT count(*) FROM inbox_update WHERE state = 'pending'"
        return len(self.sandbox.telegram.updates.pending) + self.database.count(query)

    def say(self, what: str) -> None:
        minutes = (monotonic() - self.began) / 60
        print(f"{strftime('%H:%M:%S')} {minutes:5.1f} min  {what}", file=sys.stderr, flush=True)

    async def settle(self) -> None:
        """Make the groups and connect their moderators' chats, in fair weather."""
        self.people.settle()
        await self.bot.start()
        query = "SELECT id FROM chat WHERE modchat_id IS NOT NULL"
        deadline = monotonic() + 120 + 3 * self.arguments.chats
        while open_ := self.people.groups.keys() - {row[0] for row in self.database.ask(query)}:
            if monotonic() > deadline:
                sys.exit(f"benchmarks/soak.py: {len(open_)} chats of moderators aren't connected")
            for group in open_:
                self.people.connect(group)
            await self._until(lambda: self.backlog() == 0, 60)
        await self._until(lambda: self.backlog() == 0, 60)

    async def write(self) -> None:
        """Write as fast as the bot follows."""
        most = max(60, min(self.arguments.backlog, self.arguments.messages // 10))
        while self.people.written.messages < self.arguments.messages:
            if self.backlog() > most:
                await asyncio.sleep(0.2)
                continue
            for _ in range(BURST):
                self.people.step()
            await asyncio.sleep(0)
        self.wrote = monotonic() - self.began

    async def kill(self) -> None:
        """Kill the bot after certain numbers of messages, and start it again."""
        chance = random.Random(self.arguments.seed)
        last = int(self.arguments.messages * KILLED_UNTIL)
        plan = [(chance.randint(1, last), signal.SIGKILL) for _ in range(self.arguments.kills)]
        plan += [(chance.randint(1, last), signal.SIGTERM) for _ in range(self.arguments.stops)]
        for number, sign in sorted(plan):
            while self.people.written.messages < number:
                await asyncio.sleep(0.05)
            await asyncio.sleep(chance.random())
            await self._strike(sign, again=chance.random() < AGAIN_SHARE)

    async def _strike(self, sign: signal.Signals, *, again: bool) -> None:
        if not self.bot.is_running:
            self.bot.died += 1
        elif sign is signal.SIGTERM:
            await self.bot.terminate()
        else:
            self.watch.kills.append(time())
            await self.bot.end(sign)
        if again:
            starting = asyncio.ensure_future(self.bot.start())  # noqa: TID251 - killed below
            await asyncio.sleep(3)
            self.watch.kills.append(time())
            await self.bot.end(signal.SIGKILL)
            await starting
        await self.bot.start()

    async def show_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self.bot.weigh()
            judged = self.database.count("SELECT count(*) FROM prediction")
            cases = self.database.count('SELECT count(*) FROM "case"')
            memory = self.bot.memory[-1][1] if self.bot.memory else 0
            self.say(
                f"written {self.people.written.messages}, judged {judged}, waiting "
                f"{self.backlog()}, cases {cases}, faults {self.watch.faults.total()}, "
                f"kills {len(self.watch.kills)}, {memory:.0f} MB"
            )

    async def calm_down(self) -> bool:
        """Wait until nothing changes any more; false if work was left when time was over."""
        deadline = monotonic() + self.arguments.patience
        state, since = self._state(), monotonic()
        while monotonic() < deadline:
            await asyncio.sleep(1)
            if self._state() != state:
                state, since = self._state(), monotonic()
            is_done = self.backlog() == 0 and self._open() == 0
            self.took = since - self.began
            if monotonic() - since > (QUIET_SECONDS if is_done else 8 * QUIET_SECONDS):
                return is_done
        return False

    def _open(self) -> int:
        """Cases whose card is missing or behind, and acts without an outcome."""
        return self.database.count(
            "SELECT (SELECT count(*) FROM \"case\" WHERE origin = 'decision' AND "
            "(card_message_id IS NULL OR card_due IS NOT NULL)) + "
            "(SELECT count(*) FROM enforcement WHERE state IN ('pending', 'attempted'))"
        )

    def _state(self) -> tuple[int, ...]:
        messages = self.watch.calls.total() - self.watch.calls["getupdates"]
        predictions = self.database.count("SELECT count(*) FROM prediction")
        return self.backlog(), self._open(), messages, predictions

    async def _until(self, check: Callable[[], bool], seconds: float) -> None:
        deadline = monotonic() + seconds
        while not check() and monotonic() < deadline:
            await asyncio.sleep(0.5)
