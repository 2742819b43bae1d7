"""The command line: python -m bot run, demo, doctor, health, check, and what operators do with the
database: backup, quarantine, forget, labels."""

import asyncio
import gc
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bot.labels_cli import cli as labels
from moderation import settings as settings_module
from moderation.settings import Settings, SettingsError

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
cli.add_typer(labels, name="labels")

QUARANTINED = 1000  # updates that are listed, the newest
HEALTH_SECONDS = 20  # more than its checks take together

# Each command imports what it needs: aiogram alone costs seconds.


@cli.command()
def run() -> None:
    """Moderate: receive updates until SIGTERM."""
    # Until the bot listens to it itself; process 1 of a container would hear nothing.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = _settings()
    # Before the libraries are loaded. Each worker of the batcher takes one core; threads of a
    # library's own wait actively for one another, and for whoever has the other core.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from aiogram.exceptions import TelegramNotFound, TelegramUnauthorizedError
    from aiogram.utils.token import TokenValidationError

    from bot import app, logs
    from bot.web import WebError
    from moderation.classifier import ModelError
    from moderation.database import DatabaseError

    logs.configure(settings.log_format)
    try:
        asyncio.run(app.run(settings))
        # The interpreter's last collection would look through all of PyTorch: seconds of a stop.
        gc.freeze()
    except TokenValidationError:
        _stop("BOT_TOKEN: empty or malformed; @BotFather gives one like 123456:AbC…")
    except TelegramUnauthorizedError:
        _stop("BOT_TOKEN: Telegram refuses this token; ask @BotFather for a new one")
    except TelegramNotFound:
        _stop("BOT_TOKEN or TELEGRAM_API_URL: nobody knows such a bot there")
    except (ModelError, DatabaseError, WebError) as error:
        _stop(str(error))


@cli.command()
def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the table.")] = False,
    trains: Annotated[
        bool, typer.Option("--retrain", help="Also learn from corrections: some minutes more.")
    ] = False,
) -> None:
    """Show everything at work, with a local Telegram: no token, no network."""
    from rich.console import Console

    from bot.demo import demonstrate

    console = Console(width=None if sys.stdout.isatty() else 140)
    try:
        raise SystemExit(asyncio.run(demonstrate(leave=leave, trains=trains, console=console)))
    except KeyboardInterrupt:
        raise SystemExit(0) from None


@cli.command()
def doctor() -> None:
    """Say what is well and what is not, and what to do about it."""
    settings = _settings()
    from stamina.instrumentation import set_on_retry_hooks

    from bot.doctor import examine

    set_on_retry_hooks([])  # its own lines say what doesn't answer

    async def tell() -> bool:
        well = True
        async for finding in examine(settings):
            print(("✅ " if finding.is_well else "❌ ") + finding.words)
            well = well and finding.is_well
        return well

    raise SystemExit(0 if asyncio.run(tell()) else 1)


