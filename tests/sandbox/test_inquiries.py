import pytest

from sandbox import scene

GROUP = {"chat_id": scene.GROUP_ID}


async def test_a_chat_is_shown_with_its_permissions(client):
    chat = await client.result("getChat", **GROUP)

    assert chat["title"] == "Соседи по двору"
    assert chat["permissions"]["can_send_messages"] is True


async def test_a_group_is_shown_with_the_channel_that_it_discusses(client):
    assert "linked_chat_id" not in await client.result("getChat", **GROUP)

    await client.control("chats", id=scene.GROUP_ID, linked_chat_id=-1_001_562_840_077)

    assert (await client.result("getChat", **GROUP))["linked_chat_id"] == -1_001_562_840_077


async def test_a_private_chat_is_shown_with_the_users_bio(client):
    await client.control("users", id=scene.MEMBER_A_ID, bio="о себе")

    chat = await client.result("getChat", chat_id=scene.MEMBER_A_ID)

    assert (chat["type"], chat["first_name"], chat["bio"]) == ("private", "Участник А", "о себе")


async def test_the_owner_comes_first_and_other_bots_are_left_out(client):
    other = (await client.control("users", first_name="Другой бот", is_bot=True))["user"]
    await client.control("members", **GROUP, user_id=other["id"], status="administrator", by=1001)

    administrators = await client.result("getChatAdministrators", **GROUP)

    ids = [member["user"]["id"] for member in administrators]
    assert ids == [scene.OWNER_ID, scene.MODERATOR_ID, scene.BOT_ID]
    assert administrators[1]["can_restrict_members"] is True
    assert administrators[1]["can_promote_members"] is False


async def test_a_private_chat_has_no_administrators(client):
    refusal = await client.refusal("getChatAdministrators", chat_id=scene.MEMBER_A_ID)

    assert refusal == "Bad Request: there are no administrators in the private chat"


async def test_only_those_present_are_counted(client):
    before = await client.result("getChatMemberCount", **GROUP)
    await client.result("banChatMember", **GROUP, user_id=scene.MEMBER_A_ID)

    assert before == 7
    assert await client.result("getChatMemberCount", **GROUP) == 6


async def test_a_known_user_who_was_never_there_has_left(client):
    assert (await client.member(scene.PASSER_BY_ID, scene.MODERATORS_ID))["status"] == "left"


async def test_leaving_is_told_to_the_bot_itself(client):
    await client.updates()
    await client.result("leaveChat", **GROUP)

    [update] = await client.updates()

    assert update["my_chat_member"]["new_chat_member"]["status"] == "left"
    assert await client.refusal("getChat", **GROUP) == (
        "Forbidden: bot is not a member of the supergroup chat"
    )


async def test_an_action_needs_a_name(client):
    assert await client.result("sendChatAction", **GROUP, action="typing")
    assert "wrong parameter action" in await client.refusal("sendChatAction", **GROUP)


async def test_links_need_the_right_to_invite(client):
    refusal = await client.refusal("createChatInviteLink", **GROUP)
    assert refusal == "Bad Request: not enough rights to manage chat invite link"

    await client.make_bot("administrator", can_invite_users=True)
    link = await client.result("createChatInviteLink", **GROUP, name="соседям", member_limit=2)
    assert (link["name"], link["member_limit"], link["is_primary"]) == ("соседям", 2, False)
    assert (await client.result("exportChatInviteLink", **GROUP)).startswith("https://t.me/+")


@pytest.mark.parametrize("method", ["leaveChat", "banChatMember"])
async def test_a_private_chat_has_no_membership_to_change(client, method):
    refusal = await client.refusal(method, chat_id=scene.MEMBER_A_ID, user_id=scene.MEMBER_A_ID)

    assert refusal == "Bad Request: chat member status can't be changed in private chats"
