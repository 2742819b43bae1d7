"""Every shape the sandbox produces is one that aiogram's models accept."""

import pytest
from aiogram import types
from aiogram.methods import GetChatMember
from pydantic import TypeAdapter

from sandbox import scene

GROUP = {"chat_id": scene.GROUP_ID}
MEMBER = TypeAdapter(GetChatMember.__returning__)


async def test_a_user_decodes(client):
    me = types.User.model_validate(await client.result("getMe"))

    assert me.id == scene.BOT_ID


@pytest.mark.parametrize(
    "status", ["creator", "administrator", "member", "restricted", "left", "kicked"]
)
async def test_a_member_of_any_status_decodes(client, status):
    body = {**GROUP, "user_id": scene.MEMBER_A_ID, "status": status, "by": scene.OWNER_ID}
    await client.control("members", **body)

    member = MEMBER.validate_python(await client.member(scene.MEMBER_A_ID))

    assert member.status == status


@pytest.mark.parametrize("chat_id", [scene.GROUP_ID, scene.MEMBER_A_ID])
async def test_a_full_chat_decodes(client, chat_id):
    chat = types.ChatFullInfo.model_validate(await client.result("getChat", chat_id=chat_id))

    assert chat.id == chat_id


async def test_administrators_decode(client):
    for member in await client.result("getChatAdministrators", **GROUP):
        assert MEMBER.validate_python(member)


async def test_an_invite_link_and_a_webhook_decode(client):
    await client.make_bot("administrator", can_invite_users=True)
    link = await client.result("createChatInviteLink", **GROUP)

    assert types.ChatInviteLink.model_validate(link)
    assert types.WebhookInfo.model_validate(await client.result("getWebhookInfo"))


async def test_every_update_decodes(client):
    kinds = ["message", "edited_message", "callback_query", "my_chat_member", "chat_member"]
    await client.result("getUpdates", offset=-100, allowed_updates=kinds)
    written = await client.write(scene.MEMBER_A_ID, "см. https://example.org /start")
    reply = {"message_id": written["message_id"], "quote": "см."}
    source = '<b>Карточка</b> <a href="tg://user?id=1003">он</a>'
    keyboard = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes", "style": "danger"}]]}
    card = await client.result(
        "sendMessage",
        **GROUP,
        text=source,
        parse_mode="HTML",
        reply_parameters=reply,
        reply_markup=keyboard,
    )
    message = {**GROUP, "message_id": card["message_id"]}
    await client.control("edits", **GROUP, message_id=written["message_id"], text="иначе")
    await client.control("presses", **message, user_id=scene.MODERATOR_ID, button="Да")
    await client.result("deleteMessage", **message)
    await client.control("presses", **message, user_id=scene.MODERATOR_ID, data="yes")
    await client.result("banChatMember", **GROUP, user_id=scene.MEMBER_A_ID)
    await client.control("messages", **GROUP, text="от группы", sender_chat=scene.GROUP_ID)

    updates = [types.Update.model_validate(update) for update in await client.updates()]

    assert {update.event_type for update in updates} == set(kinds)
    assert types.Message.model_validate(card).entities[1].user.id == scene.MEMBER_A_ID
