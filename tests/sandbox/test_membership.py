import pytest

from sandbox import scene

GROUP = {"chat_id": scene.GROUP_ID}
SUBSCRIBE = ["message", "my_chat_member", "chat_member"]


@pytest.fixture(autouse=True)
async def _quiet(client):
    await client.result("getUpdates", offset=-1, allowed_updates=SUBSCRIBE)
    await client.updates()


async def test_joining_is_told_twice(client):
    newcomer = (await client.control("users", first_name="Новенькая"))["user"]
    await client.control("members", **GROUP, user_id=newcomer["id"], status="member")

    change, service = await client.updates()

    assert change["chat_member"]["old_chat_member"]["status"] == "left"
    assert change["chat_member"]["from"]["id"] == newcomer["id"]
    assert service["message"]["new_chat_members"][0]["first_name"] == "Новенькая"


async def test_a_promotion_names_who_made_it(client):
    rights = {"status": "administrator", "can_delete_messages": True, "by": scene.OWNER_ID}
    await client.control("members", **GROUP, user_id=scene.MEMBER_A_ID, **rights)

    [update] = await client.updates()

    change = update["chat_member"]
    assert change["from"]["id"] == scene.OWNER_ID
    assert change["new_chat_member"]["can_delete_messages"] is True
    assert change["new_chat_member"]["can_restrict_members"] is False


async def test_a_change_of_the_bot_is_its_own_kind_of_update(client):
    await client.make_bot("administrator", can_delete_messages=True)

    [update] = await client.updates()

    change = update["my_chat_member"]
    assert change["old_chat_member"]["can_restrict_members"] is True
    assert change["new_chat_member"]["can_restrict_members"] is False


async def test_only_an_administrator_hears_of_other_members(client):
    await client.make_bot("member")
    await client.updates()
    body = {**GROUP, "user_id": scene.MEMBER_A_ID, "status": "restricted", "by": scene.OWNER_ID}
    await client.control("members", **body)

    assert await client.updates() == []


async def test_the_same_standing_again_is_no_news(client):
    await client.control("members", **GROUP, user_id=scene.MEMBER_A_ID, status="member")

    assert await client.updates() == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"user_id": scene.MEMBER_A_ID, "status": "guest"}, "status is one of creator"),
        ({"user_id": 424242, "status": "member"}, "there is no user 424242"),
        ({"user_id": scene.MEMBER_A_ID, "status": "left", "by": 424242}, "there is no user"),
    ],
)
async def test_an_impossible_standing_is_refused(client, body, reason):
    assert (await client.impossible("members", **GROUP, **body)).startswith(reason)


async def test_blocking_is_told_in_the_private_chat(client):
    await client.make_bot("kicked", scene.MEMBER_A_ID)

    [update] = await client.updates()

    change = update["my_chat_member"]
    assert change["chat"]["type"] == "private"
    assert change["from"]["id"] == scene.MEMBER_A_ID
    assert change["new_chat_member"]["status"] == "kicked"


async def test_in_a_private_chat_nobody_else_can_be_removed(client):
    body = {"chat_id": scene.MEMBER_A_ID, "user_id": scene.MEMBER_A_ID, "status": "left"}

    assert "only the bot can be blocked" in await client.impossible("members", **body)


async def test_a_migration_is_told_on_both_sides(client):
    members = [
        {"user_id": scene.OWNER_ID, "status": "creator"},
        {"user_id": scene.BOT_ID, "status": "administrator", "can_delete_messages": True},
    ]
    old = (await client.control("chats", type="group", title="Двор", members=members))["chat"]
    await client.updates()
    new = (await client.control("migrations", chat_id=old["id"]))["chat"]

    leaving, arriving = await client.updates()

    assert leaving["message"]["chat"]["id"] == old["id"]
    assert leaving["message"]["migrate_to_chat_id"] == new["id"]
    assert arriving["message"]["chat"]["id"] == new["id"]
    assert arriving["message"]["migrate_from_chat_id"] == old["id"]
    assert (await client.member(scene.BOT_ID, new["id"]))["can_delete_messages"] is True


async def test_only_a_group_becomes_a_supergroup(client):
    reason = await client.impossible("migrations", **GROUP)

    assert reason == "only a group can become a supergroup"
