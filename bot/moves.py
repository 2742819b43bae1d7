"""Calls to a group that has become a supergroup meanwhile: noted, and repeated there."""

from typing import Any

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import TelegramMigrateToChat
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType

from moderation import groups
from moderation.database import Sessions

log = structlog.get_logger()
_NUMBERS = ("message_id", "message_ids")


class Moves(BaseRequestMiddleware):
    """Follows a group to its new id, even where the bot missed the message that tells of it."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """Send `method`, a second time with the new id if Telegram names one."""
        try:
            return await make_request(bot, method)
        except TelegramMigrateToChat as error:
            old = getattr(method, "chat_id", None)
            if not isinstance(old, int):
                raise
            new = error.migrate_to_chat_id
            async with self._sessions.begin() as session:
                moved = await groups.rekey(session, old, new)
            log.info("group became a supergroup", old=old, new=new, moved=moved)
            if any(getattr(method, name, None) for name in _NUMBERS):
                raise  # numbers of messages mean other messages there
            changes: dict[str, Any] = {"chat_id": new}
            if getattr(method, "reply_parameters", None) is not None:
                changes["reply_parameters"] = None
            return await make_request(bot, method.model_copy(update=changes))
