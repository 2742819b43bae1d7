"""The command line: python -m bot run | demo | doctor | check."""

import asyncio
import sys
from typing import Annotated, NoReturn

import typer

from moderation import settings as settings_module
from moderation.settings import Settings, SettingsError

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

# Each command imports what it needs: aiogram alone costs seconds.


@cli.command()
def run() -> None:
    """Moderate: receive updates until SIGTERM."""
    from aiogram.exceptions import TelegramUnauthorizedError
    from aiogram.utils.token import TokenValidationError

    from bot import app
    from moderation.classifier import ModelError
    from moderation.database import DatabaseError

    settings = _settings()
    app.configure_log(settings.log_format)
    try:
        asyncio.run(app.run(settings))
    except TokenValidationError:
        _stop("BOT_TOKEN: empty or malformed; @BotFather gives one like 123456:AbC…")
    except TelegramUnauthorizedError:
        _stop("BOT_TOKEN: Telegram refuses this token; ask @BotFather for a new one")
    except (ModelError, DatabaseError) as error:
        _stop(str(error))


@cli.command()
def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the table.")] = False,
) -> None:
    """Show everything at work, with a local Telegram: no token, no network."""
    from rich.console import Console

    from bot.demo import demonstrate

    console = Console(width=None if sys.stdout.isatty() else 140)
    try:
        raise SystemExit(asyncio.run(demonstrate(leave=leave, console=console)))
    except KeyboardInterrupt:
        raise SystemExit(0) from None


@cli.command()
def doctor() -> None:
    """Say what is well and what is not, and what to do about it."""
    from bot.doctor import examine

    async def tell() -> bool:
        well = True
        async for finding in examine(settings):
            print(("✅ " if finding.is_well else "❌ ") + finding.words)
            well = well and finding.is_well
        return well

    settings = _settings()
    raise SystemExit(0 if asyncio.run(tell()) else 1)


@cli.command()
def check(
    text: Annotated[str, typer.Argument(help="What somebody might write.")],
    preset: Annotated[str, typer.Option(help="observe, soft, standard or strict.")] = "standard",
) -> None:
    """Draw the scores of a text as bars, with the thresholds marked."""
    from bot import texts
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
    print(texts.bars(scores, PRESETS[preset], cells=40, limits=True))
    print(texts.decision(decide(scores, PRESETS[preset])))


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
