"""How long /stats takes in a large group, and the preview of a setting: python benchmarks/stats.py

Fills a SQLite database with 10,000 messages a day for 30 days, what the bot and the moderators
would have made of them, and another such group beside it. Prints seconds as shares of one second,
and 30 days as a ratio of 24 hours; absolute figures drift from machine to machine.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot import charts
from bot.language import language
from moderation import changes, database
from moderation.categories import TOXIC, Category
from moderation.figures import Figures, Period, figures
from moderation.policy import Action
from moderation.preferences import Preferences
from moderation.preview import Preview, preview
from moderation.quality import measured, quality
from moderation.states import Act, ActState, Origin, Source, Verdict
from moderation.tables import Case, Chat, Enforcement, Label, Prediction, Table

DAYS = 30
GOAL_SECONDS = 1.0
GROUP, OTHER = -1_001, -1_002
NOW = datetime(2026, 10, 5, 23, 59, tzinfo=UTC)
FLAGGED, AUDITED, JUDGED, WRONG = 0.02, 0.01, 0.7, 0.1
BATCH = 10_000
STRICTER = changes.with_rule(Preferences(), Category.INSULT, 0.6, Action.DELETE)

Rows = dict[type[Table], list[dict[str, Any]]]


def made(number: int, chance: random.Random) -> Iterator[Rows]:
    """Messages of two groups, one after the other in time, with all that follows from them."""
    gap = timedelta(days=DAYS) / number
    for i in range(1, number + 1):
        at = NOW - gap * (number - i)
        for chat_id, id_ in ((GROUP, 2 * i - 1), (OTHER, 2 * i)):
            yield message(id_, chat_id, at, chance)


def message(id_: int, chat_id: int, at: datetime, chance: random.Random) -> Rows:
    """One message; ids are the same in all tables."""
    category = chance.choice(TOXIC) if chance.random() < FLAGGED else None
    origin = Origin.DECISION if category else Origin.AUDIT
    scores = {c.value: chance.random() / 10 for c in Category}
    rows: Rows = {
        Prediction: [
            {
                "id": id_, "chat_id": chat_id, "message_id": id_, "revision": 0, "created_at": at,
                "user_id": chance.randrange(1, 5000), "content_hash": f"{id_:032x}",
                "field": "text", "model_version": "v1", "scores": scores, "is_newcomer": False,
                "stratum": chance.choices(range(4), (80, 12, 5, 3))[0], "category": category,
                "action": Action.DELETE if category else Action.NONE, "score": 0.8,
                "threshold": 0.7 if category else 0.0,
                "exempt": "linked_channel" if chance.random() < 0.05 else None,
            }
        ]
    }  # fmt: skip
    if not category and chance.random() >= AUDITED:
        return rows
    is_judged, is_wrong = chance.random() < JUDGED, chance.random() < WRONG
    rows[Case] = [
        {
            "id": id_, "prediction_id": id_, "chat_id": chat_id, "origin": origin,
            "is_seconded": False, "user_name": "Имя", "text": "слова " * 12, "text_key": "",
            "flagged": [category.value] if category else [], "created_at": at,
            "verdict": (Verdict.CLEAN if is_wrong else Verdict.CONFIRMED) if is_judged else None,
            "resolved_at": at + timedelta(minutes=chance.randrange(1, 600)) if is_judged else None,
        }
    ]  # fmt: skip
    if category:
        rows[Enforcement] = [{"case_id": id_, "act": Act.DELETE, "state": ActState.DONE}]
    if is_judged:
        vector = dict.fromkeys(map(str, Category), 0)
        vector[category or chance.choice(TOXIC)] = int(is_wrong != bool(category))
        rows[Label] = [
            {
                "id": id_, "case_id": id_, "chat_id": chat_id, "moderator_id": chance.randrange(9),
                "source": Source.BUTTON if category else Source.AUDIT, "text": "слова " * 12,
                "text_key": "", "vector": vector, "model_version": "v1", "scores": scores,
                "created_at": at + timedelta(minutes=1),
            }
        ]  # fmt: skip
    return rows


async def fill(session: AsyncSession, number: int) -> None:
    """Write `number` messages of each group."""
    session.add_all(Chat(id=chat_id, title="Группа", preferences={}) for chat_id in (GROUP, OTHER))
    await session.flush()
    rows = made(number, random.Random(0))
    while chunk := list(islice(rows, BATCH)):
        for table in (Prediction, Case, Enforcement, Label):
            if found := [row for each in chunk for row in each.get(table, ())]:
                await session.execute(insert(table), found)


async def timed(work: Callable[[], Awaitable[Any]], rounds: int) -> tuple[float, Any]:
    """The best of some rounds, for other programs only ever slow one down; and the result."""
    seconds = []
    for _ in range(rounds):
        started = perf_counter()
        found = await work()
        seconds.append(perf_counter() - started)
    return min(seconds), found


async def measure(sessions: database.Sessions, rounds: int) -> dict[str, float]:
    """Seconds of each part for each period, of one group and of all."""
    words = language("ru")
    found: dict[str, float] = {}
    for period in Period:
        for name, chat_ids in (("one group", [GROUP]), ("all groups", None)):

            async def happened(chat_ids: Any = chat_ids, period: Period = period) -> Figures:
                async with sessions() as session:
                    return await figures(session, chat_ids, period, NOW)

            async def right(chat_ids: Any = chat_ids, period: Period = period) -> Any:
                async with sessions() as session:
                    counts = await quality(session, chat_ids, period.starts(NOW)[0])
                return await asyncio.to_thread(measured, counts)

            seconds, counted = await timed(happened, rounds)
            found[f"{period} figures, {name}"] = seconds
            found[f"{period} quality, {name}"], known = await timed(right, rounds)

        async def days(counted: Figures = counted) -> bytes:
            return await asyncio.to_thread(charts.days, counted, words)

        async def shares(known: Any = known, period: Period = period) -> bytes:
            return await asyncio.to_thread(charts.quality, known, words, period)

        found[f"{period} picture of days"], _ = await timed(days, rounds)
        found[f"{period} picture of quality"], _ = await timed(shares, rounds)

    async def last_week() -> Preview:
        since = NOW - timedelta(days=7)
        async with sessions() as session:
            return await preview(session, GROUP, Preferences(), STRICTER, since)

    found["preview of a setting"], _ = await timed(last_week, rounds)
    return found


async def run(number: int, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'bot.sqlite3'}"
        async with database.opened(url) as sessions:
            started = perf_counter()
            async with sessions.begin() as session:
                await fill(session, number)
            print(f"{2 * number} messages written in {perf_counter() - started:.0f} s")
            return await measure(sessions, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=10_000 * DAYS, help="messages of each group")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    found = asyncio.run(run(arguments.number, arguments.rounds))
    for name, seconds in found.items():
        print(f"{name:30} {seconds:6.3f} s   {seconds / GOAL_SECONDS:4.0%} of a second")
    for what in ("figures", "quality"):
        month, day = (found[f"{period} {what}, one group"] for period in (Period.MONTH, Period.DAY))
        print(f"{what} of 30 days to those of 24 hours: x{month / day:.1f}")
    slowest = max(found[f"{Period.MONTH} {what}, one group"] for what in ("figures", "quality"))
    print(f"slowest answer of the database: {slowest:.2f} s (goal: under {GOAL_SECONDS:.0f})")
    sys.exit(0 if slowest < GOAL_SECONDS else 1)


if __name__ == "__main__":
    main()
