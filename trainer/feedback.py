"""What moderators said, read from the bot's database; nothing is written there."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from moderation.categories import Category
from moderation.tables import Label
from trainer.config import TrainingError
from trainer.data import Loaded, load, vector
from trainer.formats import Row

SOURCE = "feedback"
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_CELL = {1: "1", 0: "0", None: ""}


def read_labels(database: str) -> Loaded:
    """The latest label of each moderator for each case, several votes for a text merged.
    Imported labels have no case: their text takes its place. Texts that were forgotten are no
    labels any more.

    `database` is a file of SQLite or a URL. Sources are `feedback:` and how the label was given.
    Raises TrainingError if it can't be read or holds no label.
    """
    url = _url(database)
    try:
        found = asyncio.run(_latest(url))
    except (SQLAlchemyError, OSError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        msg = f"{_shown(database)}: {reason}"
        raise TrainingError(msg) from error
    if not found:
        msg = f"{_shown(database)}: no moderator has given a label yet"
        raise TrainingError(msg)
    return load(_shown(database), _rows(found), lambda fields: vector(_cells(fields)))


def _url(database: str) -> URL:
    if "://" not in database:
        path = Path(database)
        if not path.is_file():
            msg = f"{database}: no such database"
            raise TrainingError(msg)
        file = f"file:{quote(str(path.resolve()))}"
        return URL.create("sqlite+aiosqlite", database=file, query={"mode": "ro", "uri": "true"})
    try:
        url = make_url(database)
    except (ArgumentError, ValueError) as error:
        msg = f"{database.split('://')[0]}://…: not the URL of a database"
        raise TrainingError(msg) from error
    kind = url.get_backend_name()
    if kind == "sqlite":
        return _url(url.database or "")
    driver = _DRIVERS.get(kind)
    if driver is None:
        msg = f"{kind}: the bot keeps its labels in SQLite or PostgreSQL"
        raise TrainingError(msg)
    return url.set(drivername=driver)


def _shown(database: str) -> str:
    """The database for messages: without a password."""
    return make_url(database).render_as_string() if "://" in database else database


async def _latest(url: URL) -> list[Label]:
    engine = create_async_engine(url, hide_parameters=True)
    latest: dict[tuple[int | str, int], Label] = {}
    try:
        async with engine.connect() as connection:
            for row in await connection.execute(select(Label.__table__).order_by(Label.id)):
                latest[row.case_id or row.text, row.moderator_id] = Label(**row._mapping)
    finally:
        await engine.dispose()
    return [label for label in latest.values() if label.text.strip()]


def _rows(labels: list[Label]) -> Iterator[Row]:
    for label in labels:
        cells = {category.value: _CELL.get(label.vector.get(category)) for category in Category}
        fault = "" if None not in cells.values() else "a label that is neither yes nor no"
        fields = {name: cell or "" for name, cell in cells.items()}
        fields |= {"text": label.text, "source": f"{SOURCE}:{label.source}"}
        yield Row(label.id, fields, fault)


def _cells(fields: dict[str, str]) -> dict[Category, str]:
    return {category: fields[category.value] for category in Category}
