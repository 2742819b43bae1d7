import pytest

from sandbox import scene

GROUP = {"chat_id": scene.GROUP_ID}


@pytest.fixture(autouse=True)
async def _quiet(client):
    """Nothing of the scene's beginning is left in the queue."""
    await client.updates()


async def test_what_a_member_writes_reaches_the_bot(client):
    written = await client.write(scene.MEMBER_A_ID, "добрый день")

    [update] = await client.updates()

    assert update["message"]["message_id"] == written["message_id"]
    assert update["message"]["from"]["first_name"] == "Участник А"
    assert "deleted" not in update["message"]


async def test_commands_get_their_entity(client):
    written = await client.write(scene.MEMBER_A_ID, "/stats неделя")

    assert written["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]


async def test_any_field_of_a_message_can_be_given(client):
    poll = {"id": "1", "question": "Кто за?", "options": []}
    body = {**GROUP, "user_id": scene.MEMBER_A_ID, "poll": poll, "media_group_id": "7"}

    await client.control("messages", **body, date=1)

    [update] = await client.updates()
    assert update["message"]["poll"] == poll
    assert (update["message"]["media_group_id"], update["message"]["date"]) == ("7", 1)


async def test_a_lone_surrogate_survives(client):
    await client.write(scene.MEMBER_A_ID, "\ud83d слово")

    [update] = await client.updates()

    assert update["message"]["text"] == "\ud83d слово"


async def test_a_reply_carries_its_target(client):
    first = await client.write(scene.MEMBER_A_ID, "раз")
    await client.write(scene.MEMBER_B_ID, "два", reply_to_message_id=first["message_id"])

    assert (await client.updates())[1]["message"]["reply_to_message"]["text"] == "раз"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"user_id": 424242, "text": "а"}, "there is no user 424242"),
        ({"text": "а"}, "a message needs a user_id or a sender_chat"),
        (
            {"user_id": scene.MEMBER_A_ID, "text": "а", "reply_to_message_id": 99},
            "there is no message to reply to",
        ),
    ],
)
async def test_an_impossible_message_is_refused_with_the_reason(client, body, reason):
    assert await client.impossible("messages", **GROUP, **body) == reason


async def test_whoever_is_not_in_the_chat_does_not_write(client):
    body = {"chat_id": scene.MODERATORS_ID, "user_id": scene.MEMBER_A_ID, "text": "а"}

    assert await client.impossible("messages", **body) == "the user is not a member of this chat"


async def test_permissions_are_about_kinds_of_content(client):
    rights = {"status": "restricted", "permissions": {"can_send_messages": True}}
    await client.control("members", **GROUP, user_id=scene.MEMBER_A_ID, **rights)
    await client.write(scene.MEMBER_A_ID, "слова можно")

    reason = await client.impossible("messages", **GROUP, user_id=scene.MEMBER_A_ID, poll={})

    assert reason == "the user is restricted in this chat"


@pytest.mark.parametrize(
    ("sender", "extra", "account"),
    [
        (scene.GROUP_ID, {}, 1087968824),
        ({"id": -100555, "title": "Канал"}, {}, 136817688),
        ({"id": -100555, "title": "Канал"}, {"is_automatic_forward": True}, 777000),
    ],
)
async def test_whoever_writes_as_a_chat_hides_behind_an_account(client, sender, extra, account):
    await client.control("messages", **GROUP, text="а", sender_chat=sender, **extra)

    [update] = await client.updates()

    assert update["message"]["from"]["id"] == account
    assert update["message"]["sender_chat"]["title"]


async def test_a_member_writes_to_the_bot_alone(client):
    await client.make_bot("member")
    await client.updates()
    await client.write(scene.MEMBER_A_ID, "/rules", ephemeral=True)

    [update] = await client.updates()

    message = update["message"]
    assert (message["message_id"], message["ephemeral_message_id"]) == (0, 1)
    assert message["receiver_user"]["id"] == scene.BOT_ID
    assert message["from"]["id"] == scene.MEMBER_A_ID
    assert message["entities"][0]["type"] == "bot_command"
    assert "ephemeral" not in message


@pytest.mark.parametrize(("seconds", "is_answered"), [(10, True), (20, False)])
async def test_an_ephemeral_command_is_answered_in_time(client, seconds, is_answered):
    await client.make_bot("member")
    written = await client.write(scene.MEMBER_A_ID, "/rules", ephemeral=True)
    await client.control("clock", advance=seconds)
    reply = {"ephemeral_message_id": written["ephemeral_message_id"]}
    receiver = {"receiver_user_id": scene.MEMBER_A_ID}

    answer = await client.call(
        "sendMessage", **GROUP, **receiver, text="вот", reply_parameters=reply
    )

    assert answer["ok"] is is_answered
    assert answer.get("description") == (
        None if is_answered else "Bad Request: message to be replied not found"
    )


async def test_a_reply_to_an_ephemeral_message_is_ephemeral_too(client):
    written = await client.write(scene.MEMBER_A_ID, "/rules", ephemeral=True)
    reply = {"ephemeral_message_id": written["ephemeral_message_id"]}

    refusal = await client.refusal("sendMessage", **GROUP, text="вот", reply_parameters=reply)

    assert refusal == "Bad Request: message to be replied not found"


async def test_nobody_writes_an_ephemeral_message_where_there_are_none(client):
    body = {"text": "/start", "ephemeral": True}
    private = {"chat_id": scene.MEMBER_A_ID, "user_id": scene.MEMBER_A_ID}
    await client.make_bot("left")

    assert (await client.impossible("messages", **private, **body)).startswith("only members")
    assert (
        await client.impossible("messages", **GROUP, user_id=scene.MEMBER_A_ID, **body)
        == "the bot is not in this chat"
    )


