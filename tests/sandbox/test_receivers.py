import pytest

from sandbox import scene

GROUP = {"chat_id": scene.GROUP_ID}
TO_A = {**GROUP, "text": "вам", "receiver_user_id": scene.MEMBER_A_ID}


@pytest.fixture
async def card(client):
    """A message with a button, of a bot that is no administrator any more."""
    keyboard = {"inline_keyboard": [[{"text": "Почему?", "callback_data": "why"}]]}
    card = await client.result("sendMessage", **GROUP, text="карточка", reply_markup=keyboard)
    await client.make_bot("member")
    return card


async def press(client, card, user_id):
    at = {**GROUP, "message_id": card["message_id"]}
    pressed = await client.control("presses", **at, user_id=user_id, button="Почему?")
    return pressed["callback_query_id"]


@pytest.mark.parametrize("shape", ["10.2", "10.3"])
async def test_an_administrator_writes_to_one_member(client, shape):
    receiver = {"receiver_user_id": scene.MEMBER_A_ID}
    extra = receiver if shape == "10.2" else {"ephemeral_message_parameters": receiver}

    sent = await client.result("sendMessage", **GROUP, text="вам", **extra)

    assert (sent["message_id"], sent["ephemeral_message_id"]) == (0, 1)
    assert sent["receiver_user"]["id"] == scene.MEMBER_A_ID
    assert sent["from"]["id"] == scene.BOT_ID


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"receiver_user_id": 424242}, "PEER_ID_INVALID"),
        ({"receiver_user_id": "сосед"}, "PEER_ID_INVALID"),
        ({"ephemeral_message_parameters": {}}, "PEER_ID_INVALID"),
        ({"receiver_user_id": scene.BOT_ID}, "USER_IS_BOT"),
        (
            {"chat_id": scene.MODERATORS_ID, "receiver_user_id": scene.MEMBER_A_ID},
            "USER_NOT_PARTICIPANT",
        ),
    ],
)
async def test_not_everyone_can_receive_one(client, params, description):
    params = {**GROUP, "text": "вам", **params}

    assert await client.refusal("sendMessage", **params) == f"Bad Request: {description}"


async def test_a_private_chat_has_no_ephemeral_messages(client):
    await client.write(scene.MEMBER_A_ID, "/start", scene.MEMBER_A_ID)
    params = TO_A | {"chat_id": scene.MEMBER_A_ID}

    assert await client.refusal("sendMessage", **params) == "Bad Request: PEER_ID_INVALID"


async def test_whoever_has_left_receives_nothing(client):
    await client.control("members", **GROUP, user_id=scene.MEMBER_A_ID, status="left")

    assert await client.refusal("sendMessage", **TO_A) == "Bad Request: USER_NOT_PARTICIPANT"


async def test_a_bot_that_is_no_administrator_only_answers(client, card):
    assert await client.refusal("sendMessage", **TO_A) == "Bad Request: CHAT_ADMIN_REQUIRED"
    query_id = await press(client, card, scene.MEMBER_A_ID)

    assert await client.result("sendMessage", **TO_A, callback_query_id=query_id)


async def test_a_press_of_someone_else_lets_nobody_write(client, card):
    query_id = await press(client, card, scene.MEMBER_B_ID)
    params = {"receiver_user_id": scene.MEMBER_A_ID, "callback_query_id": query_id}

    refusal = await client.refusal(
        "sendMessage", **GROUP, text="вам", ephemeral_message_parameters=params
    )

    assert refusal == "Bad Request: CHAT_ADMIN_REQUIRED"


async def test_a_press_can_be_answered_for_fifteen_seconds(client, card):
    query_id = await press(client, card, scene.MEMBER_A_ID)
    await client.control("clock", advance=16)

    assert (
        await client.refusal("sendMessage", **TO_A, callback_query_id=query_id)
        == "Bad Request: CHAT_ADMIN_REQUIRED"
    )


async def test_a_server_of_an_older_version_sends_an_ordinary_message(client):
    await client.control("features", ephemeral=False)

    sent = await client.result("sendMessage", **TO_A)

    assert sent["message_id"] > 0
    assert "ephemeral_message_id" not in sent
    assert (await client.state_of(sent))["text"] == "вам"
