import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from bot.backlog import CHUNK
from bot.inbox import BusyError
from bot.telegram import GetRawUpdates
from moderation.columns import now
from moderation.states import UpdateState
from sandbox.client import Client
from sandbox.scene import BOT_ID, OWNER_ID
from sandbox.server import serve
from tests.bot.updates import (
    Handled,
    an_update,
    inbox_of,
    leave,
    make_impatient,
    running,
    states,
    stored,
    until,
)

DONE, PENDING = UpdateState.DONE, UpdateState.PENDING


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    for name in ("bot.inbox.RETRY_SECONDS", "bot.workers.RETRY_SECONDS", "bot.watch.RETRY_SECONDS"):
        monkeypatch.setattr(name, 0.01)


@pytest.fixture
async def sandbox():
    async with serve() as found:
        yield found


@pytest.fixture
async def bot(sandbox):
    """A bot that talks to the sandbox."""
    api = TelegramAPIServer.from_base(sandbox.url.rstrip("/"))
    async with Bot(sandbox.token, session=AiohttpSession(api=api)) as made:
        yield made


@pytest.fixture
async def people(sandbox, bot):
    found = Client(sandbox.url, await bot.session.create_session())
    await found.write(OWNER_ID, OWNER_ID, "/start")
    # Nothing of the sandbox's beginning waits.
    waiting = await bot(GetRawUpdates(limit=100))
    await bot(GetRawUpdates(offset=waiting[-1]["update_id"] + 1))
    return found


async def put(people, *updates):
    """Updates of any shape, under the sandbox's ids."""
    given = []
    for update in updates:
        content = {key: value for key, value in update.items() if key != "update_id"}
        given.append((await people.post("updates", update=content))["update_id"])
    return given


async def test_what_comes_by_polling_is_handled_once_however_often_it_comes(bot, sessions, people):
    handled = Handled()
    async with running(inbox_of(bot, sessions, handled), polls=True) as inbox:
        ids = await put(people, *map(an_update, range(5)))
        await until(lambda: len(handled) == 5)
        await people.post("redeliveries", count=3)
        ids += await put(people, an_update(9))
        await until(lambda: len(handled) == 6)
    assert handled == ids
    assert inbox.received == 6
    assert set((await states(sessions)).values()) == {DONE}


async def test_a_restart_before_telegram_knew_repeats_nothing(bot, sessions, people):
    ids = await put(people, *map(an_update, range(5)))
    first, second = Handled(), Handled()
    raw = await bot(GetRawUpdates(limit=100))
    async with running(inbox_of(bot, sessions, first)) as inbox:
        await inbox.accept(raw)  # and no poll confirms it
        await until(lambda: not inbox.waiting)
    async with running(inbox_of(bot, sessions, second), polls=True) as inbox:
        ids += await put(people, an_update(9))
        await until(lambda: second)
        await until(lambda: not inbox.waiting)
    assert [*first, *second] == ids


async def test_what_was_accepted_survives_the_end_of_the_process(bot, sessions):
    async def lost(update):
        raise asyncio.CancelledError  # the process ends as soon as it is written

    handled = Handled()
    handled.prepare = lost
    async with running(inbox_of(bot, sessions, handled), drain_seconds=0.01) as inbox:
        await inbox.accept([an_update(1), an_update(2, -2)])
    assert await states(sessions) == {1: PENDING, 2: PENDING}
    again = Handled()
    async with running(inbox_of(bot, sessions, again)) as inbox:
        await until(lambda: not inbox.waiting)
    assert sorted(again) == [1, 2]


async def test_what_was_written_without_an_answer_is_handled_when_it_comes_again(bot, sessions):
    handled = Handled()
    async with running(inbox_of(bot, sessions, handled)) as inbox:
        await leave(sessions, [an_update(1)])  # committed, and the connection broke
        await inbox.accept([an_update(1)])
        await until(lambda: handled == [1])
        await inbox.accept([an_update(1)])
        await inbox.accept([an_update(2)])
        await until(lambda: handled == [1, 2])
    assert inbox.received == 2


async def test_a_full_inbox_and_one_that_stops_ask_to_come_again(bot, sessions, monkeypatch):
    monkeypatch.setattr("bot.inbox.MAX_WAITING", 2)
    go_on = asyncio.Event()

    class Held(Handled):
        async def handle(self, update, ready):
            await go_on.wait()
            self.append(update.update_id)

    handled = Held()
    inbox = inbox_of(bot, sessions, handled)
    with pytest.raises(BusyError):
        await inbox.accept([an_update(1)])
    async with running(inbox):
        await inbox.accept([an_update(1), an_update(2)])
        with pytest.raises(BusyError):
            await inbox.accept([an_update(3)])
        assert inbox.waiting == 2
        assert 0 <= inbox.oldest_waiting_seconds < 10
        go_on.set()
        await until(lambda: not inbox.waiting)
        await inbox.accept([an_update(3)])
    with pytest.raises(BusyError):
        await inbox.accept([an_update(4)])
    assert handled == [1, 2, 3]
    assert inbox.oldest_waiting_seconds == 0