async def test_an_older_client_sends_the_command_to_everyone(client):
    await client.control("features", ephemeral=False)

    written = await client.write(scene.MEMBER_A_ID, "/rules", ephemeral=True)

    assert written["message_id"] > 0
    [update] = await client.updates()
    assert not update["message"].keys() & {"ephemeral", "receiver_user"}


async def test_an_edit_reaches_the_bot(client):
    written = await client.write(scene.MEMBER_A_ID, "слова")
    message = {**GROUP, "message_id": written["message_id"]}
    await client.control("edits", **message, text="другие #слова")

    edited = (await client.updates())[1]["edited_message"]

    assert edited["text"] == "другие #слова"
    assert edited["entities"][0]["type"] == "hashtag"
    assert edited["edit_date"] >= edited["date"]


async def test_a_deleted_message_is_not_edited(client):
    written = await client.write(scene.MEMBER_A_ID, "слова")
    message = {**GROUP, "message_id": written["message_id"]}
    await client.result("deleteMessage", **message)

    assert await client.impossible("edits", **message, text="а") == "there is no such message"


async def test_people_delete_without_anyone_hearing_of_it(client):
    written = await client.write(scene.MEMBER_A_ID, "слова")
    message = {**GROUP, "message_id": written["message_id"]}
    await client.updates()

    assert await client.impossible("deletions", **message, user_id=scene.MEMBER_B_ID) == (
        "the user may not delete this message"
    )
    await client.control("deletions", **message, user_id=scene.MODERATOR_ID)

    assert (await client.state_of(written))["deleted_by"] == scene.MODERATOR_ID
    assert await client.updates() == []
    assert (
        await client.refusal("deleteMessage", **message)
        == "Bad Request: message to delete not found"
    )


async def test_a_button_is_pressed_by_its_text(client):
    keyboard = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}
    card = await client.result("sendMessage", **GROUP, text="карточка", reply_markup=keyboard)
    body = {**GROUP, "message_id": card["message_id"], "user_id": scene.MODERATOR_ID}

    pressed = await client.control("presses", **body, button="Да")

    [update] = await client.updates()
    query = update["callback_query"]
    assert (query["id"], query["data"]) == (pressed["callback_query_id"], "yes")
    assert query["message"]["text"] == "карточка"
    assert await client.impossible("presses", **body, button="Нет") == (
        "the message has no such button: 'Нет'"
    )


async def test_a_press_on_a_deleted_message_shows_it_as_inaccessible(client):
    card = await client.result("sendMessage", **GROUP, text="карточка")
    message = {**GROUP, "message_id": card["message_id"]}
    await client.result("deleteMessage", **message)

    await client.control("presses", **message, user_id=scene.MODERATOR_ID, data="forged")

    [update] = await client.updates()
    assert update["callback_query"]["message"]["date"] == 0


async def test_an_anonymous_administrator_writes_as_the_chat_and_presses_as_themselves(client):
    standing = {"status": "administrator", "is_anonymous": True}
    await client.control("members", **GROUP, user_id=scene.MODERATOR_ID, **standing)
    keyboard = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}
    card = await client.result("sendMessage", **GROUP, text="карточка", reply_markup=keyboard)

    await client.write(scene.MODERATOR_ID, "/settings")
    body = {**GROUP, "message_id": card["message_id"], "user_id": scene.MODERATOR_ID}
    await client.control("presses", **body, button="Да")

    message, query = await client.updates()
    assert message["message"]["from"]["username"] == "GroupAnonymousBot"
    assert message["message"]["sender_chat"]["id"] == scene.GROUP_ID
    assert query["callback_query"]["from"]["id"] == scene.MODERATOR_ID
    assert "sender_chat" not in query["callback_query"]


async def test_the_bot_does_not_hear_itself(client):
    card = await client.result("sendMessage", **GROUP, text="карточка")
    await client.result("editMessageText", **GROUP, message_id=card["message_id"], text="решено")

    assert await client.updates() == []


async def test_privacy_mode_hides_what_is_not_meant_for_the_bot(client):
    await client.make_bot("member")
    card = await client.result("sendMessage", **GROUP, text="карточка")
    await client.write(scene.MEMBER_A_ID, "просто слова")
    await client.write(scene.MEMBER_A_ID, "/rules@other_bot")
    await client.write(scene.MEMBER_A_ID, "/rules")
    await client.write(scene.MEMBER_A_ID, "/rules@Demo_moderator_bot сейчас")
    await client.write(scene.MEMBER_A_ID, "ответ", reply_to_message_id=card["message_id"])

    texts = [update["message"]["text"] for update in (await client.updates())[1:]]

    assert texts == ["/rules", "/rules@Demo_moderator_bot сейчас", "ответ"]


async def test_without_privacy_mode_a_plain_member_bot_sees_everything(client):
    await client.make_bot("member")
    await client.control("users", id=scene.BOT_ID, can_read_all_group_messages=True)
    await client.write(scene.MEMBER_A_ID, "просто слова")

    assert (await client.updates())[1]["message"]["text"] == "просто слова"


async def test_a_channel_post_is_an_update_of_its_own_kind(client):
    members = [{"user_id": scene.BOT_ID, "status": "administrator"}]
    channel = (await client.control("chats", type="channel", title="Канал", members=members))[
        "chat"
    ]
    await client.control("messages", chat_id=channel["id"], text="новость")

    assert (await client.updates())[1]["channel_post"]["text"] == "новость"
