import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import MultipartWriter, web

from sandbox import scene

SECRET = "s3cret_-"


class Hook:
    """A webhook that answers as told and remembers what came."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.changed = asyncio.Event()
        self.url = ""

    async def handle(self, request):
        self.requests.append((dict(request.headers), await request.json()))
        self.changed.set()
        answer = self.answers.pop(0) if self.answers else web.Response()
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return web.Response()
        return answer

    async def wait_for(self, count):
        async with asyncio.timeout(5):
            while len(self.requests) < count:
                self.changed.clear()
                await self.changed.wait()
        return [body for _, body in self.requests]


@asynccontextmanager
async def hook_server():
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield hook
    await runner.cleanup()


@pytest.fixture
async def hook():
    async with hook_server() as hook:
        yield hook


async def set_hook(client, hook, **params):
    await client.result("setWebhook", url=hook.url, drop_pending_updates=True, **params)


async def test_updates_come_with_the_secret(client, hook):
    await set_hook(client, hook, secret_token=SECRET)
    await client.write(scene.MEMBER_A_ID, "слова \ud800")

    [update] = await hook.wait_for(1)

    headers = hook.requests[0][0]
    assert headers["X-Telegram-Bot-Api-Secret-Token"] == SECRET
    assert headers["Content-Type"] == "application/json"
    assert update["message"]["text"] == "слова \ud800"


async def test_what_waited_for_a_webhook_is_delivered(client, hook):
    await client.result("setWebhook", url=hook.url)

    updates = await hook.wait_for(4)

    assert len({update["update_id"] for update in updates}) == 4
    assert (await client.show("state"))["queue_length"] == 0


async def test_a_refused_update_comes_again_at_once_and_then_later(client, hook):
    hook.answers = [web.Response(status=500), web.Response(status=503)]
    await set_hook(client, hook)
    await client.write(scene.MEMBER_A_ID, "слова")
    await hook.wait_for(2)
    info = await client.result("getWebhookInfo")
    assert "Wrong response from the webhook" in info["last_error_message"]
    await asyncio.sleep(0.05)
    assert len(hook.requests) == 2

    await client.control("clock", advance=3)

    updates = await hook.wait_for(3)
    assert len({update["update_id"] for update in updates}) == 1


async def test_retry_after_is_obeyed(client, hook):
    hook.answers = [web.Response(status=429, headers={"Retry-After": "50"})]
    await set_hook(client, hook)
    await client.write(scene.MEMBER_A_ID, "слова")
    await hook.wait_for(1)
    await client.control("clock", advance=40)
    await asyncio.sleep(0.05)
    assert len(hook.requests) == 1

    await client.control("clock", advance=20)

    assert await hook.wait_for(2)


async def test_a_chat_is_served_in_order_and_does_not_hold_up_another(client, hook):
    release = asyncio.Event()
    hook.answers = [release]
    await set_hook(client, hook)
    await client.write(scene.MEMBER_A_ID, "раз")
    await client.write(scene.MEMBER_A_ID, "два")
    await hook.wait_for(1)
    await client.write(scene.MODERATOR_ID, "рядом", scene.MODERATORS_ID)
    await hook.wait_for(2)
    await asyncio.sleep(0.05)
    assert [body["message"]["text"] for _, body in hook.requests] == ["раз", "рядом"]

    release.set()

    updates = await hook.wait_for(3)
    assert updates[2]["message"]["text"] == "два"


def in_json(parts):
    return web.json_response(parts)


def in_multipart(parts):
    """As aiogram answers."""
    writer = MultipartWriter("form-data")
    for name, value in parts.items():
        writer.append(value).set_content_disposition("form-data", name=name)
    return web.Response(body=writer)


@pytest.mark.parametrize("answer", [in_json, in_multipart])
async def test_an_answer_may_carry_a_call(client, hook, answer):
    parts = {"method": "sendMessage", "chat_id": str(scene.GROUP_ID), "text": "в ответ"}
    hook.answers = [answer(parts)]
    await set_hook(client, hook)
    await client.write(scene.MEMBER_A_ID, "слова")
    await hook.wait_for(1)

    async with asyncio.timeout(5):
        while not (calls := (await client.show("calls?method=sendMessage"))["calls"]):
            await asyncio.sleep(0.01)
    assert calls[0]["params"]["text"] == "в ответ"


async def test_a_broken_answer_does_not_stop_the_delivery(client, hook):
    hook.answers = [web.Response(text="{", content_type="application/json")]
    await set_hook(client, hook)
    await client.write(scene.MEMBER_A_ID, "раз")
    await client.write(scene.MEMBER_A_ID, "два")

    assert len(await hook.wait_for(2)) == 2


async def test_deleting_the_webhook_leaves_the_rest_for_polling(client, hook):
    hook.answers = [web.Response(status=500)] * 2
    await set_hook(client, hook)
    await client.write(scene.MEMBER_A_ID, "слова")
    await hook.wait_for(2)
    await client.result("deleteWebhook")
    await client.control("clock", advance=10)

    [update] = await client.updates()

    assert update["message"]["text"] == "слова"
    assert json.dumps(update) == json.dumps(hook.requests[0][1])


async def test_a_delivered_update_can_come_again(client, hook):
    await set_hook(client, hook)
    await client.write(scene.MEMBER_A_ID, "слова")
    [update] = await hook.wait_for(1)
    async with asyncio.timeout(5):
        while (await client.show("state"))["queue_length"]:
            await asyncio.sleep(0.01)

    await client.control("redeliveries", count=1)

    assert await hook.wait_for(2) == [update, update]
