"""What people do: write, edit, delete, press buttons."""

from sandbox import keyboards
from sandbox.answers import Json
from sandbox.callbacks import Callback
from sandbox.chats import (
    ANONYMOUS_ADMINISTRATOR,
    CHANNEL,
    CHANNEL_SENDER,
    GROUP,
    LINKED_CHANNEL,
    SUPERGROUP,
    Chat,
    Message,
)
from sandbox.entities import detect
from sandbox.members import KICKED
from sandbox.telegram import ImpossibleError, Telegram

# What a restricted member needs in order to send a message with this part.
NEEDED = {
    "poll": "can_send_polls",
    "photo": "can_send_photos",
    "video": "can_send_videos",
    "animation": "can_send_other_messages",
    "sticker": "can_send_other_messages",
    "audio": "can_send_audios",
    "document": "can_send_documents",
    "voice": "can_send_voice_notes",
    "video_note": "can_send_video_notes",
}


def write(telegram: Telegram, chat: Chat, user_id: int | None, extra: Json) -> Message:
    """Post a person's message; `extra` is merged into it as it is."""
    body = _author(telegram, chat, user_id, extra) | {
        name: part for name, part in extra.items() if name not in ("sender_chat", "from")
    }
    if user_id is not None and "sender_chat" not in extra:
        _check_may_write(telegram, chat, user_id, body)
    _add_entities(body)
    _add_reply(chat, body)
    if body.get("is_topic_message"):
        chat.topics.add(int(body["message_thread_id"]))
    if chat.user and user_id == chat.user.id:
        chat.user.has_started = True
    if body.pop("ephemeral", False) and telegram.features["ephemeral"]:
        return _whisper(telegram, chat, body)
    return telegram.post(chat, body)


def edit(telegram: Telegram, chat: Chat, message_id: int, extra: Json) -> Message:
    message = _live(chat, message_id)
    for name in ("text", "caption"):
        if name in extra:
            message.body.pop("entities" if name == "text" else "caption_entities", None)
    message.body = message.body | extra
    _add_entities(message.body)
    telegram.edited(chat, message)
    return message


def delete(telegram: Telegram, chat: Chat, message_id: int, user_id: int) -> Message:
    """Delete one's own message, or as an administrator anyone's: no bot hears of it."""
    message = _live(chat, message_id)
    may_delete = telegram.member(chat, user_id).has_right("can_delete_messages")
    if message.author_id() != user_id and not may_delete:
        msg = "the user may not delete this message"
        raise ImpossibleError(msg)
    telegram.delete(message, by=user_id)
    return message


def press(telegram: Telegram, chat: Chat, user_id: int, pressed: Json) -> Callback:
    """Press a button found by its text, or send any data as a forged client can."""
    message = _pressed_message(chat, user_id, pressed)
    data = pressed.get("data")
    if data is None:
        data = _button_data(message, str(pressed.get("button", "")))
    identifier = str(telegram.next_identifier() + 4_000_000_000_000_000_000)
    gone = {"chat": chat.shape(), "message_id": message.id, "date": 0}
    shape: Json = {
        "id": identifier,
        "from": telegram.user(user_id).shape(),
        "chat_instance": str(-chat.id),
        "message": gone if message.deleted else dict(message.body),
        "data": data,
    }
    callback = Callback(identifier, shape, telegram.clock.time())
    telegram.callbacks[identifier] = callback
    telegram.updates.add("callback_query", shape, lane=f"callback_query {user_id}")
    telegram.journal.tell("callback", callback=callback.state())
    return callback


def _whisper(telegram: Telegram, chat: Chat, body: Json) -> Message:
    """An ephemeral message to the bot, as a client sends a command marked is_ephemeral."""
    if chat.type not in (GROUP, SUPERGROUP) or "sender_chat" in body:
        msg = "only members of a group write ephemeral messages, under their own names"
        raise ImpossibleError(msg)
    if not telegram.bot_member(chat).is_present:
        msg = "the bot is not in this chat"
        raise ImpossibleError(msg)
    return telegram.whisper(chat, body | {"receiver_user": telegram.bot.shape()})


