"""Tells Telegram how the bot receives updates: by a webhook, or by asking for them."""

import asyncio

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramUnauthorizedError

from bot.telegram import ALLOWED_UPDATES, describe, reason_of
from bot.web import WebError
from moderation.settings import Settings

log = structlog.get_logger()

CONNECTIONS = 40  # at once; Telegram delivers the updates of one chat one after another
RETRY_SECONDS = 5


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


async def _set(bot: Bot, settings: Settings) -> None:
    await bot.set_webhook(
        settings.webhook_url,
        secret_token=settings.webhook_secret.get_secret_value(),
        allowed_updates=ALLOWED_UPDATES,
        max_connections=CONNECTIONS,
        drop_pending_updates=False,
    )
    log.info("webhook set")
