"""The HTTP server: the webhook, which takes updates, and /healthz and /metrics for the operator."""

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from bot.health import Health
from bot.inbox import BusyError, Inbox
from bot.metrics import Metrics
from bot.telegram import describe
from moderation.columns import HUGE
from moderation.settings import Settings

log = structlog.get_logger()

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
MAX_BYTES = 1024 * 1024  # an update has some kilobytes
READ_SECONDS = 15
RETRY_AFTER = {"Retry-After": "5"}
TELL_SECONDS = 60.0  # whoever knocks at the webhook must not fill the disk with log
CLOSE_SECONDS = 5.0  # for requests that are under way at the end


def _is_own(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


# aiohttp tells of each request that isn't HTTP, at length and with what it holds, secrets as well.
_LOGGER = logging.getLogger("bot.web")
_LOGGER.addFilter(_is_own)


class WebError(Exception):
    """A server that can't be started, or a webhook that Telegram refuses; why, in one line."""


class Web:
    """Answers HTTP requests of Telegram and of the operator."""

    def __init__(self, settings: Settings, inbox: Inbox, metrics: Metrics, health: Health) -> None:
        self._settings = settings
        self._inbox = inbox
        self._metrics = metrics
        self._health = health
        self._secret = settings.webhook_secret.get_secret_value().encode()
        self._told_at = -TELL_SECONDS

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer while the block lasts, in the end to those who have asked already; WebError if
        the address can't be had."""
        host, port = self._settings.http_host, self._settings.http_port
        runner = web.AppRunner(
            self._application(), access_log=None, logger=_LOGGER, shutdown_timeout=CLOSE_SECONDS
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            msg = f"HTTP_PORT: can't listen on {host}:{port}: {error.strerror or error}"
            raise WebError(msg) from error
        try:
            yield
        finally:
            await runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BYTES)
        app.router.add_get("/healthz", self._show_health)
        app.router.add_get("/metrics", self._show_metrics)
        if self._settings.webhook_url:
            app.router.add_post(urlsplit(self._settings.webhook_url).path or "/", self._receive)
        return app

    async def _receive(self, request: web.Request) -> web.Response:
        """Take an update: 200 once it is written. Whatever else is answered, Telegram delivers it
        again."""
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            return self._refuse("secret", 401)
        raw = await _update(request)
        if raw is None:
            return self._refuse("no update", 400)
        try:
            await self._inbox.accept([raw])
        except BusyError:
            return web.Response(status=503, headers=RETRY_AFTER)
        except (SQLAlchemyError, OSError) as error:
            log.warning("receiving failed", update=raw["update_id"], reason=describe(error))
            return web.Response(status=503, headers=RETRY_AFTER)
        return web.Response()

    def _refuse(self, reason: str, status: int) -> web.Response:
        self._metrics.refused.labels(reason).inc()
        if monotonic() - self._told_at >= TELL_SECONDS:
            self._told_at = monotonic()
            log.warning("webhook refused somebody", reason=reason)
        return web.Response(status=status)

    async def _show_health(self, request: web.Request) -> web.Response:
        found = await self._health.checks()
        well = all(check.ok for check in found.values())
        checks = {name: {"ok": check.ok} | check.more for name, check in found.items()}
        return web.json_response({"ok": well, "checks": checks}, status=200 if well else 503)

    async def _show_metrics(self, request: web.Request) -> web.Response:
        body = await self._metrics.shown()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _update(request: web.Request) -> dict[str, Any] | None:
    """The update that a request carries, None if it is none."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            raw = json.loads(await request.read())
    except (ValueError, RecursionError, OSError, web.RequestPayloadError):  # some: it was cut off
        return None
    number = raw.get("update_id") if isinstance(raw, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < HUGE:
        return None
    found: dict[str, Any] = raw
    return found
