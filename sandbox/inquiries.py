"""Bot API methods about a chat as a whole: who is in it, its links, leaving it."""

from sandbox import access, membership
from sandbox.answers import Json, bad_request
from sandbox.chats import PRIVATE, Chat
from sandbox.members import CREATOR, LEFT, Member
from sandbox.params import Params
from sandbox.telegram import Telegram

MAX_LINK_NAME = 32


def get_chat(telegram: Telegram, params: Params) -> Json:
    return access.readable_chat(telegram, params).full_shape()


def get_chat_member(telegram: Telegram, params: Params) -> Json:
    user_id = access.target_id(params)
    chat = access.readable_chat(telegram, params)
    return telegram.member_shape(chat, access.target_member(telegram, chat, user_id))


def get_chat_administrators(telegram: Telegram, params: Params) -> list[Json]:
    """The owner comes first, other bots are left out."""
    chat = access.readable_chat(telegram, params)
    if chat.type == PRIVATE:
        raise bad_request("there are no administrators in the private chat")
    members = [member for member in _members(telegram, chat) if member.is_administrator]
    members.sort(key=lambda member: member.status != CREATOR)
    return [
        telegram.member_shape(chat, member)
        for member in members
        if member.user_id == telegram.bot.id or not telegram.users[member.user_id].is_bot
    ]


def get_chat_member_count(telegram: Telegram, params: Params) -> int:
    chat = access.readable_chat(telegram, params)
    return sum(member.is_present for member in _members(telegram, chat))


def leave_chat(telegram: Telegram, params: Params) -> bool:
    chat = access.readable_chat(telegram, params)
    if chat.type == PRIVATE:
        raise bad_request("chat member status can't be changed in private chats")
    membership.change(telegram, chat, Member(telegram.bot.id, LEFT), by=telegram.bot.id)
    return True


def send_chat_action(telegram: Telegram, params: Params) -> bool:
    if not params.text("action"):
        raise bad_request("wrong parameter action in request")
    access.writable_chat(telegram, params)
    return True


def export_chat_invite_link(telegram: Telegram, params: Params) -> str:
    chat = _inviting_chat(telegram, params)
    for link in chat.invite_links:
        link["is_revoked"] = link["is_revoked"] or link["is_primary"]
    return str(_new_link(telegram, chat, is_primary=True)["invite_link"])


def create_chat_invite_link(telegram: Telegram, params: Params) -> Json:
    if len(params.text("name")) > MAX_LINK_NAME:
        raise bad_request("invite link name is too long")
    link = _new_link(telegram, _inviting_chat(telegram, params), is_primary=False)
    link["creates_join_request"] = params.flag("creates_join_request")
    if name := params.text("name"):
        link["name"] = name
    for limit in ("expire_date", "member_limit"):
        if value := params.integer(limit):
            link[limit] = value
    return link


def _members(telegram: Telegram, chat: Chat) -> list[Member]:
    return [telegram.member(chat, user_id) for user_id in list(chat.members)]


def _inviting_chat(telegram: Telegram, params: Params) -> Chat:
    chat = access.readable_chat(telegram, params)
    if not telegram.bot_member(chat).has_right("can_invite_users"):
        raise bad_request("not enough rights to manage chat invite link")
    return chat


def _new_link(telegram: Telegram, chat: Chat, *, is_primary: bool) -> Json:
    link: Json = {
        "invite_link": f"https://t.me/+sandbox{telegram.next_identifier():010}",
        "creator": telegram.bot.shape(),
        "creates_join_request": False,
        "is_primary": is_primary,
        "is_revoked": False,
    }
    chat.invite_links.append(link)
    return link