def _pressed_message(chat: Chat, user_id: int, pressed: Json) -> Message:
    """The message with the button; an ephemeral one is there for its receiver alone."""
    if ephemeral_id := pressed.get("ephemeral_message_id"):
        message = chat.live_ephemeral(int(ephemeral_id))
        if message and message.body["receiver_user"]["id"] != user_id:
            message = None
    else:
        message = chat.messages.get(int(pressed["message_id"]))
    if message is None:
        msg = "there is no such message"
        raise ImpossibleError(msg)
    return message


def _live(chat: Chat, message_id: int) -> Message:
    message = chat.live_message(message_id)
    if message is None:
        msg = "there is no such message"
        raise ImpossibleError(msg)
    return message


def _author(telegram: Telegram, chat: Chat, user_id: int | None, extra: Json) -> Json:
    """Those who write as a chat are shown as one of Telegram's service accounts."""
    sender = extra.get("sender_chat") or _anonymous_sender(telegram, chat, user_id)
    if sender is None:
        if chat.type == CHANNEL:
            return {"sender_chat": chat.shape()}
        if user_id is None:
            msg = "a message needs a user_id or a sender_chat"
            raise ImpossibleError(msg)
        return {"from": telegram.user(user_id).shape()}
    sender_chat = _sender_chat(telegram, sender)
    if sender_chat.id in chat.banned_senders:
        msg = "this sender chat is banned here"
        raise ImpossibleError(msg)
    account = CHANNEL_SENDER
    if sender_chat.id == chat.id:
        account = ANONYMOUS_ADMINISTRATOR
    elif extra.get("is_automatic_forward"):
        account = LINKED_CHANNEL
    return {"from": extra.get("from", account.shape()), "sender_chat": sender_chat.shape()}


def _anonymous_sender(telegram: Telegram, chat: Chat, user_id: int | None) -> int | None:
    """An anonymous administrator writes as the chat itself."""
    member = telegram.member(chat, user_id) if user_id is not None else None
    is_anonymous = member is not None and member.is_administrator and member.is_anonymous
    return chat.id if is_anonymous and chat.type in (GROUP, SUPERGROUP) else None


def _sender_chat(telegram: Telegram, sender: object) -> Chat:
    """A chat given by its identifier or whole; one never seen becomes known."""
    shape: Json = sender if isinstance(sender, dict) else {"id": sender}
    chat_id = int(shape["id"])
    known = telegram.chats.get(chat_id)
    if known is None:
        title = shape.get("title", "Канал")
        known = Chat(chat_id, shape.get("type", CHANNEL), title, shape.get("username"))
        telegram.chats[chat_id] = known
    return known


def _check_may_write(telegram: Telegram, chat: Chat, user_id: int, body: Json) -> None:
    member = telegram.member(chat, user_id)
    if member.is_administrator:
        return
    if not member.is_present:
        outcome = "is banned in" if member.status == KICKED else "is not a member of"
        msg = f"the user {outcome} this chat"
        raise ImpossibleError(msg)
    needed = {NEEDED[part] for part in NEEDED if part in body} or {"can_send_messages"}
    if not all(member.may(permission) and permission in chat.permissions for permission in needed):
        until = f" until {member.until_date}" if member.until_date else ""
        msg = f"the user is restricted in this chat{until}"
        raise ImpossibleError(msg)


def _add_entities(body: Json) -> None:
    for name, entities_name in (("text", "entities"), ("caption", "caption_entities")):
        if entities_name in body or not isinstance(body.get(name), str):
            continue
        if entities := detect(body[name]):
            body[entities_name] = entities


def _add_reply(chat: Chat, body: Json) -> None:
    replied_id = body.pop("reply_to_message_id", None)
    if replied_id is None:
        return
    replied = chat.live_message(int(replied_id))
    if replied is None:
        msg = "there is no message to reply to"
        raise ImpossibleError(msg)
    body["reply_to_message"] = replied.as_reply()


def _button_data(message: Message, text: str) -> str:
    button = keyboards.find(message.body.get("reply_markup"), text)
    if button is None or "callback_data" not in button:
        msg = f"the message has no such button: {text!r}"
        raise ImpossibleError(msg)
    return str(button["callback_data"])
