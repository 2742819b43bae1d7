"""A copy of the database, consistent although the bot goes on writing."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from moderation.database import DatabaseError

_PAGES = 1024  # copied at a time: between two portions the bot may write


def copy(url: str, target: Path) -> int:
    """Copy the SQLite database at `url` to the new file `target`; its size in bytes.

    The file is whole and checked before it has its name, and only its owner may read it: it holds
    what people wrote. Raises DatabaseError if it can't be made.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise DatabaseError("PostgreSQL has a better tool of its own: pg_dump --format=custom")
    source = Path(parsed.database or "")
    if not source.is_file():
        raise DatabaseError(f"{source}: no such database")
    if target.exists():
        raise DatabaseError(f"{target}: is there already; give a new name")
    staging = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        staging.touch(mode=0o600, exist_ok=False)
        _copy(source, staging)
        os.link(staging, target)  # fails if somebody else has taken the name meanwhile
        return target.stat().st_size
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"{target}: {reason}"
        raise DatabaseError(msg) from error
    finally:
        with suppress(OSError):
            staging.unlink()


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new, pages=_PAGES)
        # One file alone: the copy must not need a log beside it.
        new.execute("PRAGMA journal_mode=DELETE")
        (said,) = new.execute("PRAGMA integrity_check").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(f"the database is damaged: {said}")
    with target.open("rb") as file:
        os.fsync(file.fileno())
