"""What is well and what is not, one line each, with what to do."""

import asyncio
from collections.abc import AsyncIterator

from bot import doctor_machine, doctor_telegram
from bot.finding import Finding, ill
from moderation import database
from moderation.database import DatabaseError, Sessions
from moderation.settings import Settings


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Everything the bot needs, in the order in which it needs it. Changes nothing, and may be
    asked while the bot runs."""
    yield await asyncio.to_thread(doctor_machine.model, settings)
    for finding in doctor_machine.disks(settings):
        yield finding
    try:
        async with database.opened(settings.database_url) as sessions:
            async for finding in _stored(settings, sessions):
                yield finding
    except DatabaseError as error:
        yield ill("doctor.database_failed", error=error)
        async for finding in doctor_telegram.findings(settings, None):
            yield finding


async def _stored(settings: Settings, sessions: Sessions) -> AsyncIterator[Finding]:
    async for finding in doctor_machine.stored(settings, sessions):
        yield finding
    async for finding in doctor_telegram.findings(settings, sessions):
        yield finding
