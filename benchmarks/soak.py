"""Whether anything is lost or done twice in bad weather: python benchmarks/soak.py

The sandbox stands in for Telegram and answers some percent of the bot's calls with a flood limit,
an error, half an answer or none; updates come twice, late and in another order; and the bot is
killed again and again while people write in many groups. Then everything is counted: each revision
judged once, each abusive message deleted once and shown once, nothing else touched. The exit status
is 1 if any count is wrong. The same seed writes the same and plays the same faults; only when what
comes differs.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import signal
import socket
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, strftime, time

from soak_counts import Count, Counts, Database, Watch
from soak_people import People

from sandbox.faults import Chance
from sandbox.server import Sandbox, serve

PROGRESS_SECONDS = 15
START_SECONDS = 180
STOP_SECONDS = 60
QUIET_SECONDS = 15
AGAIN_SHARE = 0.2  # of the kills are followed by one while the bot starts
KILLED_UNTIL = 0.85  # of the messages; what comes after shows whether memory grows
BURST = 20  # messages written before others have their turn
SECRET = "soak-secret-of-the-webhook"


@dataclass(slots=True)
class Bot:
    """The bot as a process that is killed and started again."""

    environment: dict[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    died: int = 0  # ended though nobody asked
    terminated_badly: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)  # of this process: when, MB
    peak_mb: float = 0.0

    async def start(self) -> None:
        """Start it, and wait until it serves; where that fails, once more is tried."""
        if not await self._started():
            self.died += 1
            if not await self._started():
                tail = self.log.read_text("utf-8", "replace")[-3000:]
                sys.exit(f"benchmarks/soak.py: the bot doesn't start\n{tail}")

    async def _started(self) -> bool:
        begun = self._starts()
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", env=self.environment, stdout=log, stderr=log
            )
        self.memory = []
        deadline = monotonic() + START_SECONDS
        while self._starts() == begun and monotonic() < deadline:
            if not self.is_running:
                # A signal was ours: it was meant to be killed while it started.
                return self.process.returncode == -signal.SIGKILL
            await asyncio.sleep(0.2)
        return self._starts() > begun

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def end(self, number: signal.Signals) -> int:
        """Send it a signal and wait; its exit status."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await self.process.wait()
        except TimeoutError:
            self.process.kill()
            return await self.process.wait()

    async def terminate(self) -> None:
        """End it as a system's service manager does; it has to finish by itself."""
        self.terminated_badly += await self.end(signal.SIGTERM) != 0

    def weigh(self) -> None:
        """Note how much memory it takes now."""
        with contextlib.suppress(OSError, StopIteration):
            assert self.process is not None
            lines = Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines()
            kilobytes = int(next(x.split()[1] for x in lines if x.startswith("VmRSS")))
            self.memory.append((time(), kilobytes / 1024))
            self.peak_mb = max(self.peak_mb, kilobytes / 1024)

    def events(self) -> Counter[str]:
        """How often it logged each warning and error."""
        found: Counter[str] = Counter()
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                event = json.loads(line)
                if event["level"] != "info":
                    found[f"{event['level']}: {event['event']}"] += 1
            except (ValueError, KeyError, TypeError):
                found["a line that is no event"] += bool(line.strip())
        return found

    def _starts(self) -> int:
        is_there = self.log.exists()
        return self.log.read_text("utf-8", "replace").count('"started"') if is_there else 0


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
        """Cases without a card, and acts without an outcome."""
        return self.database.count(
            "SELECT (SELECT count(*) FROM \"case\" WHERE origin = 'decision' AND "
            "card_message_id IS NULL) + (SELECT count(*) FROM enforcement WHERE state IN "
            "('pending', 'attempted'))"
        )

    def _state(self) -> tuple[int, ...]:
        messages = self.watch.calls.total() - self.watch.calls["getupdates"]
        predictions = self.database.count("SELECT count(*) FROM prediction")
        return self.backlog(), self._open(), messages, predictions

    async def _until(self, check: Callable[[], bool], seconds: float) -> None:
        deadline = monotonic() + seconds
        while not check() and monotonic() < deadline:
            await asyncio.sleep(0.5)


async def run(arguments: argparse.Namespace, folder: Path) -> int:
    async with staged(arguments, folder) as soak, asyncio.TaskGroup() as group:
        watching = group.create_task(soak.watch.run(soak.sandbox.telegram.journal))
        soak.began = monotonic()
        await soak.settle()
        soak.say(f"{arguments.chats} groups are connected")
        soak.began = monotonic()
        soak.sandbox.telegram.faults.chance = Chance(arguments.fault_rate, arguments.seed)
        showing = group.create_task(soak.show_progress())
        killing = group.create_task(soak.kill())
        await soak.write()
        await killing
        soak.say("all is written")
        is_quiet = await soak.calm_down()
        soak.bot.weigh()
        await soak.bot.terminate()
        showing.cancel()
        watching.cancel()
    counts = Counts(soak.sandbox.telegram, soak.people, soak.watch, soak.database, soak.first)
    return report(soak, counts, is_quiet=is_quiet)


