"""Deleting messages of a chat: one at once, many in hundreds, each with an outcome of its own."""

from collections.abc import Awaitable, Callable, Sequence

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest

MOST = 100  # that Telegram takes in one call


async def delete(
    bot: Bot, chat_id: int, message_ids: Sequence[int], may: Callable[[], Awaitable[bool]]
) -> dict[int, AiogramError | None]:
    """Delete messages, those already gone included; the error of each that stands.

    `may` tells, after a refusal, whether the bot has the right at all.
    """
    outcomes: dict[int, AiogramError | None] = {}
    ids = list(dict.fromkeys(message_ids))
    for start in range(0, len(ids), MOST):
        outcomes |= await _delete(bot, chat_id, ids[start : start + MOST], may)
    return outcomes


async def _delete(
    bot: Bot, chat_id: int, ids: Sequence[int], may: Callable[[], Awaitable[bool]]
) -> dict[int, AiogramError | None]:
    try:
        if len(ids) == 1:
            await bot.delete_message(chat_id, ids[0])
        else:
            await bot.delete_messages(chat_id, list(ids))
    except TelegramBadRequest as error:
        # One that can't be deleted keeps all of them. Halves find it in few calls.
        if len(ids) == 1 or not await may():
            return dict.fromkeys(ids, error)
        middle = len(ids) // 2
        first = await _delete(bot, chat_id, ids[:middle], may)
        return first | await _delete(bot, chat_id, ids[middle:], may)
    except AiogramError as error:
        return dict.fromkeys(ids, error)
    return dict.fromkeys(ids, None)
