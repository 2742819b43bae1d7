"""Bot API methods that change or delete ephemeral messages."""

from sandbox import access, edits, keyboards, messages
from sandbox.answers import bad_request
from sandbox.chats import Message
from sandbox.params import Params
from sandbox.telegram import Telegram


def edit_ephemeral_message_text(telegram: Telegram, params: Params) -> bool:
    content = messages.message_text(telegram, params)
    markup = keyboards.parse(params.text("reply_markup"), is_private=False)
    message = _own_message(telegram, params)
    if "text" not in message.body:
        raise bad_request("there is no text in the message to edit")
    if len(content.text) > messages.MAX_TEXT:
        raise bad_request("MESSAGE_TOO_LONG")
    parts = content.parts("text", "entities")
    message.body = edits.changed(message.body, parts, markup, "text", "entities")
    message.body["edit_date"] = telegram.clock.now()
    message.edit_count += 1
    telegram.show_ephemeral(message)
    return True


def delete_ephemeral_message(telegram: Telegram, params: Params) -> bool:
    message = _own_message(telegram, params)
    message.deleted = True
    message.deleted_by = telegram.bot.id
    telegram.show_ephemeral(message)
    return True


def _own_message(telegram: Telegram, params: Params) -> Message:
    """One of the bot's own, found by its identifier and its receiver."""
    chat = access.readable_chat(telegram, params)
    message = chat.live_ephemeral(params.integer("ephemeral_message_id"))
    receiver_id = params.integer("receiver_user_id")
    if (
        message is None
        or message.author_id() != telegram.bot.id
        or message.body["receiver_user"]["id"] != receiver_id
    ):
        raise bad_request("MESSAGE_ID_INVALID")
    return message
