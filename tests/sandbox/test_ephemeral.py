import pytest

from sandbox import edits, scene
from sandbox.client import Client

GROUP = {"chat_id": scene.GROUP_ID}
KEYBOARD = {"inline_keyboard": [[{"text": "Понятно", "callback_data": "seen"}]]}
RECEIVER = {"receiver_user_id": scene.MEMBER_A_ID}


@pytest.fixture
async def sent(client):
    """A note to one member, with a keyboard."""
    params = {"text": "<b>вам</b>", "parse_mode": "HTML", "reply_markup": KEYBOARD}
    return await client.result("sendMessage", **GROUP, **RECEIVER, **params)


def of(sent):
    return {**GROUP, **RECEIVER, "ephemeral_message_id": sent["ephemeral_message_id"]}


async def shown(client):
    return await Client(client.sandbox.url, client.session).ephemeral(scene.GROUP_ID)


async def test_it_is_kept_apart_from_the_messages_of_the_chat(client, sent):
    messages = await Client(client.sandbox.url, client.session).messages(scene.GROUP_ID)
    [state] = await shown(client)

    assert "вам" not in [message.get("text") for message in messages]
    assert (state["id"], state["receiver_user_id"]) == (1, scene.MEMBER_A_ID)
    assert (state["text"], state["reply_markup"]) == ("вам", KEYBOARD)
    assert state["entities"][0]["type"] == "bold"
    assert state["deleted"] is False


async def test_the_next_message_of_the_chat_takes_no_notice(client, sent):
    first = await client.result("sendMessage", **GROUP, text="всем")
    await client.result("sendMessage", **GROUP, **RECEIVER, text="вам")
    second = await client.result("sendMessage", **GROUP, text="всем")

    assert second["message_id"] == first["message_id"] + 1


@pytest.mark.parametrize("method", ["deleteMessage", "editMessageText"])
async def test_ordinary_methods_do_not_reach_it(client, sent, method):
    params = {**GROUP, "message_id": sent["message_id"], "text": "а"}

    refusal = await client.refusal(method, **params)

    assert refusal == "Bad Request: message identifier is not specified"


async def test_its_text_and_keyboard_are_edited(client, sent):
    assert await client.result("editEphemeralMessageText", **of(sent), text="иначе") is True

    [state] = await shown(client)
    assert (state["text"], state["entities"], state["reply_markup"]) == ("иначе", [], None)
    assert state["edit_count"] == 1


async def test_the_same_content_again_is_not_modified(client, sent):
    params = {"text": "<b>вам</b>", "parse_mode": "HTML", "reply_markup": KEYBOARD}

    refusal = await client.refusal("editEphemeralMessageText", **of(sent), **params)

    assert refusal == f"Bad Request: {edits.NOT_MODIFIED}"


async def test_a_deleted_one_is_gone(client, sent):
    assert await client.result("deleteEphemeralMessage", **of(sent)) is True

    assert await shown(client) == []
    for method in ("deleteEphemeralMessage", "editEphemeralMessageText"):
        refusal = await client.refusal(method, **of(sent), text="а")
        assert refusal == "Bad Request: MESSAGE_ID_INVALID"


async def test_it_is_found_only_by_its_own_receiver(client, sent):
    params = of(sent) | {"receiver_user_id": scene.MEMBER_B_ID}

    refusal = await client.refusal("deleteEphemeralMessage", **params)

    assert refusal == "Bad Request: MESSAGE_ID_INVALID"


async def test_only_its_receiver_presses_its_buttons(client, sent):
    await client.updates()
    at = {**GROUP, "ephemeral_message_id": sent["ephemeral_message_id"], "button": "Понятно"}
    assert await client.impossible("presses", **at, user_id=scene.MEMBER_B_ID)

    await client.control("presses", **at, user_id=scene.MEMBER_A_ID)

    [update] = await client.updates()
    message = update["callback_query"]["message"]
    assert (message["message_id"], message["ephemeral_message_id"]) == (0, 1)
    assert update["callback_query"]["data"] == "seen"


async def test_an_older_server_has_no_methods_for_it(client):
    await client.control("features", ephemeral=False)

    for method in ("deleteEphemeralMessage", "editEphemeralMessageText"):
        assert await client.refusal(method, **GROUP) == "Not Found: method not found"
