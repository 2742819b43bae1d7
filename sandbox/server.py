"""The HTTP server: the Bot API, the control API and the page, on the loopback interface only."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from sandbox import control, methods, params, scene
from sandbox.answers import ApiError, failure, restarting, success
from sandbox.control import TELEGRAM
from sandbox.faults import Fault
from sandbox.params import Params
from sandbox.telegram import Telegram

log = logging.getLogger("sandbox")

PAGE = Path(__file__).with_name("page.html")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MAX_BODY_BYTES = 60 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0
BAD_GATEWAY = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body></body>\n</html>\n"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running server and the state behind it."""

    url: str
    token: str
    telegram: Telegram


@asynccontextmanager
async def serve(
    port: int = 0,
    token: str = scene.TOKEN,
    host: str = "127.0.0.1",
    *,
    empty: bool = False,
) -> AsyncIterator[Sandbox]:
    """Serve until the block ends; port 0 takes any free one."""
    if host not in LOOPBACK:
        msg = f"the sandbox is no production server: it serves {' or '.join(LOOPBACK)}, not {host}"
        raise ValueError(msg)
    telegram = Telegram(token)
    if not empty:
        scene.load(telegram)
    runner = web.AppRunner(_application(telegram), shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        address = f"[{host}]" if ":" in host else host
        yield Sandbox(f"http://{address}:{runner.addresses[0][1]}/", token, telegram)
    finally:
        await runner.cleanup()


def _application(telegram: Telegram) -> web.Application:
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app[TELEGRAM] = telegram
    app.add_routes(control.routes())
    app.router.add_get("/", _page)
    app.router.add_route("*", "/bot{token}/{method}", _bot_api)
    app.router.add_route("*", "/{rest:.*}", _not_found)
    app.on_shutdown.append(_close)
    return app


async def _close(app: web.Application) -> None:
    """Let go of those who wait: the page's event stream and a long poll."""
    app[TELEGRAM].journal.close()
    app[TELEGRAM].updates.interrupt(restarting())


async def _page(request: web.Request) -> web.Response:
    return web.Response(text=PAGE.read_text(encoding="utf-8"), content_type="text/html")


async def _not_found(request: web.Request) -> web.Response:
    return _answer(ApiError(404, "Not Found"))


async def _bot_api(request: web.Request) -> web.StreamResponse:
    telegram, method = request.app[TELEGRAM], request.match_info["method"]
    if error := _token_error(telegram, request.match_info["token"]):
        return _answer(error)
    try:
        given = await params.read(request)
    except ApiError as error:
        return _answer(error)
    except web.HTTPRequestEntityTooLarge:
        return _answer(ApiError(413, "Request Entity Too Large"))
    return await _call(request, telegram, method, given)


async def _call(
    request: web.Request, telegram: Telegram, method: str, given: Params
) -> web.StreamResponse:
    """One journalled call, with the fault planned for it."""
    call = telegram.journal.begin(method, given.shape())
    fault = telegram.faults.take(method)
    call.fault = fault.kind if fault else None
    outcome = await _outcome(telegram, method, given, fault)
    call.status = outcome.code if isinstance(outcome, ApiError) else 200
    call.ok = call.status == 200
    call.description = outcome.description if isinstance(outcome, ApiError) else None
    telegram.journal.tell("call", call=call.shape())
    if fault and fault.kind in ("drop", "drop_after_apply") and request.transport:
        request.transport.close()
    if fault and fault.kind == "502html":
        return web.Response(status=502, text=BAD_GATEWAY, content_type="text/html")
    return _answer(outcome)


async def _outcome(telegram: Telegram, method: str, given: Params, fault: Fault | None) -> object:
    if fault and fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    if fault and fault.kind in ("drop", "502html"):
        return ApiError(502, "Bad Gateway")
    if fault and (error := fault.error()):
        return error
    try:
        return await methods.call(telegram, method, given)
    except ApiError as error:
        if error.code == 404:
            log.warning("the sandbox has no method %s", method)
        return error


def _token_error(telegram: Telegram, token: str) -> ApiError | None:
    digits, colon, _ = token.partition(":")
    if not colon or not digits.isdecimal() or token.startswith("0") or len(token) > 80:
        return ApiError(401, "Unauthorized: invalid token specified")
    return None if token == telegram.token else ApiError(401, "Unauthorized")


def _answer(outcome: object) -> web.Response:
    if not isinstance(outcome, ApiError):
        return web.json_response(success(outcome))
    headers = {}
    if "retry_after" in outcome.parameters:
        headers["Retry-After"] = str(outcome.parameters["retry_after"])
    return web.json_response(failure(outcome), status=outcome.code, headers=headers)
