"""One call of the bot from end to end: journalled, with the fault planned for it."""

import asyncio
import logging

from sandbox import methods
from sandbox.answers import ApiError
from sandbox.faults import Fault
from sandbox.params import Params
from sandbox.telegram import Telegram

log = logging.getLogger("sandbox")


async def perform(telegram: Telegram, method: str, params: Params) -> tuple[object, Fault | None]:
    """The result or the ApiError, and the fault that happened on the way."""
    call = telegram.journal.begin(method, params.shape())
    fault = telegram.faults.take(method)
    call.fault = fault.kind if fault else None
    outcome = await _outcome(telegram, method, params, fault)
    telegram.journal.finish(call, outcome)
    return outcome, fault


def refuse(telegram: Telegram, method: str, reason: ApiError) -> ApiError:
    """A call whose parameters could not be read."""
    telegram.journal.finish(telegram.journal.begin(method, {}), reason)
    return reason


async def _outcome(telegram: Telegram, method: str, params: Params, fault: Fault | None) -> object:
    if fault and fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    if fault and (error := fault.error()):
        return error
    try:
        return await methods.call(telegram, method, params)
    except ApiError as error:
        if error.code == 404:
            log.warning("the sandbox has no method %s", method)
        return error
    except Exception:
        # Nothing that a call carries may stop the sandbox: the bot gets an answer, we a traceback.
        log.exception("the sandbox failed in %s", method)
        return ApiError(500, "Internal Server Error: the sandbox failed")
