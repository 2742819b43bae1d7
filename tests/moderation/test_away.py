import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from moderation.away import is_away


async def failure(engine, *statements):
    """What the statements fail with."""
    with pytest.raises((DBAPIError, OSError)) as raised:
        await run(engine, statements)
    return raised.value


async def run(engine, statements):
    async with engine.begin() as connection:
        for statement, *values in statements:
            await connection.execute(text(statement), *values)


@pytest.fixture
async def sqlite(tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.sqlite3")) as raw:
        raw.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, words TEXT)")
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/x.sqlite3")
    event.listen(engine.sync_engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=1"))
    yield engine
    await engine.dispose()


INSERT = "INSERT INTO t (words) VALUES ('т')"
LARGE = "INSERT INTO t (words) VALUES (hex(zeroblob(200000)))"


async def test_a_locked_file_is_away(sqlite, tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.sqlite3", isolation_level=None)) as raw:
        raw.execute("BEGIN EXCLUSIVE")
        assert is_away(await failure(sqlite, (INSERT,)))


async def test_a_full_disk_is_away(sqlite):
    assert is_away(await failure(sqlite, ("PRAGMA max_page_count=3",), (LARGE,)))


async def test_a_file_that_only_can_be_read_is_away(sqlite):
    assert is_away(await failure(sqlite, ("PRAGMA query_only=1",), (INSERT,)))


async def test_a_folder_that_is_gone_is_away(tmp_path):
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/gone/x.sqlite3")
    before = set(threading.enumerate())
    assert is_away(await failure(engine, ("SELECT 1",)))
    # The driver's thread says goodbye to this event loop, so that has to wait for it.
    for thread in set(threading.enumerate()) - before:
        await asyncio.to_thread(thread.join)


@pytest.mark.parametrize(
    "statement", ["SELECT * FROM u", "SELEC", "INSERT INTO t VALUES (1, 2, 3)"]
)
async def test_a_wrong_statement_is_not(sqlite, statement):
    assert not is_away(await failure(sqlite, (statement,)))


async def test_a_broken_rule_is_not(sqlite):
    once = "INSERT INTO t (x) VALUES (1)"
    assert not is_away(await failure(sqlite, (once,), (once,)))


def test_nor_are_errors_of_something_else():
    for error in (FileNotFoundError(2, "gone", "a file"), ValueError("т"), RuntimeError("т")):
        assert not is_away(error)
    for error in (
        ConnectionRefusedError(111, "refused"),
        PoolTimeoutError("queue"),
        TimeoutError(),
    ):
        assert is_away(error)


@pytest.mark.postgres
async def test_a_server_that_ends_connections_is_away_and_a_wrong_value_is_not(postgres_url):
    engine = create_async_engine(postgres_url)
    ends = "SELECT pg_terminate_backend(pg_backend_pid())"
    assert is_away(await failure(engine, (ends,), ("SELECT 1",)))
    timeout = "SET statement_timeout = 1"
    assert is_away(await failure(engine, (timeout,), ("SELECT pg_sleep(5)",)))
    too_large = "SELECT CAST(:x AS bigint)", {"x": 2**70}
    assert not is_away(await failure(engine, too_large))
    assert not is_away(await failure(engine, ("SELECT * FROM u",)))
    await engine.dispose()


@pytest.mark.postgres
async def test_a_server_that_is_gone_is_away(tmp_path):
    engine = create_async_engine(f"postgresql+asyncpg://test@/postgres?host={tmp_path}")
    assert is_away(await failure(engine, ("SELECT 1",)))
    await engine.dispose()