@cli.command()
def health() -> None:
    """Ask the bot that runs on this machine whether it is well; needs HTTP_PORT."""
    settings = _settings()
    if not settings.http_port:
        _stop("HTTP_PORT: not set, so the bot can't be asked")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
    try:
        with opener.open(settings.health_url, timeout=HEALTH_SECONDS) as answer:
            found = answer.read()
    except urllib.error.HTTPError as error:
        found = error.read()
    except OSError as error:
        _stop(f"no answer at {settings.health_url}: {getattr(error, 'reason', error)}")
    try:
        checks = json.loads(found)["checks"]
        ill = [name for name, part in checks.items() if not part["ok"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        _stop(f"another program answers at {settings.health_url}")
    print(json.dumps(checks))
    raise SystemExit(1 if ill else 0)


@cli.command()
def check(
    text: Annotated[str, typer.Argument(help="What somebody might write.")],
    preset: Annotated[str, typer.Option(help="observe, soft, standard or strict.")] = "standard",
) -> None:
    """Draw the scores of a text as bars, with the thresholds marked."""
    from bot import card
    from bot.language import language
    from moderation import registry
    from moderation.classifier import ModelError, TorchClassifier, score_texts
    from moderation.policy import PRESETS, decide

    settings = _settings()
    if preset not in PRESETS:
        _stop(f"--preset: one of {', '.join(PRESETS)}")
    try:
        classifier = TorchClassifier(registry.champion(settings.models_dir), settings.device)
    except ModelError as error:
        _stop(str(error))
    scores = score_texts(classifier, [text])[0]
    words = language("ru")
    print(card.bars(words, scores, PRESETS[preset], cells=40, limits=True))
    print(card.decision(words, decide(scores, PRESETS[preset])))


@cli.command()
def backup(
    file: Annotated[Path, typer.Argument(help="A new file for the copy.")],
) -> None:
    """Copy the database, whole, while the bot goes on; DATABASE_URL may name the copy later."""
    settings = _settings()
    from moderation import backup as backups
    from moderation.database import DatabaseError

    try:
        size = backups.copy(settings.database_url, file)
    except DatabaseError as error:
        _stop(str(error))
    print(f"{file}: {size / 2**20:.1f} MB")


@cli.command()
def quarantine(
    again: Annotated[
        bool, typer.Option("--again", help="Have them handled when the bot starts next.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Give them up.")] = False,
) -> None:
    """List the updates that could not be handled, and why."""
    if again and drop:
        _stop("--again or --drop: not both")
    settings = _settings()
    from moderation import counts, database, store

    async def look() -> tuple[list[counts.Quarantined], int]:
        async with database.opened(settings.database_url) as sessions, sessions.begin() as session:
            found = await counts.quarantined(session, QUARANTINED)
            ended = await store.end_quarantine(session, again=again) if again or drop else 0
            return found, ended

    try:
        found, ended = asyncio.run(look())
    except database.DatabaseError as error:
        _stop(str(error))
    for each in found:
        print(f"{each.id}  {each.error or '—'}")
    if again or drop:
        print(f"{ended} to be handled when the bot starts next" if again else f"{ended} dropped")
    elif not found:
        print("nothing is set aside")


@cli.command(context_settings={"ignore_unknown_options": True})  # a channel's id is negative
def forget(
    user_id: Annotated[int, typer.Argument(min=1 - 2**63, max=2**63 - 1, help="Of Telegram.")],
) -> None:
    """Forget a person in all groups: words, names, reports; cards are changed too."""
    from aiogram.utils.token import TokenValidationError

    from bot import logs, privacy
    from bot.telegram import make_bot
    from moderation import database
    from moderation.privacy import Forgotten

    async def forget_person() -> tuple[Forgotten, privacy.Hidden]:
        try:
            bot = make_bot(settings)
        except TokenValidationError:
            bot = None
        try:
            async with database.opened(settings.database_url) as sessions:
                return await privacy.forget(bot, sessions, user_id)
        finally:
            if bot is not None:
                await bot.session.close()

    settings = _settings()
    logs.configure(settings.log_format)
    try:
        forgotten, hidden = asyncio.run(forget_person())
    except (ValueError, database.DatabaseError) as error:
        _stop(str(error))
    print(f"scores without author: {forgotten.messages}")
    print(f"cases without text and name: {forgotten.cases}, their labels: {forgotten.labels}")
    print(f"reports without name: {forgotten.reports}")
    if forgotten.strikes_until:
        until = f"until {forgotten.strikes_until:%Y-%m-%d}"
        print(f"strikes that still count and stay, the last {until}: {forgotten.strikes}")
    print(f"cards and quotes without text: {hidden.changed}, refused: {hidden.failed}")
    if hidden.left:
        reason = hidden.reason or "BOT_TOKEN: empty or malformed"
        print(f"not changed yet: {hidden.left} ({reason}); the running bot does it within the hour")


def _settings() -> Settings:
    try:
        return settings_module.load()
    except SettingsError as error:
        _stop(str(error))


def _stop(reason: str) -> NoReturn:
    print(f"bot: {reason}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    cli()
