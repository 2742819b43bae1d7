"""What the bot may reach: a chat it is in, a message that is there, a right it holds."""

from sandbox.answers import ApiError, bad_request, forbidden
from sandbox.chats import CHANNEL, PRIVATE, SUPERGROUP, Chat, Message
from sandbox.members import KICKED, Member
from sandbox.params import Params
from sandbox.telegram import Telegram

NOT_ENOUGH_TO_RESTRICT = "not enough rights to restrict/unrestrict chat member"


def known_chat(telegram: Telegram, params: Params, name: str = "chat_id") -> Chat:
    """A chat the bot has seen, wherever it stands there now."""
    value = params.text(name)
    if not value:
        raise bad_request(f"{name} is empty")
    chat = _by_username(telegram, value) if value.startswith("@") else _by_id(telegram, value)
    if chat is None or telegram.bot.id not in chat.members:
        raise bad_request("chat not found")
    return chat


def readable_chat(telegram: Telegram, params: Params, name: str = "chat_id") -> Chat:
    """A chat the bot is in: reads need that too."""
    chat = known_chat(telegram, params, name)
    if chat.migrated_to:
        description = "Bad Request: group chat was upgraded to a supergroup chat"
        raise ApiError(400, description, migrate_to_chat_id=chat.migrated_to)
    if chat.is_deleted:
        raise forbidden("the group chat was deleted")
    if not chat.user:
        _check_presence(chat, telegram.bot_member(chat))
    return chat


def writable_chat(telegram: Telegram, params: Params) -> Chat:
    chat = readable_chat(telegram, params)
    if not chat.user:
        return chat
    if chat.user.is_deleted:
        raise forbidden("user is deactivated")
    if chat.user.has_blocked:
        raise forbidden("bot was blocked by the user")
    if chat.user.is_bot:
        raise forbidden("bot can't send messages to bots")
    if not chat.user.has_started:
        raise forbidden("bot can't initiate conversation with a user")
    return chat


def check_may_send(telegram: Telegram, chat: Chat, permission: str) -> None:
    """The last thing Telegram looks at: whether the bot may post this kind of content."""
    bot = telegram.bot_member(chat)
    if chat.type == CHANNEL and not bot.has_right("can_post_messages"):
        raise bad_request("need administrator rights in the channel chat")
    allowed = bot.is_administrator or (permission in chat.permissions and bot.may(permission))
    if chat.type != PRIVATE and not allowed:
        kind = permission.removeprefix("can_send_").replace("messages", "text messages")
        raise bad_request(f"not enough rights to send {kind} to the chat")


def message_of(chat: Chat, params: Params, purpose: str) -> Message:
    """The message a call is about; `purpose` ends its name in the refusal."""
    message_id = params.integer("message_id")
    if not message_id:
        raise bad_request("message identifier is not specified")
    message = chat.live_message(message_id)
    if message is None:
        raise bad_request(f"message to {purpose} not found")
    return message


def target_id(params: Params) -> int:
    user_id = params.integer("user_id")
    if user_id <= 0:
        raise bad_request("invalid user_id specified")
    return user_id


def target_member(telegram: Telegram, chat: Chat, user_id: int) -> Member:
    user = telegram.users.get(user_id)
    if user is None:
        raise bad_request("member not found")
    if user.is_deleted:
        raise bad_request("PARTICIPANT_ID_INVALID")
    return telegram.member(chat, user_id)


def check_may_restrict(telegram: Telegram, chat: Chat, member: Member) -> None:
    """Nobody restricts the owner, an administrator, or itself."""
    bot = telegram.bot_member(chat)
    if member.status == "creator":
        raise bad_request("can't remove chat owner")
    if member.user_id == bot.user_id:
        raise bad_request("can't restrict self")
    if chat.type not in (SUPERGROUP, CHANNEL) and not bot.is_administrator:
        raise bad_request("CHAT_ADMIN_REQUIRED")
    if not bot.has_right("can_restrict_members"):
        raise bad_request(NOT_ENOUGH_TO_RESTRICT)
    if member.is_administrator:
        raise bad_request("user is an administrator of the chat")


def _by_id(telegram: Telegram, value: str) -> Chat | None:
    try:
        return telegram.chat(int(value))
    except ValueError:
        return None


def _by_username(telegram: Telegram, value: str) -> Chat | None:
    name = value[1:].lower()
    chats = telegram.chats.values()
    return next((chat for chat in chats if (chat.username or "").lower() == name), None)


def _check_presence(chat: Chat, bot: Member) -> None:
    if not bot.is_present:
        outcome = "was kicked from" if bot.status == KICKED else "is not a member of"
        raise forbidden(f"bot {outcome} the {chat.type} chat")
