"""Tells Telegram how the bot receives updates: by a webhook, or by asking for them."""

import asyncio
from contextlib import suppress
from time import monotonic
from urllib.parse import urlsplit

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramUnauthorizedError

from bot.language import of_person
from bot.telegram import ALLOWED_UPDATES, describe, reason_of
from bot.watch import tell
from bot.web import WebError
from moderation.settings import Settings

log = structlog.get_logger()

CONNECTIONS = 40  # at once; Telegram delivers the updates of one chat one after another
RETRY_SECONDS = 5
LOOK_SECONDS = 300.0
TOLD_SECONDS = 3600.0  # two programs can take it from one another for ever


async def agree(bot: Bot, settings: Settings) -> None:
    """Set the webhook, or take one away that is set: what waits at Telegram stays there. Waits
    until Telegram answers; WebError if it refuses the address."""
    while True:
        try:
            if settings.webhook_url:
                await _set(bot, settings)
            elif (await bot.get_webhook_info()).url:
                await bot.delete_webhook(drop_pending_updates=False)
                log.info("webhook deleted")
            return
        except TelegramUnauthorizedError:
            raise
        except TelegramBadRequest as error:
            msg = f"WEBHOOK_URL: Telegram refuses it: {reason_of(error)}"
            raise WebError(msg) from error
        except AiogramError as error:
            log.warning("Telegram doesn't answer", reason=describe(error))
            await asyncio.sleep(RETRY_SECONDS)


async def keep(bot: Bot, settings: Settings, stop: asyncio.Event) -> None:
    """Set the webhook, and set it again whenever another program has taken it: without it the bot
    hears nothing. Runs until `stop`; WebError if Telegram refuses the address at first."""
    await agree(bot, settings)
    ours, told_at = None, -TOLD_SECONDS
    while not stop.is_set():
        found = await _address(bot)
        if ours is None and found and _is_same(found, settings.webhook_url):
            ours = found
        elif found is not None and found != ours:
            log.warning("webhook was taken", host=host(found))
            if await _is_set_again(bot, settings) and monotonic() - told_at >= TOLD_SECONDS:
                told_at = monotonic()
                said = of_person(None).plain("operators.webhook_taken")
                await tell(bot, settings.operator_ids, said)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)


def _is_same(found: str, wanted: str) -> bool:
    """Whether it is the address that was set; of one in other letters Telegram has a spelling of
    its own."""
    return found == wanted or not wanted.isascii()


async def _is_set_again(bot: Bot, settings: Settings) -> bool:
    try:
        await agree(bot, settings)
    except WebError as error:
        log.warning("webhook not set again", reason=str(error))
        return False
    return True


async def _address(bot: Bot) -> str | None:
    """Where Telegram sends updates, as it spells it; None if it doesn't answer."""
    try:
        return (await bot.get_webhook_info()).url
    except TelegramUnauthorizedError:
        raise
    except AiogramError as error:
        log.warning("Telegram doesn't answer", reason=describe(error))
        return None


def host(url: str) -> str:
    """Host and port, without the name and password that can stand before them."""
    return urlsplit(url).netloc.rpartition("@")[2]


async def _set(bot: Bot, settings: Settings) -> None:
    await bot.set_webhook(
        settings.webhook_url,
        secret_token=settings.webhook_secret.get_secret_value(),
        allowed_updates=ALLOWED_UPDATES,
        max_connections=CONNECTIONS,
        drop_pending_updates=False,
    )
    log.info("webhook set")
