"""The state as the control API shows it."""

from dataclasses import asdict

from sandbox.answers import Json
from sandbox.chats import Chat, User
from sandbox.members import PERMISSIONS, RESTRICTED, Member
from sandbox.telegram import Telegram


def snapshot(telegram: Telegram) -> Json:
    updates = telegram.updates
    return {
        "now": telegram.clock.now(),
        "bot_id": telegram.bot.id,
        "features": telegram.features,
        "users": [user_state(user) for user in telegram.users.values()],
        "chats": [chat_whole(telegram, chat) for chat in telegram.chats.values()],
        "queue_length": len(updates.pending),
        "confirmed_offset": updates.confirmed_offset,
        "allowed_updates": sorted(updates.allowed),
        "webhook": telegram.webhook.url,
        "faults": [asdict(fault) for fault in telegram.faults.planned],
        "commands": [
            {"scope": scope, "language_code": language, "commands": commands}
            for (scope, language), commands in telegram.commands.items()
        ],
    }


def user_state(user: User) -> Json:
    flags = {"has_started": user.has_started, "has_blocked": user.has_blocked}
    return user.shape() | flags


def chat_whole(telegram: Telegram, chat: Chat) -> Json:
    """A chat with all that was ever written in it."""
    return chat_state(telegram, chat) | {
        "messages": [message.state() for message in chat.messages.values()],
        "ephemeral": [message.ephemeral_state() for message in chat.ephemeral.values()],
    }


def chat_state(telegram: Telegram, chat: Chat) -> Json:
    """A chat and its members, without the messages."""
    members = [telegram.member(chat, user_id) for user_id in list(chat.members)]
    return chat.shape() | {
        "members": [member_state(telegram, chat, member) for member in members],
        "banned_senders": sorted(chat.banned_senders),
        "migrated_to": chat.migrated_to,
    }


def member_state(telegram: Telegram, chat: Chat, member: Member) -> Json:
    """The ChatMember with its user's identifier, and the permissions of the restricted."""
    granted = {name: name in member.permissions for name in PERMISSIONS}
    return telegram.member_shape(chat, member) | {
        "user_id": member.user_id,
        "until_date": member.until_date,
        "permissions": granted if member.status == RESTRICTED else None,
    }
