"""The command line for labels: python -m bot labels export | import."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

Done = TypeVar("Done")
cli = typer.Typer(no_args_is_help=True, help="Labels of moderators, out and in.")


@cli.command("export")
def export(
    file: Annotated[str, typer.Argument(help="Where to; - for standard output.")],
) -> None:
    """Write all labels as JSON lines, without ids, links, addresses and phone numbers."""
    from moderation import labels

    lines, emptied = _in_database(labels.export)
    content = labels.written(lines).encode()
    try:
        if file == "-":
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        else:
            with open(file, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
                out.write(content)
    except OSError as error:
        _stop(f"{file}: {error.strerror}")
    left_out = f", {emptied} left out: their text is no longer stored" if emptied else ""
    typer.echo(f"{len(lines)} labels exported{left_out}", err=True)


@cli.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="What export has written.")],
) -> None:
    """Add the labels of a file: all of them, or none if one is wrong."""
    from moderation import labels

    try:
        lines = labels.read(file.read_bytes())
    except OSError as error:
        _stop(f"{file}: {error.strerror}")
    except labels.LabelsError as error:
        _stop(f"{file}: {error}")
    done = _in_database(lambda session: labels.add(session, lines))
    nothing = "" if done.added else "; nothing to add"
    typer.echo(f"{done.added} labels added, {done.known} known before{nothing}")


def _in_database(work: "Callable[[AsyncSession], Awaitable[Done]]") -> Done:
    """What `work` makes of the database of the settings, in one transaction."""
    from sqlalchemy.exc import SQLAlchemyError

    from moderation import database, settings

    async def begin(url: str) -> Done:
        async with database.opened(url) as sessions, sessions.begin() as session:
            return await work(session)

    try:
        return asyncio.run(begin(settings.load().database_url))
    except (settings.SettingsError, database.DatabaseError) as error:
        _stop(str(error))
    except SQLAlchemyError as error:
        _stop(f"database: {str(getattr(error, 'orig', None) or error).strip().splitlines()[0]}")


def _stop(reason: str) -> NoReturn:
    typer.echo(f"bot: {reason}", err=True)
    raise SystemExit(1)
