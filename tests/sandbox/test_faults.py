import asyncio

import pytest
from aiohttp import ContentTypeError

from sandbox import scene
from sandbox.faults import KINDS, Chance, Fault, Faults

SEND = {"chat_id": scene.GROUP_ID, "text": "слова"}


async def count_messages(client):
    chats = (await client.show("state"))["chats"]
    messages = next(chat["messages"] for chat in chats if chat["id"] == scene.GROUP_ID)
    return sum(message.get("text") == "слова" for message in messages)


async def test_a_flood_limit_says_how_long_to_wait(client):
    await client.control("faults", method="sendMessage", kind="429", count=1, retry_after=7)

    async with client.session.post(client.method_url("sendMessage"), json=SEND) as response:
        answer = await response.json()
    assert (response.status, response.headers["Retry-After"]) == (429, "7")
    assert answer["parameters"] == {"retry_after": 7}
    assert await client.result("sendMessage", **SEND)


async def test_a_server_error_comes_as_often_as_planned(client):
    await client.control("faults", method="*", kind="500", count=2)

    for method in ("sendMessage", "getMe"):
        answer = await client.call(method, **SEND)
        assert answer["description"] == "Internal Server Error: restart"
    assert await client.result("getMe")
    assert await count_messages(client) == 0


async def test_a_bad_gateway_answers_with_a_page(client):
    await client.control("faults", method="sendMessage", kind="502html")

    async with client.session.post(client.method_url("sendMessage"), json=SEND) as response:
        assert response.status == 502
        with pytest.raises(ContentTypeError):
            await response.json()
        assert "<html>" in await response.text()


@pytest.mark.parametrize(("kind", "applied"), [("drop", 0), ("drop_after_apply", 1)])
async def test_a_dropped_connection_loses_the_call_or_only_its_answer(client, kind, applied):
    await client.control("faults", method="sendMessage", kind=kind)

    assert await client.cut_off("sendMessage", **SEND)
    assert await count_messages(client) == applied


async def test_a_delayed_call_is_applied_later(client):
    await client.control("faults", method="sendMessage", kind="delay", seconds=0.2)
    started = asyncio.get_running_loop().time()

    await client.result("sendMessage", **SEND)

    assert asyncio.get_running_loop().time() - started >= 0.2


async def test_planned_faults_can_be_taken_back(client):
    await client.control("faults", method="*", kind="500", count=9)
    async with client.session.delete(f"{client.sandbox.url}sandbox/faults") as response:
        assert response.status == 200

    assert await client.result("getMe")


async def test_a_fault_is_seen_in_the_journal(client):
    await client.control("faults", method="getMe", kind="500")
    await client.call("getMe")

    [call] = (await client.show("calls"))["calls"]

    assert (call["fault"], call["status"], call["ok"]) == ("500", 500, False)


def test_a_fault_waits_for_its_method():
    faults = Faults()
    faults.plan(Fault("sendmessage", "500"))

    assert faults.take("getMe") is None
    assert faults.take("SendMessage").kind == "500"
    assert faults.take("sendMessage") is None


async def test_faults_left_to_chance_end_when_they_are_taken_back(client):
    await client.control("faults", rate=1, kinds=["500"], method="sendMessage")

    for _ in range(3):
        assert not (await client.call("sendMessage", **SEND))["ok"]
    assert await client.result("getMe")
    async with client.session.delete(f"{client.sandbox.url}sandbox/faults"):
        assert await client.result("sendMessage", **SEND)


async def test_an_unknown_kind_is_not_left_to_chance(client):
    assert "kind is one of" in await client.impossible("faults", rate=0.5, kinds=["501"])


def test_chance_is_the_same_for_the_same_seed():
    def drawn(seed):
        chance = Chance(0.1, seed)
        found = [chance.draw("getMe") for _ in range(3000)]
        return [fault and fault.kind for fault in found]

    assert drawn(1) == drawn(1) != drawn(2)
    assert set(drawn(1)) == {None, *KINDS}
    assert 250 < sum(kind is not None for kind in drawn(1)) < 350


def test_what_is_planned_comes_before_what_falls():
    faults = Faults()
    faults.chance = Chance(1, kinds=["429"])
    faults.plan(Fault("getme", "500"))

    assert [faults.take("getMe").kind for _ in range(2)] == ["500", "429"]
