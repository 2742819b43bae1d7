"""Random updates through the decoder, and through all handlers against a sandbox over HTTP."""

import asyncio
import json
import logging
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import structlog
from pydantic import ValidationError

from bot.backlog import chat_of
from bot.content import is_ignored, names_of, sender_of, texts_of
from bot.decoding import decode
from bot.rich import LONGEST
from bot.telegram import describe
from sandbox import scene
from tests.bot.generator import Generator
from tests.bot.house import house

BROKEN_SHARE = 0.25
KEPT_CALLS = 1000


@dataclass
class Counts:
    """What came of the updates."""

    updates: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    errors: Counter[str] = field(default_factory=Counter)  # that nobody handled
    examples: dict[str, str] = field(default_factory=dict)
    slowest_seconds: float = 0.0

    def add(self, other: "Counts") -> None:
        """Count what another process has counted, too."""
        self.updates += other.updates
        self.kinds += other.kinds
        self.quarantined += other.quarantined
        self.errors += other.errors
        self.examples |= other.examples
        self.slowest_seconds = max(self.slowest_seconds, other.slowest_seconds)

    def note(self, error: BaseException, raw) -> None:
        """An error that should not have been, with one update that leads to it."""
        what = describe(error)
        self.errors[what] += 1
        self.examples.setdefault(what, json.dumps(raw, ensure_ascii=True)[:20_000])


def a_raw(made: Generator, counts: Counts):
    """The next update, and whether it is as the Bot API describes it."""
    is_valid = made.random.random() >= BROKEN_SHARE
    raw = made.update() if is_valid else made.broken()
    counts.updates += 1
    counts.kinds[next((key for key in raw if key != "update_id"), "none")] += 1
    return raw, is_valid


def through_decoder(seed: int, number: int) -> Counts:
    """Decode updates and read all words of their messages."""
    made, counts = Generator(seed), Counts()
    for _ in range(number):
        raw, is_valid = a_raw(made, counts)
        started = process_time()
        try:
            read(raw)
        except ValidationError as error:
            counts.quarantined += 1
            if is_valid:
                counts.note(error, raw)
        except Exception as error:  # it is what is looked for
            counts.note(error, raw)
        counts.slowest_seconds = max(counts.slowest_seconds, process_time() - started)
    return counts


def read(raw) -> None:
    """Decode an update as the inbox does, and read its words."""
    chat_of(raw)
    update = decode(raw, None)
    message = update.message or update.edited_message
    if message is not None:
        parts = texts_of(message)
        assert len(parts) <= 64 + 2 * 9, "parts aren't bounded"
        assert sum(len(part.text) for part in parts) <= LONGEST, "words aren't bounded"
        names_of(message), sender_of(message), is_ignored(message, scene.BOT_ID)


async def through_handlers(seed: int, number: int, folder: Path) -> Counts:
    """Handle updates with all handlers, acts and cards; the sandbox answers as Telegram would."""
    made, counts = Generator(seed), Counts()
    failed = []

    def listen(logger, method, event):
        if event.get("event") == "errand failed":
            failed.append(event)
        raise structlog.DropEvent

    structlog.configure(processors=[listen], cache_logger_on_first_use=False)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", "Detected unknown update type")
    async with house(folder, acts=True) as home:
        for _ in range(number):
            raw, is_valid = a_raw(made, counts)
            try:
                update = decode(raw, home.bot)
            except ValidationError as error:
                counts.quarantined += 1
                if is_valid:
                    counts.note(error, raw)
                continue
            started = process_time()
            try:
                await home.handle(update)
            except Exception as error:  # it is what is looked for
                counts.note(error, raw)
            counts.slowest_seconds = max(counts.slowest_seconds, process_time() - started)
            while failed:
                counts.note(RuntimeError(failed.pop()["reason"]), raw)
                counts.errors["errand failed"] += 1
            if len(home.telegram.journal.calls) > KEPT_CALLS:
                home.telegram.journal.calls.clear()
        await home.outbox.drain(30)
    structlog.reset_defaults()
    return counts


def handlers(seed: int, number: int) -> Counts:
    """`through_handlers` in a process of its own, with a database in memory's file system."""
    memory = Path("/dev/shm")
    where = memory if memory.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        return asyncio.run(through_handlers(seed, number, Path(folder)))
