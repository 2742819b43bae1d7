"""Tells Telegram how the bot receives updates: by a webhook, or by asking for them."""

import asyncio
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
LOOK_SECONDS = 300


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


async def keep(bot: Bot, settings: Settings) -> None:
    """Set the webhook, and set it again whenever another program has taken it: without it the bot
    hears nothing. Runs until cancelled; WebError if Telegram refuses the address at first."""
    await agree(bot, settings)
    ours = None
    while True:
        found = await _address(bot)
        if not ours:
            ours = found
        elif found is not None and found != ours:
            log.warning("webhook was taken", host=host(found))
            await _set_again(bot, settings)
        await asyncio.sleep(LOOK_SECONDS if ours else RETRY_SECONDS)


async def _set_again(bot: Bot, settings: Settings) -> None:
    try:
        await agree(bot, settings)
    except WebError as error:
        log.warning("webhook not set again", reason=str(error))
        return
    said = of_person(None).plain("operators.webhook_taken")
    await tell(bot, settings.operator_ids, said)


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
