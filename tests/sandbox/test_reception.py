import asyncio

import pytest

from sandbox import scene
from sandbox.reception import WEBHOOK_ACTIVE

URL = "http://127.0.0.1:9/hook"


async def test_a_webhook_is_set_once_and_deleted_once(client):
    assert await client.call("setWebhook", url=URL) == {
        "ok": True,
        "result": True,
        "description": "Webhook was set",
    }
    await asyncio.sleep(1)
    assert (await client.call("setWebhook", url=URL))["description"] == "Webhook is already set"
    assert (await client.call("deleteWebhook"))["description"] == "Webhook was deleted"
    assert (await client.call("setWebhook", url=""))["description"] == "Webhook is already deleted"


async def test_setting_a_webhook_twice_within_a_second_is_too_often(client):
    await client.call("setWebhook", url=URL)
    async with client.session.post(client.method_url("setWebhook"), json={"url": URL}) as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == "1"
        assert await response.json() == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 1",
            "parameters": {"retry_after": 1},
        }


async def test_polling_is_refused_while_a_webhook_is_set(client):
    await client.call("setWebhook", url=URL)

    answer = await client.call("getUpdates")

    assert (answer["error_code"], answer["description"]) == (409, f"Conflict: {WEBHOOK_ACTIVE}")


async def test_a_webhook_ends_the_waiting_poll(client):
    await client.updates()
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(client.call("getUpdates", offset=client.offset, timeout=30))
        await asyncio.sleep(0.05)
        await client.call("setWebhook", url=URL)
    assert poll.result()["description"] == "Conflict: terminated by setWebhook request"


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"url": "nonsense"}, "invalid webhook URL specified"),
        ({"url": "ftp://example.org"}, "invalid webhook URL specified"),
        ({"url": URL, "secret_token": "a" * 257}, "secret token is too long"),
        ({"url": URL, "secret_token": "a b"}, "secret token contains unallowed characters"),
    ],
)
async def test_a_bad_webhook_is_refused(client, params, description):
    assert await client.refusal("setWebhook", **params) == f"Bad Request: {description}"


async def test_the_webhook_tells_of_itself(client):
    assert await client.result("getWebhookInfo") == {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": 4,
    }
    kinds = ["message", "chat_member"]
    params = {"url": URL, "allowed_updates": kinds, "drop_pending_updates": True}
    await client.result("setWebhook", **params, max_connections=500)

    info = await client.result("getWebhookInfo")

    assert info["allowed_updates"] == sorted(kinds)
    assert info["pending_update_count"] == 0
    assert info["max_connections"] == 100


async def test_the_subscription_is_remembered_between_polls(client):
    await client.result("getUpdates", offset=-1, allowed_updates=["callback_query"])
    await client.write(scene.MEMBER_A_ID, "не для бота")

    assert await client.result("getUpdates", offset=2_000_000_000) == []
