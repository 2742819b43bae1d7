"""What the bot may do in a group: as last seen, looked at anew when an act is refused."""

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from cachetools import TTLCache

from bot import refusals
from bot.greeting import missing
from bot.language import language
from bot.members import rights_of
from bot.telegram import GetRawChatMember, describe
from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.states import Act
from moderation.tables import Chat

log = structlog.get_logger()

LOOK_SECONDS = 15 * 60  # rights that are given back without a word are found this soon
_NEEDED = {Act.DELETE: "can_delete_messages"} | dict.fromkeys(
    (Act.MUTE, Act.BAN, Act.UNMUTE, Act.UNBAN), "can_restrict_members"
)


class Rights:
    """Keeps acts from groups where they would be refused, without asking each time."""

    def __init__(self, bot: Bot, sessions: Sessions, look_seconds: float = LOOK_SECONDS) -> None:
        self._bot = bot
        self._sessions = sessions
        self._looked: TTLCache[int, bool] = TTLCache(10_000, look_seconds)

    async def lack(self, chat_id: int, act: Act) -> str | None:
        """Why an act would be refused in a group, as the key of the reason; None if it may be
        tried."""
        async with self._sessions() as session:
            chat = await session.get_one(Chat, chat_id)
        return _lack(chat, act) and _lack(await self.look(chat), act)

    async def look(self, chat: Chat) -> Chat:
        """Ask Telegram, unless that was done a while ago, and tell of a loss once."""
        if chat.id in self._looked or chat.moved_to is not None:
            return chat
        self._looked[chat.id] = True
        try:
            member = await self._bot(GetRawChatMember(chat_id=chat.id, user_id=self._bot.id))
            rights = rights_of(member)
        except AiogramError as error:
            if not refusals.is_outside(error):
                log.info("rights unknown", chat=chat.id, reason=describe(error))
                return chat
            rights = None
        return await self._note(chat.id, rights)

    async def _note(self, chat_id: int, rights: list[str] | None) -> Chat:
        async with self._sessions.begin() as session:
            chat = await session.get_one(Chat, chat_id)
            known, was_in = chat.rights, chat.is_active
            chat.is_active, chat.rights = rights is not None, rights
            if was_in and rights is None:
                chat.removed_at = now()
            elif rights is not None:
                chat.removed_at = None
        if (known, was_in) != (rights, rights is not None):
            log.info("rights changed", chat=chat_id, active=chat.is_active, rights=rights)
        if rights is not None and set(known or []) - set(rights):
            await tell_lost(self._bot, chat)
        return chat


async def tell_lost(bot: Bot, chat: Chat) -> None:
    """Rights were taken away: the owner hears of it in private, since old greetings go unread; the
    moderators read it on each card."""
    if chat.owner_id is None or not missing(chat):
        return
    words = language(Preferences.of(chat.preferences).language)
    try:
        await bot.send_message(chat.owner_id, words("greeting.lost", title=chat.title))
    except AiogramError as error:
        log.info("owner not told of lost rights", chat=chat.id, reason=describe(error))


def _lack(chat: Chat, act: Act) -> str | None:
    if not chat.is_active:
        return "not_member"
    needed = _NEEDED.get(act)
    if needed is None or chat.rights is None or needed in chat.rights:
        return None
    return f"no_{needed}"
