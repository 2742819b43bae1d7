import pytest

from sandbox import scene
from sandbox.members import PERMISSIONS
from sandbox.sanctions import parse_permissions

GROUP = {"chat_id": scene.GROUP_ID}
A = {**GROUP, "user_id": scene.MEMBER_A_ID}
MUTE = {"permissions": {"can_send_messages": False}}
ALL = {"permissions": dict.fromkeys(PERMISSIONS, True)}
SUBSCRIBE = ["message", "my_chat_member", "chat_member"]
RESTRICT_RIGHT = "not enough rights to restrict/unrestrict chat member"


async def test_a_restricted_member_cannot_write_until_the_date(client):
    until_date = client.now + 3600
    await client.result("restrictChatMember", **A, **MUTE, until_date=until_date)

    member = await client.member(scene.MEMBER_A_ID)
    assert (member["status"], member["until_date"]) == ("restricted", until_date)
    assert member["is_member"] is True
    assert not any(member[name] for name in PERMISSIONS)
    assert await client.impossible("messages", **A, text="а") == (
        f"the user is restricted in this chat until {until_date}"
    )


async def test_a_restriction_ends_by_itself(client):
    await client.result("restrictChatMember", **A, **MUTE, until_date=client.now + 60)
    await client.control("clock", advance=61)

    assert (await client.member(scene.MEMBER_A_ID))["status"] == "member"
    assert await client.write(scene.MEMBER_A_ID, "снова здесь")


@pytest.mark.parametrize("seconds", [5, 367 * 86400])
async def test_a_date_too_near_or_too_far_means_for_ever(client, seconds):
    await client.result("restrictChatMember", **A, **MUTE, until_date=client.now + seconds)

    assert (await client.member(scene.MEMBER_A_ID))["until_date"] == 0


async def test_all_permissions_make_a_member_again(client):
    await client.result("restrictChatMember", **A, **MUTE)
    await client.result("restrictChatMember", **A, **ALL)

    assert (await client.member(scene.MEMBER_A_ID))["status"] == "member"


async def test_leaving_and_coming_back_keeps_a_restriction(client):
    await client.result("restrictChatMember", **A, **MUTE)
    await client.control("members", **A, status="left")
    assert (await client.member(scene.MEMBER_A_ID))["is_member"] is False
    await client.control("members", **A, status="member")

    member = await client.member(scene.MEMBER_A_ID)
    assert (member["status"], member["is_member"]) == ("restricted", True)


async def test_a_banned_user_is_gone_and_cannot_come_back(client):
    await client.result("banChatMember", **A)

    assert (await client.member(scene.MEMBER_A_ID))["status"] == "kicked"
    assert await client.impossible("messages", **A, text="а") == ("the user is banned in this chat")
    assert await client.impossible("members", **A, status="member") == (
        "the user is banned in this chat"
    )


async def test_a_timed_ban_leaves_the_user_outside(client):
    await client.result("banChatMember", **A, until_date=client.now + 60)
    await client.control("clock", advance=61)

    assert (await client.member(scene.MEMBER_A_ID))["status"] == "left"
    assert await client.control("members", **A, status="member")


async def test_unban_lets_a_banned_user_come_back(client):
    await client.result("banChatMember", **A)
    await client.result("unbanChatMember", **A, only_if_banned=True)

    assert (await client.member(scene.MEMBER_A_ID))["status"] == "left"


async def test_unban_kicks_a_member_unless_told_otherwise(client):
    await client.result("unbanChatMember", **A, only_if_banned=True)
    assert (await client.member(scene.MEMBER_A_ID))["status"] == "member"

    await client.result("unbanChatMember", **A)
    assert (await client.member(scene.MEMBER_A_ID))["status"] == "left"


@pytest.mark.parametrize("method", ["restrictChatMember", "banChatMember", "unbanChatMember"])
@pytest.mark.parametrize(
    ("user_id", "description"),
    [
        (0, "invalid user_id specified"),
        (424242, "member not found"),
        (scene.OWNER_ID, "can't remove chat owner"),
        (scene.MODERATOR_ID, "user is an administrator of the chat"),
        (scene.BOT_ID, "can't restrict self"),
    ],
)
async def test_some_cannot_be_touched(client, method, user_id, description):
    refusal = await client.refusal(method, **GROUP, user_id=user_id, **MUTE)

    assert refusal == f"Bad Request: {description}"


