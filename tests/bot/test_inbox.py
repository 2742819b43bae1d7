import asyncio
from datetime import timedelta

import pytest
from aiogram.exceptions import TelegramUnauthorizedError
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.inbox import BusyError
from bot.telegram import GetRawUpdates
from moderation import database
from moderation.columns import now
from moderation.states import UpdateState
from tests.bot.updates import (
    Handled,
    an_update,
    inbox_of,
    leave,
    put,
    running,
    states,
    stored,
    until,
)

CHUNK = 8
DONE, PENDING = UpdateState.DONE, UpdateState.PENDING


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    for name in ("bot.inbox.RETRY_SECONDS", "bot.workers.RETRY_SECONDS", "bot.watch.RETRY_SECONDS"):
        monkeypatch.setattr(name, 0.01)


@pytest.fixture
def bot(sandbox_bot):
    return sandbox_bot


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
    monkeypatch.setattr("bot.inbox.BATCH", 10)
    most = 0

    class Watched(Handled):
        async def handle(self, update, ready):
            nonlocal most
            most = max(most, inbox.waiting)
            await super().handle(update, ready)

    handled = Watched()
    inbox = inbox_of(bot, sessions, handled)
    ids = await put(people, *map(an_update, range(40)))
    async with running(inbox, polls=True):
        await until(lambda: len(handled) == 40)
    assert sorted(handled) == ids
    assert most < 15  # a batch of 10 on top of what waits, never all


async def test_a_restart_with_a_full_inbox_works_it_off_first(bot, sessions, people, monkeypatch):
    monkeypatch.setattr("bot.inbox.MAX_WAITING", 3)
    await leave(sessions, [an_update(i) for i in range(5)])
    ids = await put(people, an_update(9))
    handled = Handled()
    async with running(inbox_of(bot, sessions, handled), polls=True):
        await until(lambda: len(handled) == 6)
    assert handled == [*range(5), *ids]


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
async def test_of_a_backlog_the_newest_is_handled_before_the_oldest(
    bot, sessions, people, is_left, monkeypatch
):
    monkeypatch.setattr("bot.backlog.CHUNK", CHUNK)
    monkeypatch.setattr("bot.inbox.BATCH", CHUNK)
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


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
async def test_a_server_that_ends_all_connections_is_outlasted(bot, database_url):
    """As PostgreSQL does when it is restarted."""
    handled = Handled()
    async with database.opened(database_url) as sessions:
        async with running(inbox_of(bot, sessions, handled)) as inbox:
            await inbox.accept([an_update(i, -1 - i % 3) for i in range(30)])
            for done in (5, 15):
                await until(lambda done=done: inbox.handled >= done)
                await end_connections(database_url)
            await until(lambda: not inbox.waiting)
        assert set(handled) == set(range(30))
        assert inbox.failed == 0
        assert set((await states(sessions)).values()) == {DONE}


async def end_connections(url):
    engine = create_async_engine(url)
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
    async with engine.begin() as connection:
        await connection.execute(text(f"{others} AND backend_type = 'client backend'"))
    await engine.dispose()


async def test_a_token_that_was_revoked_ends_it(sessions, sandbox, sandbox_bot):
    sandbox.telegram.token = "1:" + "b" * 35
    with pytest.raises(ExceptionGroup) as ended:
        await inbox_of(sandbox_bot, sessions, Handled()).run(asyncio.Event())
    assert ended.group_contains(TelegramUnauthorizedError)
