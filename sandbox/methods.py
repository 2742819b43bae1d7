"""Bot API methods by name, and the calling of them."""

from collections.abc import Callable, Coroutine
from inspect import isawaitable
from typing import Any

from sandbox import edits, ephemeral, inquiries, media, messages, profile, reception, sanctions
from sandbox.answers import ApiError
from sandbox.params import Params
from sandbox.telegram import Telegram

# A method returns whatever JSON the Bot API answers with, some of them only after waiting.
Method = Callable[[Telegram, Params], object | Coroutine[Any, Any, object]]

METHODS: dict[str, Method] = {
    "answercallbackquery": profile.answer_callback_query,
    "banchatmember": sanctions.ban_chat_member,
    "banchatsenderchat": sanctions.ban_chat_sender_chat,
    "copymessage": messages.copy_message,
    "createchatinvitelink": inquiries.create_chat_invite_link,
    "deleteephemeralmessage": ephemeral.delete_ephemeral_message,
    "deletemessage": edits.delete_message,
    "deletemessages": edits.delete_messages,
    "deletemycommands": profile.delete_my_commands,
    "deletewebhook": reception.delete_webhook,
    "editephemeralmessagetext": ephemeral.edit_ephemeral_message_text,
    "editmessagecaption": edits.edit_message_caption,
    "editmessagemedia": edits.edit_message_media,
    "editmessagereplymarkup": edits.edit_message_reply_markup,
    "editmessagetext": edits.edit_message_text,
    "exportchatinvitelink": inquiries.export_chat_invite_link,
    "forwardmessage": messages.forward_message,
    "getchat": inquiries.get_chat,
    "getchatadministrators": inquiries.get_chat_administrators,
    "getchatmember": inquiries.get_chat_member,
    "getchatmembercount": inquiries.get_chat_member_count,
    "getfile": media.get_file,
    "getme": profile.get_me,
    "getmycommands": profile.get_my_commands,
    "getmydefaultadministratorrights": profile.get_my_default_administrator_rights,
    "getupdates": reception.get_updates,
    "getwebhookinfo": reception.get_webhook_info,
    "leavechat": inquiries.leave_chat,
    "restrictchatmember": sanctions.restrict_chat_member,
    "sendchataction": inquiries.send_chat_action,
    "senddocument": messages.send_document,
    "sendmessage": messages.send_message,
    "sendphoto": messages.send_photo,
    "setmessagereaction": edits.set_message_reaction,
    "setmycommands": profile.set_my_commands,
    "setmydefaultadministratorrights": profile.set_my_default_administrator_rights,
    "setwebhook": reception.set_webhook,
    "unbanchatmember": sanctions.unban_chat_member,
    "unbanchatsenderchat": sanctions.unban_chat_sender_chat,
}


async def call(telegram: Telegram, name: str, params: Params) -> object:
    """Apply a method; ApiError is Telegram's refusal."""
    method = METHODS.get(name.lower())
    is_hidden = "ephemeral" in name.lower() and not telegram.features["ephemeral"]
    if method is None or is_hidden:
        raise ApiError(404, "Not Found: method not found")
    result = method(telegram, params)
    return await result if isawaitable(result) else result
