import asyncio
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.exc import OperationalError

from sandbox.scene import BOT_ID, OWNER_ID
from tests.bot.updates import (
    Handled,
    an_update,
    inbox_of,
    make_impatient,
    put,
    running,
    until,
)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    seconds = {"RETRY": 0.01, "LOOK": 0.02, "AWAY": 0.1, "STEADY": 0.1}
    for name, value in seconds.items():
        monkeypatch.setattr(f"bot.watch.{name}_SECONDS", value)
    for module in ("inbox", "workers"):
        monkeypatch.setattr(f"bot.{module}.RETRY_SECONDS", 0.01)


async def told(people, number):
    async with asyncio.timeout(15):
        while True:
            words = [m["text"] for m in await people.messages(OWNER_ID, BOT_ID)]
            if len(words) >= number:
                return words
            await asyncio.sleep(0.02)


async def test_operators_hear_of_a_backlog_and_of_its_end_once(
    sandbox_bot, sessions, people, monkeypatch
):
    monkeypatch.setattr("bot.watch.LONG", 20)
    monkeypatch.setattr("bot.watch.FEW", 5)
    go_on = asyncio.Event()

    class Held(Handled):
        async def handle(self, update, ready):
            await go_on.wait()

    async with running(inbox_of(sandbox_bot, sessions, Held(), [OWNER_ID, 999])) as inbox:
        for n in (1, 2):
            go_on.clear()
            await inbox.accept([an_update(n * 100 + i) for i in range(30)])
            assert "30 событий" in (await told(people, 2 * n - 1))[-1]
            go_on.set()
            assert "Очередь разобрана" in (await told(people, 2 * n))[-1]
            await until(lambda: not inbox.waiting)


async def test_a_locked_database_is_outlasted_and_told(sandbox_bot, sessions, people, tmp_path):
    await make_impatient(sessions)
    handled = Handled()
    async with running(inbox_of(sandbox_bot, sessions, handled, [OWNER_ID]), polls=True) as inbox:
        with closing(sqlite3.connect(tmp_path / "bot.sqlite3", isolation_level=None)) as raw:
            raw.execute("BEGIN EXCLUSIVE")
            ids = await put(people, *(an_update(i, -1 - i % 4) for i in range(20)))
            with pytest.raises(OperationalError):
                await inbox.accept([an_update(10**6)])
            assert "недоступна" in (await told(people, 1))[0]
            assert not handled
            raw.execute("ROLLBACK")
        await until(lambda: len(handled) == 20)
        assert "снова доступна" in (await told(people, 2))[1]
    assert sorted(handled) == ids


async def test_a_locked_database_is_told_of_though_nobody_polls(
    sandbox_bot, sessions, people, tmp_path
):
    await make_impatient(sessions)
    async with running(inbox_of(sandbox_bot, sessions, Handled(), [OWNER_ID])) as inbox:
        with closing(sqlite3.connect(tmp_path / "bot.sqlite3", isolation_level=None)) as raw:
            raw.execute("BEGIN EXCLUSIVE")
            with pytest.raises(OperationalError):
                await inbox.accept([an_update(1)])
            assert "недоступна" in (await told(people, 1))[0]
            raw.execute("ROLLBACK")


async def test_operators_hear_of_updates_that_were_set_aside_once_an_hour(
    sandbox_bot, sessions, people
):
    class Broken(Handled):
        async def handle(self, update, ready):
            raise RuntimeError("тайна")

    async with running(inbox_of(sandbox_bot, sessions, Broken(), [OWNER_ID])) as inbox:
        await inbox.accept([an_update(i, -i) for i in (1, 2)])
        await until(lambda: inbox.quarantined == 2)
        (said,) = await told(people, 1)
        await inbox.accept([an_update(3)])
        await until(lambda: inbox.quarantined == 3)
        await asyncio.sleep(0.3)  # many looks
        assert len(await told(people, 1)) == 1
    assert "отложен" in said
    assert "тайна" not in said