@pytest.mark.parametrize("method", ["restrictChatMember", "banChatMember", "unbanChatMember"])
@pytest.mark.parametrize("status", ["administrator", "member"])
async def test_punishing_needs_the_right_to_restrict(client, method, status):
    await client.make_bot(status, can_delete_messages=True)

    assert await client.refusal(method, **A, **MUTE) == f"Bad Request: {RESTRICT_RIGHT}"


@pytest.mark.parametrize(
    ("method", "description"),
    [
        ("restrictChatMember", "method is available only for supergroups"),
        ("unbanChatMember", "method is available for supergroup and channel chats only"),
        ("banChatMember", "CHAT_ADMIN_REQUIRED"),
    ],
)
async def test_a_basic_group_knows_few_methods(client, method, description):
    members = [
        {"user_id": scene.MEMBER_A_ID, "status": "member"},
        {"user_id": scene.BOT_ID, "status": "member"},
    ]
    chat = (await client.control("chats", type="group", title="Двор", members=members))["chat"]

    refusal = await client.refusal(method, chat_id=chat["id"], user_id=scene.MEMBER_A_ID)

    assert refusal == f"Bad Request: {description}"


async def test_a_deleted_account_is_no_participant(client):
    await client.control("users", id=scene.MEMBER_A_ID, is_deleted=True)

    assert await client.refusal("banChatMember", **A) == "Bad Request: PARTICIPANT_ID_INVALID"


@pytest.mark.parametrize(
    ("permissions", "description"),
    [
        ("{", "can't parse permissions JSON object"),
        ("[]", "object expected as permissions"),
    ],
)
async def test_permissions_are_parsed_before_the_chat_is_looked_for(
    client, permissions, description
):
    params = {"chat_id": -1009, "user_id": 1, "permissions": permissions}

    assert await client.refusal("restrictChatMember", **params) == f"Bad Request: {description}"


async def test_a_punishment_is_told_only_to_a_subscriber(client):
    await client.result("banChatMember", **A)
    updates = await client.updates()
    assert not any("chat_member" in update for update in updates)

    await client.result("getUpdates", offset=client.offset, allowed_updates=SUBSCRIBE)
    await client.result("unbanChatMember", **A)
    [update] = await client.updates()

    change = update["chat_member"]
    assert change["from"]["id"] == scene.BOT_ID
    assert change["old_chat_member"]["status"] == "kicked"
    assert change["new_chat_member"]["status"] == "left"


async def test_a_removal_leaves_a_service_message(client):
    await client.updates()
    await client.result("banChatMember", **A)

    [update] = await client.updates()

    assert update["message"]["left_chat_member"]["id"] == scene.MEMBER_A_ID
    assert update["message"]["from"]["id"] == scene.BOT_ID


async def test_a_banned_sender_chat_writes_no_more(client):
    channel = {"id": -1001000000077, "title": "Канал"}
    written = await client.control("messages", **GROUP, text="реклама", sender_chat=channel)
    assert written["message"]["from"]["id"] == 136817688

    await client.result("banChatSenderChat", **GROUP, sender_chat_id=channel["id"])
    refusal = await client.impossible("messages", **GROUP, text="ещё", sender_chat=channel)
    assert refusal == "this sender chat is banned here"

    await client.result("unbanChatSenderChat", **GROUP, sender_chat_id=channel["id"])
    assert await client.control("messages", **GROUP, text="ещё", sender_chat=channel)


async def test_an_unknown_sender_chat_is_not_banned(client):
    refusal = await client.refusal("banChatSenderChat", **GROUP, sender_chat_id=-1005)

    assert refusal == "Bad Request: chat not found"


@pytest.mark.parametrize(
    ("given", "independent", "granted"),
    [
        ({"can_send_polls": True}, False, {"can_send_messages"}),
        ({"can_send_polls": True}, True, set()),
        ({"can_send_other_messages": True}, False, {"can_send_messages", "can_send_photos"}),
        ({"can_send_messages": True}, True, {"can_react_to_messages"}),
        ({"can_pin_messages": True}, True, {"can_edit_tag", "can_manage_topics"}),
    ],
)
def test_some_permissions_imply_others(given, independent, granted):
    implied = parse_permissions(given, independent=independent) - given.keys()

    assert granted <= implied
    assert bool(granted) or not implied
