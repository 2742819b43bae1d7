"""Where something was written, as filters: coroutines, since aiogram sends each magic filter to a
thread and back, several of them for every message."""

from aiogram.types import ChatMemberUpdated, Message

GROUPS = ("group", "supergroup")


async def in_groups(event: Message | ChatMemberUpdated) -> bool:
    """In a group, of either kind."""
    return event.chat.type in GROUPS


async def in_private(message: Message) -> bool:
    """To the bot alone."""
    return message.chat.type == "private"
