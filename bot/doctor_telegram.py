"""The doctor's look at Telegram: token, clock, how updates come, the rights in each group."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import time
from typing import TypeVar

import aiohttp
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramNotFound, TelegramUnauthorizedError
from aiogram.types import User, WebhookInfo
from aiogram.utils.token import TokenValidationError
from babel.lists import format_list
from sqlalchemy.exc import SQLAlchemyError

from bot.finding import Finding, counted, ill, said, well
from bot.language import language
from bot.members import NEEDED_RIGHTS, Members, rights_of
from bot.refusals import in_words
from bot.telegram import make_bot, reason_of
from bot.webhook import host
from moderation import store
from moderation.columns import now
from moderation.database import Sessions
from moderation.settings import Settings
from moderation.tables import Chat

CALL_SECONDS = 15  # the bot itself is more patient
SKEW_SECONDS = 30  # Telegram takes a mute that ends sooner than that for an endless one
MANY = 100  # updates that wait at Telegram
LATELY = timedelta(minutes=10)
Answer = TypeVar("Answer")


async def findings(settings: Settings, sessions: Sessions | None) -> AsyncIterator[Finding]:
    """All that Telegram, and the bot that runs, say of themselves."""
    try:
        bot = make_bot(settings)
    except TokenValidationError:
        yield ill("doctor.token_malformed")
        return
    try:
        me = await _in_time(bot.me())
        yield well("doctor.token", name=me.username)
        for finding in await _clock(settings):
            yield finding
        yield _receipt(settings, await _in_time(bot.get_webhook_info()))
        for finding in await _running(settings):
            yield finding
        if sessions is not None:
            async for finding in _chats(bot, me, sessions):
                yield finding
    except (TelegramUnauthorizedError, TelegramNotFound):  # the latter: it is too short, say
        yield ill("doctor.token_refused")
    except AiogramError as error:
        yield ill("doctor.telegram", error=reason_of(error))
    except TimeoutError:
        yield ill("doctor.telegram_silent", seconds=CALL_SECONDS)
    finally:
        await bot.session.close()


async def _in_time(call: Awaitable[Answer]) -> Answer:
    async with asyncio.timeout(CALL_SECONDS):
        return await call


async def _clock(settings: Settings) -> list[Finding]:
    """This machine's clock beside the server's; nothing if the server doesn't tell its own."""
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    began = time()
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.head(settings.telegram_api_url, allow_redirects=False) as answer,
        ):
            theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return []
    skew = round((began + time()) / 2 - theirs)
    if abs(skew) <= SKEW_SECONDS:
        return [well("doctor.clock")]
    return [ill("doctor.clock_fast" if skew > 0 else "doctor.clock_slow", seconds=abs(skew))]


def _receipt(settings: Settings, found: WebhookInfo) -> Finding:
    """Whether updates come the way they should."""
    pending, ours = found.pending_update_count, host(settings.webhook_url)
    if found.url != settings.webhook_url:
        if not settings.webhook_url:
            return ill("doctor.webhook_unasked", host=host(found.url))
        return ill("doctor.webhook_other" if found.url else "doctor.webhook_unset", host=ours)
    if found.last_error_date and _is_lately(found.last_error_date):
        return ill("doctor.webhook_failing", host=ours, error=found.last_error_message)
    if pending > MANY:
        return Finding(False, counted("doctor.pending", pending))
    if settings.webhook_url:
        return Finding(True, counted("doctor.webhook", pending, host=ours))
    return Finding(True, counted("doctor.polling", pending))


def _is_lately(moment: datetime) -> bool:
    return now() - moment.astimezone(UTC) < LATELY


async def _running(settings: Settings) -> list[Finding]:
    """What the running bot says of itself, if it can be asked."""
    if not settings.http_port:
        return []
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(settings.health_url) as answer,
        ):
            checks = (await answer.json())["checks"]
            failed = {name: check for name, check in checks.items() if not check["ok"]}
    except aiohttp.ClientConnectorError:
        return [well("doctor.bot_away", port=settings.http_port)]
    except TimeoutError:
        return [ill("doctor.bot_silent", port=settings.http_port, seconds=CALL_SECONDS)]
    except (aiohttp.ClientError, ValueError, KeyError, TypeError, AttributeError):
        return [ill("doctor.bot_foreign", port=settings.http_port)]
    return [
        ill("doctor.bot_ill", part=said(f"doctor.part.{name}"), why=_why(check))
        for name, check in failed.items()
    ] or [well("doctor.bot")]


def _why(check: dict[str, object]) -> str:
    return f" ({check['error']})" if check.get("error") else ""


async def _chats(bot: Bot, me: User, sessions: Sessions) -> AsyncIterator[Finding]:
    try:
        async with sessions() as session:
            chats = await store.chats(session)
    except (SQLAlchemyError, OSError):
        return  # said of the database already
    modchats = {chat.modchat_id for chat in chats if chat.modchat_id != chat.id}
    groups = [chat for chat in chats if chat.id not in modchats]
    sees_all = bool(me.can_read_all_group_messages)
    if not groups:
        yield well("doctor.no_groups" if sees_all else "doctor.no_groups_private", name=me.username)
    members = Members(bot)
    for chat in groups:
        yield await _chat(bot, members, chat, sees_all=sees_all)


async def _chat(bot: Bot, members: Members, chat: Chat, *, sees_all: bool) -> Finding:
    try:
        member = await _in_time(members.member(chat.id, bot.id))
    except AiogramError as error:
        return ill("doctor.group_error", title=chat.title, error=reason_of(error))
    rights = rights_of(member)
    if rights is None:
        return ill("doctor.group_left", title=chat.title)
    if not sees_all and member.get("status") not in ("administrator", "creator"):
        return ill("doctor.group_private", title=chat.title)
    missing = [said(f"right.{right}") for right in NEEDED_RIGHTS if right not in rights]
    if missing:
        both = format_list(missing, locale="ru")
        return ill("doctor.group_rights", title=chat.title, missing=both)
    if chat.card_error:
        return ill("doctor.group_cards", title=chat.title, error=_card_error(chat.card_error))
    return well("doctor.group", title=chat.title)


def _card_error(error: str) -> str:
    return said("status.nobody") if error == "nobody" else in_words(language("ru"), error)
