"""The menus of commands: what is offered where; who may use what is checked by each handler."""

from collections.abc import Sequence

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeUnion,
)

from bot.language import LANGUAGES, language
from bot.telegram import describe

log = structlog.get_logger()
PRIVATE = ("start", "settings", "review", "check", "why", "forget", "help")
OPERATORS = (*PRIVATE, "stats", "status", "retrain", "model")
MEMBERS = ("rules", "why", "report")
ADMINISTRATORS = (
    "settings", "status", "stats", "review", "modchat", "exempt", "rules", "why", "report",
)  # fmt: skip
EPHEMERAL = {"rules", "why", "status", "settings"}  # seen by the asker alone, where servers can


async def set_all(bot: Bot) -> None:
    """The menus of private chats, of groups and of their administrators."""
    await _set(bot, BotCommandScopeAllPrivateChats(), PRIVATE)
    await _set(bot, BotCommandScopeAllGroupChats(), MEMBERS, are_ephemeral=True)
    await _set(bot, BotCommandScopeAllChatAdministrators(), ADMINISTRATORS, are_ephemeral=True)


async def set_operators(bot: Bot, operators: Sequence[int]) -> None:
    """The menu of each operator's private chat; Telegram has none of who never wrote to the bot."""
    for operator in operators:
        try:
            await _set(bot, BotCommandScopeChat(chat_id=operator), OPERATORS)
        except AiogramError as error:
            log.info("operator has no menu", user=operator, reason=describe(error))


async def _set(
    bot: Bot, scope: BotCommandScopeUnion, names: Sequence[str], *, are_ephemeral: bool = False
) -> None:
    for code in (None, *LANGUAGES):
        words = language(code or "ru")
        commands = [
            BotCommand(
                command=name,
                description=words.plain(f"command.{name}"),
                is_ephemeral=(are_ephemeral and name in EPHEMERAL) or None,
            )
            for name in names
        ]
        await bot.set_my_commands(commands, scope=scope, language_code=code)
