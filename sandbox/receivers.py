"""The receiver of an ephemeral message: who may be one, and when the bot may write to them."""

from sandbox.answers import Json, bad_request
from sandbox.chats import GROUP, SUPERGROUP, Chat, User
from sandbox.params import Params
from sandbox.telegram import Telegram

# How long a press or an ephemeral message lets a bot that is no administrator answer it.
ANSWERABLE_SECONDS = 15
NOT_FOUND = "message to be replied not found"


def receiver(telegram: Telegram, chat: Chat, params: Params) -> User | None:
    """The one person a message is for; None when everyone sees it."""
    if not telegram.features["ephemeral"]:
        return None
    asked, replied_id = _asked(params), _replied_id(params)
    if asked is None:
        if replied_id:
            raise bad_request(NOT_FOUND)
        return None
    user = _participant(telegram, chat, asked.get("receiver_user_id"))
    has_pressed = _has_pressed(telegram, chat, user, str(asked.get("callback_query_id", "")))
    has_written = _has_written(telegram, chat, user, replied_id)
    if replied_id and not has_written:
        raise bad_request(NOT_FOUND)
    if not (telegram.bot_member(chat).is_administrator or has_pressed or has_written):
        raise bad_request("CHAT_ADMIN_REQUIRED")
    return user


def _asked(params: Params) -> Json | None:
    """What EphemeralMessageParameters say, in one parameter (10.3) or in several (10.2)."""
    if params.text("ephemeral_message_parameters"):
        return params.object("ephemeral_message_parameters")
    if params.text("receiver_user_id"):
        names = ("receiver_user_id", "callback_query_id")
        return {name: params.text(name) for name in names}
    return None


def _replied_id(params: Params) -> str:
    """The incoming ephemeral message that this one answers."""
    return str(params.object("reply_parameters").get("ephemeral_message_id") or "")


def _participant(telegram: Telegram, chat: Chat, user_id: object) -> User:
    user = telegram.users.get(int(str(user_id))) if str(user_id).isdecimal() else None
    if user is None or user.is_deleted or chat.type not in (GROUP, SUPERGROUP):
        raise bad_request("PEER_ID_INVALID")
    if user.is_bot:
        raise bad_request("USER_IS_BOT")
    if not telegram.member(chat, user.id).is_present:
        raise bad_request("USER_NOT_PARTICIPANT")
    return user


def _has_pressed(telegram: Telegram, chat: Chat, user: User, query_id: str) -> bool:
    callback = telegram.callbacks.get(query_id)
    if callback is None or telegram.clock.time() - callback.time > ANSWERABLE_SECONDS:
        return False
    state = callback.state()
    return bool(state["user_id"] == user.id and state["chat_id"] == chat.id)


def _has_written(telegram: Telegram, chat: Chat, user: User, ephemeral_id: str) -> bool:
    message = chat.live_ephemeral(int(ephemeral_id)) if ephemeral_id.isdecimal() else None
    if message is None or telegram.clock.now() - message.date > ANSWERABLE_SECONDS:
        return False
    return message.author_id() == user.id
