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
import os
import resource
import signal
import socket
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

from soak_bot import Bot
from soak_counts import Count, Counts, Database
from soak_people import People
from soak_run import Soak
from soak_watch import Watch

from sandbox.faults import Chance
from sandbox.server import serve

SECRET = "soak-secret-of-the-webhook"


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
    parser.add_argument("--fault-rate", type=float, default=0.05, help="of the bot's calls")
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
