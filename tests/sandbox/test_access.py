import pytest

from sandbox import scene

GROUP = {"chat_id": scene.GROUP_ID}


@pytest.mark.parametrize(
    ("kind", "status", "description"),
    [
        ("supergroup", "kicked", "bot was kicked from the supergroup chat"),
        ("supergroup", "left", "bot is not a member of the supergroup chat"),
        ("group", "kicked", "bot was kicked from the group chat"),
        ("channel", "left", "bot is not a member of the channel chat"),
    ],
)
@pytest.mark.parametrize("method", ["sendMessage", "getChat", "getChatMemberCount"])
async def test_a_bot_outside_may_neither_write_nor_read(client, kind, status, description, method):
    members = [{"user_id": scene.BOT_ID, "status": "administrator"}]
    chat = (await client.control("chats", type=kind, title="Двор", members=members))["chat"]
    await client.make_bot(status, chat["id"])

    answer = await client.call(method, chat_id=chat["id"], text="а")

    assert (answer["error_code"], answer["description"]) == (403, f"Forbidden: {description}")


async def test_a_chat_the_bot_was_never_in_is_not_found(client):
    chat = (await client.control("chats", type="supergroup", title="Чужой"))["chat"]

    assert await client.refusal("getChat", chat_id=chat["id"]) == "Bad Request: chat not found"


async def test_a_chat_is_found_by_its_username(client):
    await client.control("chats", id=scene.GROUP_ID, username="neighbours")

    assert (await client.result("getChat", chat_id="@Neighbours"))["id"] == scene.GROUP_ID


async def test_a_deleted_group_is_forbidden(client):
    await client.control("chats", id=scene.GROUP_ID, is_deleted=True)

    assert await client.refusal("getChat", **GROUP) == "Forbidden: the group chat was deleted"


async def test_an_upgraded_group_says_where_it_went(client):
    members = [{"user_id": scene.BOT_ID, "status": "administrator"}]
    old = (await client.control("chats", type="group", title="Двор", members=members))["chat"]
    new = (await client.control("migrations", chat_id=old["id"]))["chat"]

    answer = await client.call("sendMessage", chat_id=old["id"], text="а")

    assert answer == {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": new["id"]},
    }


async def test_a_bot_cannot_write_first(client):
    refusal = await client.refusal("sendMessage", chat_id=scene.MEMBER_A_ID, text="а")

    assert refusal == "Forbidden: bot can't initiate conversation with a user"


async def test_a_bot_writes_to_whoever_has_written_to_it(client):
    await client.write(scene.MEMBER_A_ID, "/start", scene.MEMBER_A_ID)

    assert await client.result("sendMessage", chat_id=scene.MEMBER_A_ID, text="а")


async def test_a_bot_cannot_write_to_whoever_has_blocked_it(client):
    await client.write(scene.MEMBER_A_ID, "/start", scene.MEMBER_A_ID)
    await client.make_bot("kicked", scene.MEMBER_A_ID)
    params = {"chat_id": scene.MEMBER_A_ID, "text": "а"}

    assert await client.refusal("sendMessage", **params) == "Forbidden: bot was blocked by the user"
    await client.make_bot("member", scene.MEMBER_A_ID)
    assert await client.result("sendMessage", **params)


async def test_a_deleted_account_cannot_be_written_to(client):
    await client.write(scene.MEMBER_A_ID, "/start", scene.MEMBER_A_ID)
    await client.control("users", id=scene.MEMBER_A_ID, is_deleted=True)

    refusal = await client.refusal("sendMessage", chat_id=scene.MEMBER_A_ID, text="а")

    assert refusal == "Forbidden: user is deactivated"


@pytest.mark.parametrize(
    ("status", "permissions"),
    [("restricted", {}), ("member", {"can_send_photos": True})],
)
async def test_a_bot_without_the_right_to_write_is_refused(client, status, permissions):
    await client.make_bot(status)
    await client.control("chats", id=scene.GROUP_ID, permissions=permissions)

    refusal = await client.refusal("sendMessage", **GROUP, text="а")

    assert refusal == "Bad Request: not enough rights to send text messages to the chat"


async def test_only_an_administrator_posts_to_a_channel(client):
    members = [{"user_id": scene.BOT_ID, "status": "administrator", "can_post_messages": True}]
    channel = (await client.control("chats", type="channel", title="Канал", members=members))[
        "chat"
    ]
    post = await client.result("sendMessage", chat_id=channel["id"], text="а")
    await client.make_bot("member", channel["id"])

    assert post["sender_chat"]["id"] == channel["id"]
    assert (
        await client.refusal("sendMessage", chat_id=channel["id"], text="а")
        == "Bad Request: need administrator rights in the channel chat"
    )
