"""The HTTP server: the Bot API, the control API and the page, on the loopback interface only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox import calls, control, media, params, scene
from sandbox.answers import ApiError, failure, restarting, success
from sandbox.control import TELEGRAM
from sandbox.delivery import Delivery
from sandbox.telegram import Telegram

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


@contextlib.asynccontextmanager
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
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_only_from_here])
    app[TELEGRAM] = telegram
    app.add_routes(control.routes())
    app.router.add_get("/", _page)
    app.router.add_route("*", "/bot{token}/{method}", _bot_api)
    app.router.add_get("/file/bot{token}/{path:.+}", _file)
    app.router.add_route("*", "/{rest:.*}", _not_found)
    app.on_shutdown.append(_close)
    app.cleanup_ctx.append(_deliveries)
    return app


@web.middleware
async def _only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nothing for the pages of others that are open in the same browser: neither under a name that
    they let point here (DNS rebinding) nor by their forms and scripts."""
    addresses = [f"//{request.host}", *request.headers.getall("Origin", [])]
    if not all(_is_loopback(address) for address in addresses):
        return _answer(ApiError(403, "Forbidden: the sandbox answers its own machine only"))
    return await handler(request)


def _is_loopback(address: str) -> bool:
    try:
        return urlsplit(address).hostname in LOOPBACK
    except ValueError:
        return False


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
        return _answer(calls.refuse(telegram, method, error))
    except web.HTTPRequestEntityTooLarge:
        return _answer(ApiError(413, "Request Entity Too Large"))
    outcome, fault = await calls.perform(telegram, method, given)
    if fault and fault.closes_connection and request.transport:
        request.transport.close()
    if fault and fault.kind == "502html":
        return web.Response(status=502, text=BAD_GATEWAY, content_type="text/html")
    return _answer(outcome)


async def _file(request: web.Request) -> web.Response:
    """What getFile has named the path of."""
    telegram = request.app[TELEGRAM]
    if error := _token_error(telegram, request.match_info["token"]):
        return _answer(error)
    file = media.at_path(telegram, request.match_info["path"])
    if file is None:
        return _answer(ApiError(404, "Not Found"))
    return web.Response(body=file.content, content_type="application/octet-stream")


async def _deliveries(app: web.Application) -> AsyncIterator[None]:
    # This task lives and dies with the application, as aiohttp's own do.
    loop = asyncio.get_running_loop()
    task = loop.create_task(Delivery(app[TELEGRAM]).run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


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
