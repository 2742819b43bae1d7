import asyncio
import sqlite3
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import create_async_engine

from moderation import database
from moderation.database import DatabaseError, OldTablesError, alembic_config
from moderation.tables import Table


async def with_connection(url, work):
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        found = await connection.run_sync(work)
    await engine.dispose()
    return found


def migrate(connection, direction, revision):
    config = alembic_config()
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)


def test_there_is_one_newest_revision():
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


async def test_every_migration_goes_up_down_and_up_again(bare_url):
    scripts = ScriptDirectory.from_config(alembic_config())
    for script in reversed(list(scripts.walk_revisions())):
        for direction, revision in (
            ("upgrade", script.revision),
            ("downgrade", script.down_revision or "base"),
            ("upgrade", script.revision),
        ):
            await with_connection(bare_url, lambda c, d=direction, r=revision: migrate(c, d, r))
    await with_connection(bare_url, lambda c: migrate(c, "downgrade", "base"))
    left = await with_connection(bare_url, lambda c: inspect(c).get_table_names())
    assert set(left) <= {"alembic_version"}


async def test_the_migrated_tables_are_those_of_the_code(bare_url):
    async with database.opened(bare_url):
        pass

    def differences(connection):
        return compare_metadata(MigrationContext.configure(connection), Table.metadata)

    assert await with_connection(bare_url, differences) == []


async def test_a_database_newer_than_the_code_is_refused(tmp_path):
    path = tmp_path / "bot.sqlite3"
    url = f"sqlite+aiosqlite:///{path}"
    async with database.opened(url):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(DatabaseError, match="newer than this program"):
        async with database.opened(url):
            pass


@pytest.mark.parametrize(
    "url",
    [
        "sqlite+aiosqlite:////proc/nothing/bot.sqlite3",
        "postgresql+asyncpg://localhost:1/nothing",
        "postgresql+asyncpg://user:secret@localhost:secret/nothing",
        "postgresql+asyncpg://user:secret@localhost:1/nothing?sslmode=require",
        "secret",
    ],
)
async def test_a_database_out_of_reach_is_one_line(url):
    with pytest.raises(DatabaseError) as caught:
        async with database.opened(url):
            pass
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_server_without_its_library_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(DatabaseError, match=r"pip install 'toxicity-bot\[postgres\]'"):
        async with database.opened("postgresql+asyncpg://localhost/bot"):
            pass


@pytest.mark.parametrize("revision", [None, "0001", "0005"])
async def test_whoever_stops_while_tables_are_made_leaves_all_or_none(tmp_path, revision):
    for number in range(7):
        url = f"sqlite+aiosqlite:///{tmp_path}/{number}.sqlite3"
        if revision is not None:
            await with_connection(url, lambda c: migrate(c, "upgrade", revision))
        opening = asyncio.create_task(opened_once(url))
        await asyncio.sleep(number * 0.05)
        opening.cancel()
        await asyncio.wait([opening])
        await opened_once(url)


async def opened_once(url):
    async with database.opened(url):
        pass


async def test_tables_of_something_else_are_not_taken_for_an_empty_database(tmp_path):
    with sqlite3.connect(tmp_path / "bot.sqlite3") as connection:
        connection.execute("CREATE TABLE chat (id INTEGER)")
    connection.close()
    with pytest.raises(DatabaseError, match="tables of something else"):
        async with database.opened(f"sqlite+aiosqlite:///{tmp_path}/bot.sqlite3", upgrades=False):
            pass


async def test_looking_at_a_database_changes_no_byte(tmp_path):
    path = tmp_path / "bot.sqlite3"
    path.touch()
    with pytest.raises(OldTablesError):
        async with database.opened(f"sqlite+aiosqlite:///{path}", upgrades=False):
            pass
    assert path.read_bytes() == b""


async def test_a_file_that_is_no_database_is_one_line(tmp_path):
    (tmp_path / "bot.sqlite3").write_text("this is no database " * 100)
    with pytest.raises(DatabaseError, match="file is not a database"):
        async with database.opened(f"sqlite+aiosqlite:///{tmp_path}/bot.sqlite3"):
            pass
