"""A server that answers calls of the Bot API as a test wants, over HTTP."""

import contextlib
from dataclasses import dataclass, field

from aiohttp import web

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_"
ME = {
    "id": 123456789, "is_bot": True, "first_name": "Б", "username": "a_bot",
    "can_read_all_group_messages": True,
}  # fmt: skip
NO_WEBHOOK = {"url": "", "has_custom_certificate": False, "pending_update_count": 0}


@dataclass
class Telegram:
    """What it answers to which method: a result, or the code of an error; and what it was asked."""

    url: str = ""
    answers: dict = field(default_factory=lambda: {"getMe": ME, "getWebhookInfo": NO_WEBHOOK})
    asked: list = field(default_factory=list)
    date: str | None = None

    async def answer(self, request):
        headers = {"Date": self.date} if self.date else {}
        method = request.match_info.get("method")
        if method is None:
            return web.Response(headers=headers)
        self.asked.append((method, dict(await request.post())))
        found = self.answers.get(method, True)
        if callable(found):
            found = found()
        if isinstance(found, int) and found is not True:
            body = {"ok": False, "error_code": found, "description": f"Bad Request: said {found}"}
            return web.json_response(body, status=found, headers=headers)
        return web.json_response({"ok": True, "result": found}, headers=headers)


@contextlib.asynccontextmanager
async def telegram():
    found = Telegram()
    app = web.Application()
    app.router.add_route("*", "/", found.answer)
    app.router.add_post("/bot{token}/{method}", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()