async def test_polling_waits_while_the_inbox_is_full(bot, sessions, people, monkeypatch):
    monkeypatch.setattr("bot.inbox.MAX_WAITING", 3)
    most = 0

    class Watched(Handled):
        async def handle(self, update, ready):
            nonlocal most
            most = max(most, inbox.waiting)
            await super().handle(update, ready)

    handled = Watched()
    inbox = inbox_of(bot, sessions, handled)
    ids = await put(people, *map(an_update, range(250)))
    async with running(inbox, polls=True):
        await until(lambda: len(handled) == 250)
    assert sorted(handled) == ids
    assert most < 150  # a batch of 100 on top of what waits, never all


async def test_after_days_of_standstill_ids_may_begin_anew(bot, sessions):
    ago = now() - timedelta(days=8)
    await leave(sessions, [an_update(7, text="старое"), an_update(8)], received_at=ago)
    seen = []

    class Reading(Handled):
        async def handle(self, update, ready):
            seen.append(update.message.text)

    async with running(inbox_of(bot, sessions, Reading())) as inbox:
        await inbox.accept([an_update(7, text="новое")])
        await until(lambda: not inbox.waiting)
        async with sessions.begin() as session:
            for row in (await stored(sessions)).values():
                (await session.merge(row)).received_at = ago
        await inbox.accept([an_update(7, text="новейшее"), an_update(2)])
        await until(lambda: not inbox.waiting)
    assert seen == ["старое", "т", "новое", "новейшее", "т"]


@pytest.mark.parametrize("is_left", [True, False])
async def test_of_a_backlog_the_newest_is_handled_before_the_oldest(bot, sessions, people, is_left):
    updates = [an_update(i) for i in range(3 * CHUNK)]
    if is_left:
        await leave(sessions, updates)
    ids = list(range(3 * CHUNK)) if is_left else await put(people, *updates)
    handled = Handled()
    async with running(inbox_of(bot, sessions, handled), polls=True) as inbox:
        await until(lambda: len(handled) >= len(ids) and not inbox.waiting, 60)
    assert handled[0] == ids[-CHUNK]
    assert handled[CHUNK] == ids[0]
    assert sorted(handled) == ids
    assert set((await states(sessions)).values()) == {DONE}


async def test_operators_hear_of_a_backlog_and_of_its_end_once(bot, sessions, people, monkeypatch):
    monkeypatch.setattr("bot.watch.LONG", 20)
    monkeypatch.setattr("bot.watch.FEW", 5)
    monkeypatch.setattr("bot.watch.LOOK_SECONDS", 0.01)
    go_on = asyncio.Event()

    class Held(Handled):
        async def handle(self, update, ready):
            await go_on.wait()

    async with running(inbox_of(bot, sessions, Held(), [OWNER_ID, 999])) as inbox:
        for n in (1, 2):
            go_on.clear()
            await inbox.accept([an_update(n * 100 + i) for i in range(30)])
            assert "30 событий" in (await told(people, 2 * n - 1))[-1]
            go_on.set()
            assert "Очередь разобрана" in (await told(people, 2 * n))[-1]
            await until(lambda: not inbox.waiting)


async def told(people, number):
    async with asyncio.timeout(15):
        while True:
            words = [m["text"] for m in await people.messages(OWNER_ID, BOT_ID)]
            if len(words) >= number:
                return words
            await asyncio.sleep(0.02)


async def test_a_locked_database_is_outlasted_and_told(
    bot, sessions, people, monkeypatch, tmp_path
):
    for name, seconds in {"AWAY_SECONDS": 0.1, "STEADY_SECONDS": 0.1, "LOOK_SECONDS": 0.02}.items():
        monkeypatch.setattr(f"bot.watch.{name}", seconds)
    await make_impatient(sessions)
    handled = Handled()
    async with running(inbox_of(bot, sessions, handled, [OWNER_ID]), polls=True) as inbox:
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


async def test_a_full_disk_is_outlasted(bot, sessions, people):
    pages = 1  # the file as large as it is

    def limit(raw, *_):
        raw.execute(f"PRAGMA max_page_count={pages}")

    event.listen(sessions.kw["bind"].sync_engine.pool, "checkout", limit)
    handled = Handled()
    async with running(inbox_of(bot, sessions, handled), polls=True) as inbox:
        ids = await put(people, *(an_update(i, text="т" * 4000) for i in range(40)))
        with pytest.raises(OperationalError, match="full"):
            await inbox.accept([an_update(10**6 + i, text="т" * 4000) for i in range(40)])
        assert not handled
        pages = 2**30
        await until(lambda: len(handled) == 40)
    assert sorted(handled) == ids