@contextlib.asynccontextmanager
async def staged(arguments: argparse.Namespace, folder: Path) -> AsyncIterator[Soak]:
    """The sandbox, an empty Telegram, and the bot that isn't started yet."""
    async with serve(empty=True) as sandbox:
        telegram = sandbox.telegram
        environment = os.environ | {
            "BOT_TOKEN": sandbox.token, "TELEGRAM_API_URL": sandbox.url, "LOG_FORMAT": "json",
            "DATABASE_URL": f"sqlite:///{folder}/bot.sqlite3", "MODELS_DIR": f"{folder}/models",
            "HF_HUB_OFFLINE": "1",
        }  # fmt: skip
        if arguments.webhook:
            port = free_port()
            environment |= {
                "WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
                "WEBHOOK_SECRET": SECRET,
                "HTTP_PORT": str(port),
            }
        bot = Bot(environment, folder / "bot.log")
        people = People(telegram, arguments.chats, arguments.seed)
        database = Database(folder / "bot.sqlite3")
        first = telegram.updates.next_id
        soak = Soak(arguments, sandbox, folder, bot, people, Watch(), database, first)
        try:
            yield soak
        finally:
            if bot.is_running:
                await bot.end(signal.SIGKILL)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def report(soak: Soak, counts: Counts, *, is_quiet: bool) -> int:
    """Print the table and the figures; the exit status."""
    lines = [*counts.all(), *_process_counts(soak, is_quiet=is_quiet)]
    print(f"{'':34} {'expected':>9} {'found':>9} {'wrong':>6}")
    for line in lines:
        expected, found, wrong = line.expected, line.found, line.wrong
        print(f"{line.name:34} {expected:9,} {found:9,} {wrong:6,}  {line.note}".rstrip())
    print()
    for name, value in _figures(soak, counts):
        print(f"{name:22} {value}")
    return 1 if any(line.wrong for line in lines) else 0


def _process_counts(soak: Soak, *, is_quiet: bool) -> list[Count]:
    stops = soak.arguments.stops + 1
    well, died = stops - soak.bot.terminated_badly, soak.bot.died
    return [
        Count("ended well on SIGTERM", stops, well, soak.bot.terminated_badly),
        Count("ended though nobody asked", 0, died, died),
        Count("came to an end of its work", 1, int(is_quiet), int(not is_quiet)),
    ]


def _figures(soak: Soak, counts: Counts) -> list[tuple[str, str]]:
    written, watch, bot = soak.people.written, soak.watch, soak.bot
    times = statistics.quantiles(counts.latencies(), n=100, method="inclusive")
    memory = [mb for _, mb in bot.memory]
    faults = ", ".join(f"{kind} {count:,}" for kind, count in sorted(watch.faults.items()))
    events = ", ".join(f"{what} {count:,}" for what, count in bot.events().most_common(12))
    refused = ", ".join(f"{what} {count:,}" for what, count in watch.refused.most_common(6))
    calls = ", ".join(f"{name} {count:,}" for name, count in watch.calls.most_common(8))
    return [
        ("messages", f"{written.messages:,} in {len(soak.people.groups)} groups"),
        ("took", f"{soak.wrote:.0f} s to write, {soak.took:.0f} s until all was done"),
        ("messages a second", f"{written.messages / max(soak.took, 1):.1f}"),
        (
            "processor",
            f"{cpu(resource.RUSAGE_CHILDREN)} the bot, {cpu(resource.RUSAGE_SELF)} others",
        ),
        ("seconds to be judged", f"p50 {times[49]:.2f}, p95 {times[94]:.2f}, p99 {times[98]:.2f}"),
        ("killed", f"{len(watch.kills)} times, stopped {soak.arguments.stops} times"),
        ("memory", f"{memory[0]:.0f} MB, in the end {memory[-1]:.0f}, peak {bot.peak_mb:.0f}"),
        ("faults", f"{watch.faults.total():,} of {watch.calls.total():,} calls: {faults}"),
        (
            "updates",
            f"{written.redelivered:,} came twice, {written.reordered:,} in another order, "
            f"{written.edits_first} edits before their message",
        ),
        ("calls", calls),
        ("refused", refused or "none"),
        ("logged", events or "nothing"),
    ]


def cpu(whose: int) -> str:
    """The processor's time that a process and those that have ended took."""
    usage = resource.getrusage(whose)
    return f"{usage.ru_utime + usage.ru_stime:.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--chats", type=int, default=50)
    parser.add_argument("--kills", type=int, default=20, help="by SIGKILL, at random times")
    parser.add_argument("--stops", type=int, default=2, help="by SIGTERM")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault-rate", type=float, default=0.03, help="of the bot's calls")
    parser.add_argument("--backlog", type=int, default=1500, help="updates that may wait")
    parser.add_argument("--patience", type=float, default=900, help="seconds to become quiet")
    parser.add_argument("--webhook", action="store_true", help="instead of polling")
    parser.add_argument("--folder", type=Path, help="keeps the bot's database and log")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        sys.exit(asyncio.run(run(arguments, folder)))


if __name__ == "__main__":
    main()
