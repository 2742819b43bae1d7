"""The database: opening it, its pragmas, and bringing its tables up to date."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

import migrations
from moderation.away import is_away


class Sessions(async_sessionmaker[AsyncSession]):
    """Sessions of a database. SQLite has one writer at a time and lets the others ask again and
    again, so they come in turn here already."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, expire_on_commit=False)
        is_sqlite = engine.dialect.name == "sqlite"
        self._turn: AbstractAsyncContextManager[object] = (
            asyncio.Lock() if is_sqlite else nullcontext()
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:  # type: ignore[override]
        """A transaction; nothing that takes long belongs in it, and no other one."""
        async with self._turn, super().begin() as session:
            yield session


class DatabaseError(Exception):
    """A database that can't be used; the message says why in one line."""

    @property
    def is_away(self) -> bool:
        """Whether it may come back by itself; a file that can't be opened at the start won't."""
        cause = self.__cause__
        code = getattr(getattr(cause, "orig", None), "sqlite_errorcode", 0) & 0xFF
        is_barred = code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        return cause is not None and is_away(cause) and not is_barred


class OldTablesError(DatabaseError):
    """Tables of an older version, or none yet: whoever opens the database to work makes them."""

    def __init__(self, url: str, *, is_empty: bool) -> None:
        super().__init__(f"{url}: {'no tables yet' if is_empty else 'tables of an older version'}")
        self.is_empty = is_empty


def alembic_config() -> Config:
    """Alembic's settings; env.py expects the connection in `attributes`."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


@asynccontextmanager
async def opened(url: str, *, upgrades: bool = True) -> AsyncIterator[Sessions]:
    """The sessions of the database at `url`, its tables up to date; DatabaseError if it can't.
    Without `upgrades` nothing is made or changed: OldTablesError where that would be needed."""
    engine = _engine(url, makes=upgrades)
    try:
        await _upgrade(engine, upgrades=upgrades)
        yield Sessions(engine)
    finally:
        await engine.dispose()


def _engine(url: str, *, makes: bool) -> AsyncEngine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # whose words may be a piece of the password
        raise DatabaseError("the database's address can't be read") from error
    if parsed.get_backend_name() != "sqlite":
        try:
            return create_async_engine(url, pool_pre_ping=True, hide_parameters=True)
        except ImportError as error:
            msg = "PostgreSQL needs one more library: pip install 'toxicity-bot[postgres]'"
            raise DatabaseError(msg) from error
    if parsed.database and parsed.database != ":memory:":
        file = Path(parsed.database)
        try:
            if makes:
                file.parent.mkdir(parents=True, exist_ok=True)
            elif not file.exists():
                raise _absent(file)
        except OSError as error:
            msg = f"{file}: its folder can't be made: {error.strerror}"
            raise DatabaseError(msg) from error
    # Errors go to the log, and parameters are people's words.
    engine = create_async_engine(url, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", partial(_pragmas, makes=makes))
    return engine


def _absent(file: Path) -> DatabaseError:
    """What is to be said of a file that isn't there: whether it could be made."""
    there = next(folder for folder in file.absolute().parents if folder.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return OldTablesError(str(file), is_empty=True)
    return DatabaseError(f"{file}: it isn't there and can't be made in {there}")


def _pragmas(connection: Any, _record: Any, *, makes: bool) -> None:
    # FULL: an update that was confirmed to Telegram must survive a power cut.
    for pragma in ("synchronous=FULL", "busy_timeout=15000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    if makes:
        connection.execute("PRAGMA journal_mode=WAL")


async def _upgrade(engine: AsyncEngine, *, upgrades: bool) -> None:
    step = asyncio.create_task(  # noqa: TID251 - it never outlives this function
        _bring_up(engine, upgrades=upgrades)
    )
    try:
        await asyncio.shield(step)
    except asyncio.CancelledError:
        await asyncio.wait([step])  # whoever wants to stop gets whole tables, or none
        raise


async def _bring_up(engine: AsyncEngine, *, upgrades: bool) -> None:
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade_tables, upgrades)
    except (SQLAlchemyError, OSError, TypeError, ValueError) as error:  # the last two: its options
        cause = getattr(error, "orig", None) or error
        said = str(cause).strip() or type(cause).__name__
        msg = f"{engine.url.render_as_string()}: {said.splitlines()[0]}"
        raise DatabaseError(msg) from error


def _upgrade_tables(connection: Connection, upgrades: bool) -> None:
    newest, known = _revisions()
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        msg = (
            f"the database is newer than this program (its revision {found} is unknown here): "
            "run the newer program, or restore a backup"
        )
        raise DatabaseError(msg)
    if found == newest:
        return
    if not upgrades:
        raise _outdated(connection, found)
    if connection.dialect.name == "sqlite":  # its driver begins no transaction before tables
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _outdated(connection: Connection, revision: str | None) -> DatabaseError:
    """What is to be said of tables that would have to be made or changed."""
    url = connection.engine.url.render_as_string()
    if revision is None and inspect(connection).get_table_names():
        return DatabaseError(f"{url}: it holds tables of something else")
    if revision is not None:  # is rolled back
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    return OldTablesError(url, is_empty=revision is None)


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """The newest revision of this program, and all that it knows; looking them up takes longer than
    all else when a database is opened."""
    scripts = ScriptDirectory.from_config(alembic_config())
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return scripts.get_current_head(), known
