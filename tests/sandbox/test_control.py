import asyncio
import json

import pytest

from sandbox import scene
from sandbox.members import PERMISSIONS

GROUP = {"chat_id": scene.GROUP_ID}


async def test_a_user_gets_an_identifier_and_can_be_changed(client):
    user = (await client.control("users", first_name="Новенькая"))["user"]
    again = (await client.control("users", id=user["id"], username="new"))["user"]

    assert again == user | {"username": "new"}


async def test_a_chat_gets_an_identifier_and_its_members(client):
    members = [
        {"user_id": scene.OWNER_ID, "status": "creator"},
        {"user_id": scene.BOT_ID, "status": "administrator", "can_delete_messages": True},
    ]
    body = {"type": "supergroup", "title": "Двор", "is_forum": True, "topics": [5]}

    chat = (await client.control("chats", **body, members=members))["chat"]

    assert [member["status"] for member in chat["members"]] == ["creator", "administrator"]
    assert (await client.result("getChat", chat_id=chat["id"]))["is_forum"] is True
    assert await client.result("sendMessage", chat_id=chat["id"], text="а", message_thread_id=5)


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("users", {}, "first_name is missing"),
        ("users", {"first_name": "а", "age": 5}, "unknown fields: age"),
        ("chats", {"type": "club"}, "type is one of private, group, supergroup, channel"),
        ("chats", {"type": "private", "id": 424242}, "there is no user 424242"),
        ("messages", {"user_id": 1}, "chat_id is missing"),
        ("messages", {"chat_id": -5, "user_id": 1}, "there is no chat -5"),
        ("messages", {"chat_id": "сосед", "user_id": 1}, "invalid literal"),
        ("edits", {**GROUP, "text": "а"}, "message_id is missing"),
        ("presses", {**GROUP, "message_id": 99, "user_id": 1, "data": "a"}, "there is no such"),
        ("faults", {"kind": "flood"}, "kind is one of 429"),
        ("updates", {}, "update is missing"),
        ("clock", {}, "advance is missing"),
        ("features", {"stories": False}, "unknown features: stories"),
    ],
)
async def test_a_bad_request_is_refused_with_the_reason(client, path, body, reason):
    assert (await client.impossible(path, **body)).startswith(reason)


async def test_a_body_that_is_no_json_is_refused(client):
    async with client.session.post(f"{client.sandbox.url}sandbox/users", data="{") as response:
        assert response.status == 400
        assert "error" in await response.json()


async def test_a_raw_update_gets_the_next_identifier(client):
    [last] = (await client.updates())[-1:]
    await client.control("updates", update={"message": {"nonsense": True}})

    [update] = await client.updates()

    assert update == {"update_id": last["update_id"] + 1, "message": {"nonsense": True}}


async def test_duplicates_come_again_after_they_were_confirmed(client):
    await client.write(scene.MEMBER_A_ID, "слова")
    [*_, update] = await client.updates()
    await client.updates()

    assert await client.control("redeliveries", count=1) == {"redelivered": 1}

    client.offset += 1
    assert await client.updates() == [update]


async def test_the_state_of_one_chat_is_told_alone(client):
    message = await client.write(scene.MEMBER_A_ID, "слова")

    url = f"{client.sandbox.url}sandbox/state?chat_id={scene.GROUP_ID}"
    async with client.session.get(url) as response:
        [chat] = (await response.json())["chats"]

    assert chat["id"] == scene.GROUP_ID
    assert chat["messages"][-1]["message_id"] == message["message_id"]


async def test_chats_are_mixed_on_demand(client):
    await client.updates()
    for _ in range(3):
        await client.write(scene.MEMBER_A_ID, "слова")

    assert await client.control("reorderings", seed=3) == {"reordered": 3}


async def test_the_state_tells_everything(client):
    await client.write(scene.MEMBER_A_ID, "слова")
    until_date = client.now + 3600
    params = {**GROUP, "user_id": scene.MEMBER_B_ID, "until_date": until_date}
    await client.result("restrictChatMember", **params, permissions={"can_send_polls": True})

    state = await client.show("state")

    group = next(chat for chat in state["chats"] if chat["id"] == scene.GROUP_ID)
    member = next(one for one in group["members"] if one["user_id"] == scene.MEMBER_B_ID)
    assert (member["status"], member["until_date"]) == ("restricted", until_date)
    assert member["permissions"]["can_send_messages"] is True
    assert member["permissions"]["can_send_photos"] is False
    assert group["messages"][-1]["text"] == "слова"
    assert group["messages"][-1]["edit_count"] == 0
    assert state["queue_length"] == 5
    assert state["confirmed_offset"] == 0
    assert len(state["users"]) == 7


@pytest.mark.parametrize("granted", [(), ("can_send_messages", "can_send_photos"), PERMISSIONS])
async def test_a_restriction_is_exactly_what_was_given(client, granted):
    standing = {
        "status": "restricted",
        "permissions": {name: name in granted for name in granted or PERMISSIONS},
        "until_date": client.now + 40,
        "is_member": True,
    }
    await client.control("members", **GROUP, user_id=scene.MEMBER_A_ID, **standing)

    member = await client.member(scene.MEMBER_A_ID)

    assert {name for name in PERMISSIONS if member[name]} == set(granted)
    assert (member["status"], member["until_date"]) == ("restricted", standing["until_date"])
    assert member["is_member"] is True
    await client.control("clock", advance=41)
    assert (await client.member(scene.MEMBER_A_ID))["status"] == "member"


async def test_calls_are_listed_in_order_without_the_token(client):
    await client.result("getMe")
    await client.call("deleteMessage", **GROUP, message_id=99)
    await client.result("sendMessage", **GROUP, text="слова")

    calls = (await client.show("calls"))["calls"]
    [deletion] = (await client.show("calls?method=deletemessage"))["calls"]

    assert [(call["n"], call["method"], call["ok"]) for call in calls] == [
        (1, "getMe", True),
        (2, "deleteMessage", False),
        (3, "sendMessage", True),
    ]
    assert deletion["description"] == "Bad Request: message to delete not found"
    assert deletion["params"] == {"chat_id": str(scene.GROUP_ID), "message_id": "99"}
    assert client.sandbox.token not in json.dumps(calls)


async def test_events_are_told_as_they_happen(client):
    events = []
    async with client.session.get(f"{client.sandbox.url}sandbox/events") as response:
        assert response.content_type == "text/event-stream"
        await response.content.readline()
        await client.write(scene.MEMBER_A_ID, "слова")
        await client.call("getMe")
        await client.result("banChatMember", **GROUP, user_id=scene.MEMBER_A_ID)
        async with asyncio.timeout(5):
            while len(events) < 5:
                line = await response.content.readline()
                if line.startswith(b"data: "):
                    events.append(json.loads(line.removeprefix(b"data: ")))

    assert [event["kind"] for event in events] == ["message", "call", "message", "chat", "call"]
    assert events[0]["message"]["text"] == "слова"


async def test_features_are_on_until_they_are_switched_off(client):
    assert (await client.show("state"))["features"] == {"ephemeral": True}

    assert await client.control("features", ephemeral=False) == {"features": {"ephemeral": False}}


async def test_the_clock_moves_only_forward_by_what_is_asked(client):
    before = client.now

    assert (await client.control("clock", advance=86400))["now"] >= before + 86400
    assert (await client.write(scene.MEMBER_A_ID, "завтра"))["date"] >= before + 86400
