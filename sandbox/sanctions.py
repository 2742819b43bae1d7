"""Bot API methods that restrict, ban and let back."""

from sandbox import access, membership
from sandbox.answers import Json, bad_request
from sandbox.chats import CHANNEL, PRIVATE, SUPERGROUP, Chat
from sandbox.members import (
    ALL_PERMISSIONS,
    KICKED,
    LEFT,
    MEDIA_PERMISSIONS,
    MEMBER,
    PERMISSIONS,
    RESTRICTED,
    Member,
)
from sandbox.params import Params
from sandbox.telegram import Telegram

SHORTEST_SECONDS = 30
LONGEST_SECONDS = 366 * 86400
# A permission left out follows another one.
FOLLOWED = {
    "can_react_to_messages": "can_send_messages",
    "can_edit_tag": "can_pin_messages",
    "can_manage_topics": "can_pin_messages",
}


def restrict_chat_member(telegram: Telegram, params: Params) -> bool:
    user_id = access.target_id(params)
    permissions = _permissions(params)
    chat = access.readable_chat(telegram, params)
    if chat.type != SUPERGROUP:
        raise bad_request("method is available only for supergroups")
    member = access.target_member(telegram, chat, user_id)
    access.check_may_restrict(telegram, chat, member)
    until_date = _until_date(telegram, params)
    membership.change(
        telegram, chat, _restricted(member, permissions, until_date), by=telegram.bot.id
    )
    return True


def ban_chat_member(telegram: Telegram, params: Params) -> bool:
    user_id = access.target_id(params)
    chat = access.readable_chat(telegram, params)
    if chat.type == PRIVATE:
        raise bad_request("chat member status can't be changed in private chats")
    member = access.target_member(telegram, chat, user_id)
    access.check_may_restrict(telegram, chat, member)
    banned = Member(user_id, KICKED, until_date=_until_date(telegram, params))
    membership.change(telegram, chat, banned, by=telegram.bot.id)
    return True


def unban_chat_member(telegram: Telegram, params: Params) -> bool:
    """Without only_if_banned this throws out even a member in good standing."""
    user_id = access.target_id(params)
    chat = _supergroup_or_channel(telegram, params)
    member = access.target_member(telegram, chat, user_id)
    if params.flag("only_if_banned") and member.status != KICKED:
        return True
    access.check_may_restrict(telegram, chat, member)
    if member.status != LEFT:
        membership.change(telegram, chat, Member(user_id, LEFT), by=telegram.bot.id)
    return True


def ban_chat_sender_chat(telegram: Telegram, params: Params) -> bool:
    chat, sender_id = _sender_chat(telegram, params)
    chat.banned_senders.add(sender_id)
    return True


def unban_chat_sender_chat(telegram: Telegram, params: Params) -> bool:
    chat, sender_id = _sender_chat(telegram, params)
    chat.banned_senders.discard(sender_id)
    return True


def parse_permissions(given: Json, *, independent: bool) -> frozenset[str]:
    """The permissions granted, with those that Telegram lets them imply."""
    granted = {name for name in PERMISSIONS if given.get(name) is True}
    if not independent:
        if granted & {"can_send_other_messages", "can_add_web_page_previews"}:
            granted |= {"can_send_messages", *MEDIA_PERMISSIONS}
        if "can_send_polls" in granted:
            granted.add("can_send_messages")
    granted |= {
        name for name, leader in FOLLOWED.items() if name not in given and leader in granted
    }
    return frozenset(granted)


def _permissions(params: Params) -> frozenset[str]:
    given = params.json("permissions")
    if given is None and params.text("permissions"):
        raise bad_request("can't parse permissions JSON object")
    if given is not None and not isinstance(given, dict):
        raise bad_request("object expected as permissions")
    independent = params.flag("use_independent_chat_permissions")
    return parse_permissions(given or {}, independent=independent)


def _restricted(member: Member, permissions: frozenset[str], until_date: int) -> Member:
    if permissions == ALL_PERMISSIONS:
        return Member(member.user_id, MEMBER if member.is_present else LEFT)
    return Member(
        member.user_id,
        RESTRICTED,
        permissions=permissions,
        until_date=until_date,
        is_member=member.is_present,
    )


def _until_date(telegram: Telegram, params: Params) -> int:
    """Too near or too far a date means for ever."""
    until_date = params.integer("until_date")
    ahead = until_date - telegram.clock.now()
    return until_date if SHORTEST_SECONDS <= ahead <= LONGEST_SECONDS else 0


def _supergroup_or_channel(telegram: Telegram, params: Params) -> Chat:
    chat = access.readable_chat(telegram, params)
    if chat.type not in (SUPERGROUP, CHANNEL):
        raise bad_request("method is available for supergroup and channel chats only")
    return chat


def _sender_chat(telegram: Telegram, params: Params) -> tuple[Chat, int]:
    sender_id = params.integer("sender_chat_id")
    if not sender_id:
        raise bad_request("invalid sender_chat_id specified")
    chat = _supergroup_or_channel(telegram, params)
    if sender_id not in telegram.chats:
        raise bad_request("chat not found")
    if not telegram.bot_member(chat).has_right("can_restrict_members"):
        raise bad_request(access.NOT_ENOUGH_TO_RESTRICT)
    return chat, sender_id
