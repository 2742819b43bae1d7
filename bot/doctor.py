"""What is well and what is not, one line each, with what to do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from bot import doctor_machine, doctor_telegram
from bot.finding import Finding, ill, well
from bot.telegram import reason_of
from moderation import database
from moderation.database import DatabaseError, OldTablesError
from moderation.settings import Settings


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Everything the bot needs, in the order in which it needs it. Changes nothing: it may be asked
    while the bot runs, even an older one."""
    yield await asyncio.to_thread(doctor_machine.model, settings)
    for finding in doctor_machine.disks(settings):
        yield finding
    async with AsyncExitStack() as stack:
        sessions = None
        try:
            opened = database.opened(settings.database_url, upgrades=False)
            sessions = await stack.enter_async_context(opened)
        except OldTablesError as error:
            yield well("doctor.database_empty" if error.is_empty else "doctor.database_old")
        except DatabaseError as error:
            yield ill("doctor.database_failed", error=error)
        except Exception as error:  # of an odd address; its words can hold a part of the password
            yield ill("doctor.database_failed", error=reason_of(error))
        if sessions is not None:
            async for finding in doctor_machine.stored(settings, sessions):
                yield finding
        async for finding in doctor_telegram.findings(settings, sessions):
            yield finding
