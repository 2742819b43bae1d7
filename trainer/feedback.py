"""What moderators said, read from the bot's database; nothing is written there."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from moderation.categories import Category
from moderation.states import Source
from moderation.tables import Case, Label, Prediction
from trainer.config import TrainingError
from trainer.data import Loaded, load, vector
from trainer.formats import Row

SOURCE = "feedback"
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_CELL = {1: "1", 0: "0", None: ""}
# A model must not learn from what a model said: only a person's word counts, and a source that is
# added one day is left out until it is listed here.
HUMAN = (
    Source.BUTTON,
    Source.REPORT,
    Source.AUDIT,
    Source.REVIEW,
    Source.SECOND,
    Source.IMPORT,
)
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Vote:
    """What a moderator last said of a text, and what its weight depends on; None is unknown."""

    text: str
    vector: dict[str, int | None]
    moderator: int
    source: str
    chat: int | None  # None: imported
    author: int  # 0: unknown
    probability: float | None  # of an audit's draw
    case: int | None = None


def read_labels(database: str) -> Loaded:
    """The latest label of each moderator for each case, several votes for a text merged.
    Imported labels have no case: their text takes its place. Texts that were forgotten are no
    labels any more.

    `database` is a file of SQLite or a URL. Sources are `feedback:` and how the label was given.
    Raises TrainingError if it can't be read or holds no label.
    """
    found = _read(database, _latest)
    return load(_shown(database), _rows(found), lambda fields: vector(_cells(fields)))


def read_votes(database: str) -> list[Vote]:
    """Every moderator's last vote on each case, the oldest first, by people alone.

    Raises TrainingError if the database can't be read or holds none.
    """
    return _read(database, _votes)


def _read(
    database: str, query: Callable[[AsyncConnection], Coroutine[None, None, list[_Found]]]
) -> list[_Found]:
    url = _url(database)

    async def asked() -> list[_Found]:
        engine = create_async_engine(url, hide_parameters=True)
        try:
            async with engine.connect() as connection:
                return await query(connection)
        finally:
            await engine.dispose()

    try:
        found = asyncio.run(asked())
    except (SQLAlchemyError, OSError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        msg = f"{_shown(database)}: {reason}"
        raise TrainingError(msg) from error
    if not found:
        msg = f"{_shown(database)}: no moderator has given a label yet"
        raise TrainingError(msg)
    return found


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


async def _latest(connection: AsyncConnection) -> list[Label]:
    latest: dict[tuple[int | str, int], Label] = {}
    for row in await connection.execute(select(Label.__table__).order_by(Label.id)):
        latest[row.case_id or row.text, row.moderator_id] = Label(**row._mapping)
    return [label for label in latest.values() if label.text.strip()]


async def _votes(connection: AsyncConnection) -> list[Vote]:
    query = (
        select(Label.__table__, Prediction.user_id)
        .outerjoin(Case, Case.id == Label.case_id)
        .outerjoin(Prediction, Prediction.id == Case.prediction_id)
        .where(Label.source.in_(HUMAN))
        .order_by(Label.id)
    )
    latest: dict[tuple[int | str, int], Vote] = {}
    for row in await connection.execute(query):
        latest[row.case_id or row.text, row.moderator_id] = Vote(
            row.text,
            row.vector,
            row.moderator_id,
            row.source.value,
            row.chat_id,
            row.user_id or 0,
            row.probability,
            row.case_id,
        )
    return [vote for vote in latest.values() if vote.text.strip()]


def _rows(labels: list[Label]) -> Iterator[Row]:
    for label in labels:
        cells = {category.value: _CELL.get(label.vector.get(category)) for category in Category}
        fault = "" if None not in cells.values() else "a label that is neither yes nor no"
        fields = {name: cell or "" for name, cell in cells.items()}
        fields |= {"text": label.text, "source": f"{SOURCE}:{label.source}"}
        yield Row(label.id, fields, fault)


def _cells(fields: dict[str, str]) -> dict[Category, str]:
    return {category: fields[category.value] for category in Category}
