"""Who is what in a chat, asked of Telegram and remembered for a minute."""

from typing import Any

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramForbiddenError
from aiogram.types import Message
from cachetools import TTLCache

from bot.telegram import GetRawAdministrators, GetRawChat, GetRawChatMember

# Without them the bot can only report.
NEEDED_RIGHTS = ("can_delete_messages", "can_restrict_members")
_SECONDS = 60


class Members:
    """Members by chat and id, and the channel that a chat discusses."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._known: TTLCache[tuple[int, int], dict[str, Any]] = TTLCache(10_000, _SECONDS)
        self._linked: TTLCache[int, int | None] = TTLCache(1_000, _SECONDS)

    async def member(self, chat_id: int, user_id: int) -> dict[str, Any]:
        """The ChatMember as Telegram sent it; status "left" for somebody unknown there."""
        key = (chat_id, user_id)
        if key not in self._known:
            try:
                found = await self._bot(GetRawChatMember(chat_id=chat_id, user_id=user_id))
            except (TelegramBadRequest, TelegramForbiddenError):
                found = {"status": "left"}
            self._known[key] = found
        return self._known[key]

    async def is_administrator(self, chat_id: int, user_id: int) -> bool:
        """Whether the bot must leave this person alone."""
        member = await self.member(chat_id, user_id)
        return member.get("status") in ("creator", "administrator")

    async def is_linked(self, chat_id: int, channel_id: int) -> bool:
        """Whether a channel is the one that a group discusses: what it writes in its own name is
        the owners' word. Not so if Telegram doesn't say."""
        if chat_id not in self._linked:
            try:
                found = await self._bot(GetRawChat(chat_id=chat_id))
            except AiogramError:
                found = {}
            self._linked[chat_id] = found.get("linked_chat_id")
        return self._linked[chat_id] == channel_id

    async def is_moderator(self, chat_id: int, user_id: int) -> bool:
        """Whether this person may decide cases of the chat: asked anew, for an administrator can
        have been demoted a moment ago."""
        self.forget(chat_id, user_id)
        return _moderates(await self.member(chat_id, user_id))

    async def is_anonymous_moderator(self, chat_id: int) -> bool:
        """Whether somebody who writes in the name of the chat moderates it. Telegram doesn't tell
        who that is, so each of those who could be must be a moderator."""
        try:
            found = await self._bot(GetRawAdministrators(chat_id=chat_id))
        except (TelegramBadRequest, TelegramForbiddenError):
            return False
        hidden = [member for member in found if member.get("is_anonymous")]
        return bool(hidden) and all(map(_moderates, hidden))  # one may just have been demoted

    async def may(self, chat_id: int, user_id: int, right: str) -> bool:
        """Whether a moderator has one certain right."""
        member = await self.member(chat_id, user_id)
        is_administrator = member.get("status") == "administrator"
        return member.get("status") == "creator" or (is_administrator and bool(member.get(right)))

    def forget(self, chat_id: int, user_id: int) -> None:
        """Ask Telegram again next time."""
        self._known.pop((chat_id, user_id), None)


def _moderates(member: dict[str, Any]) -> bool:
    if member.get("status") == "creator":
        return True
    return member.get("status") == "administrator" and any(map(member.get, NEEDED_RIGHTS))


def rights_of(member: dict[str, Any]) -> list[str] | None:
    """The needed rights that a ChatMember has; None for one that isn't in the chat."""
    if member.get("status") in ("left", "kicked"):
        return None
    if member.get("status") == "creator":
        return list(NEEDED_RIGHTS)
    return [right for right in NEEDED_RIGHTS if member.get(right)]


def is_anonymous(message: Message) -> bool:
    """Whether an administrator wrote a message in the name of the chat itself."""
    return message.sender_chat is not None and message.sender_chat.id == message.chat.id
