"""The command line for labels: python -m bot labels export | import | review."""

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
cli = typer.Typer(no_args_is_help=True, help="Labels of moderators: out, in, looked at again.")


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


@cli.command("review")
def review(
    file: Annotated[Path, typer.Argument(help="What python -m trainer suspects --json wrote.")],
) -> None:
    """Show the labels that are likely wrong to one more moderator, in /review, who isn't told."""
    from pydantic import ValidationError

    from moderation import queue
    from moderation.labels import Suspects

    try:
        case_ids = Suspects.model_validate_json(file.read_bytes()).case_ids
    except OSError as error:
        _stop(f"{file}: {error.strerror}")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        _stop(f"{file}: {where}: {first['msg']}" if where else f"{file}: {first['msg']}")
    asked = _in_database(lambda session: queue.reconsider(session, case_ids))
    left = len(case_ids) - asked
    why = f"; {left} not: several have labelled them, or their text is gone" if left else ""
    typer.echo(f"{asked} cases will be shown to one more moderator{why}")


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
