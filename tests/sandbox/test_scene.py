from sandbox import scene


async def test_the_scene_begins_with_the_bot_being_added(client):
    updates = await client.updates()

    changes = [update["my_chat_member"] for update in updates if "my_chat_member" in update]
    assert [change["chat"]["title"] for change in changes] == ["Соседи по двору", "Модераторы"]
    assert all(change["from"]["id"] == scene.OWNER_ID for change in changes)
    rights = changes[0]["new_chat_member"]
    assert rights["can_delete_messages"]
    assert rights["can_restrict_members"]
    assert not rights["can_promote_members"]
    assert not changes[1]["new_chat_member"]["can_delete_messages"]


async def test_roles_stand_where_their_names_say(client):
    statuses = {
        name: (await client.member(user_id))["status"] for user_id, name in scene.NAMES.items()
    }

    assert statuses == {
        "Хозяйка группы": "creator",
        "Модератор": "administrator",
        "Участник А": "member",
        "Участник Б": "member",
        "Участник В": "member",
        "Прохожий": "member",
    }


async def test_members_of_the_group_do_not_see_the_moderators(client):
    assert await client.result("getChatMemberCount", chat_id=scene.MODERATORS_ID) == 3


def test_the_token_is_the_bots():
    assert scene.TOKEN == "7000000001:sandbox-token-for-local-use-only-00"
    assert scene.TOKEN.startswith(f"{scene.BOT_ID}:")
