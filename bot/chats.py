"""Groups: being added, rights, presets, connecting the moderators' chat."""

import re
from html import escape

import structlog
from aiogram import Bot, F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.filters.callback_data import CallbackData
from aiogram.types import (
    CallbackQuery,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)

from bot import texts
from bot.members import Members, rights_of
from bot.review import Id
from moderation import store
from moderation.database import Sessions
from moderation.policy import PRESETS
from moderation.tables import Chat

log = structlog.get_logger()
IN_GROUPS = F.chat.type.in_({"group", "supergroup"})
_MODCHAT = re.compile(r"modchat_(-?[0-9]{1,18})")  # a link can be forged; more is no chat's id
_ADMIN_RIGHTS = "delete_messages+restrict_members"


class Preset(CallbackData, prefix="p"):
    """A button that sets the preset of a group."""

    chat: Id
    name: str


def router() -> Router:
    """The handlers of membership and of the commands about a group."""
    groups = Router(name="chats")
    groups.my_chat_member.register(on_my_chat_member, IN_GROUPS)
    groups.chat_member.register(on_chat_member)
    groups.message.register(on_modchat_link, CommandStart(deep_link=True), IN_GROUPS)
    groups.message.register(on_start, CommandStart(), F.chat.type == "private")
    groups.message.register(on_help, Command("help"))
    groups.message.register(on_modchat, Command("modchat"), IN_GROUPS)
    groups.message.register(on_preset, Command("preset"), IN_GROUPS)
    groups.callback_query.register(on_preset_press, Preset.filter())
    return groups


async def on_my_chat_member(
    event: ChatMemberUpdated, bot: Bot, sessions: Sessions, members: Members
) -> None:
    """The bot was added, promoted, demoted or removed: note it and say what it can do."""
    rights = rights_of(event.new_chat_member.model_dump())
    was_in = rights_of(event.old_chat_member.model_dump()) is not None
    async with sessions.begin() as session:
        chat = await store.chat(session, event.chat.id, event.chat.title or "", event.chat.type)
        chat.is_active, chat.rights = rights is not None, rights
        if not was_in:
            chat.owner_id = event.from_user.id
            chat.greeting_id = None
        is_modchat = bool(await store.moderated_from(session, chat.id))
    log.info("membership changed", chat=chat.id, active=chat.is_active, rights=rights)
    if chat.is_active and not is_modchat:
        await greet(bot, sessions, chat)


async def greet(bot: Bot, sessions: Sessions, chat: Chat) -> None:
    """Say in one message what the bot does here; a later change of rights edits it."""
    words = texts.greeting(chat)
    try:
        if chat.greeting_id is not None:
            await bot.edit_message_text(words, chat_id=chat.id, message_id=chat.greeting_id)
            return
        sent = await bot.send_message(chat.id, words)
    except AiogramError as error:
        log.info("greeting not shown", chat=chat.id, reason=str(error))
        return
    async with sessions.begin() as session:
        (await session.get_one(Chat, chat.id)).greeting_id = sent.message_id


async def on_chat_member(event: ChatMemberUpdated, members: Members) -> None:
    """Somebody's rights may have changed."""
    members.forget(event.chat.id, event.new_chat_member.user.id)


async def on_start(message: Message, bot: Bot) -> None:
    """How to begin."""
    await message.answer(texts.START.format(link=escape(await _add_link(bot, "start"))))


async def on_help(message: Message) -> None:
    """The commands."""
    await message.answer(texts.HELP)


async def on_modchat(message: Message, bot: Bot, members: Members) -> None:
    """A link that connects another chat as the moderators' chat of this group."""
    if not await _is_moderator(message, members):
        raise SkipHandler
    link = await _add_link(bot, f"modchat_{message.chat.id}", rights=False)
    await message.answer(texts.MODCHAT_LINK.format(link=escape(link)))


async def on_modchat_link(
    message: Message, command: CommandObject, bot: Bot, sessions: Sessions, members: Members
) -> None:
    """The link was followed: cards of that group come to this chat from now on."""
    payload = _MODCHAT.fullmatch(command.args or "")
    if payload is None:
        raise SkipHandler
    async with sessions() as session:
        chat = await session.get(Chat, int(payload[1]))
    sender = message.from_user
    allowed = (
        chat is not None
        and sender is not None
        and await members.is_moderator(chat.id, sender.id)
        and await members.is_moderator(message.chat.id, sender.id)
    )
    if chat is None or not allowed:
        await message.answer(texts.MODCHAT_REFUSED)
        return
    async with sessions.begin() as session:
        (await session.get_one(Chat, chat.id)).modchat_id = message.chat.id
        here = await store.chat(session, message.chat.id, message.chat.title or "", "supergroup")
    await message.answer(texts.MODCHAT_CONNECTED.format(title=escape(chat.title)))
    await _remove_greeting(bot, here)
    async with sessions() as session:
        chat = await session.get_one(Chat, chat.id)
    await greet(bot, sessions, chat)


async def on_preset(message: Message, sessions: Sessions, members: Members) -> None:
    """The presets of a group, one button each."""
    if not await _is_moderator(message, members):
        raise SkipHandler
    async with sessions.begin() as session:
        chat = await store.chat(
            session, message.chat.id, message.chat.title or "", message.chat.type
        )
    await message.answer(texts.presets(chat), reply_markup=_presets(chat))


async def on_preset_press(
    query: CallbackQuery, callback_data: Preset, bot: Bot, sessions: Sessions, members: Members
) -> None:
    """Set the preset: only the group's own moderators, whatever the data says."""
    async with sessions() as session:
        chat = await session.get(Chat, callback_data.chat)
    if chat is None or callback_data.name not in PRESETS:
        await query.answer(texts.GONE)
        return
    if not await members.is_moderator(chat.id, query.from_user.id):
        await query.answer(texts.ONLY_MODERATORS.format(title=chat.title), show_alert=True)
        return
    async with sessions.begin() as session:
        chat = await session.get_one(Chat, chat.id)
        chat.preferences = dict(chat.preferences) | {"preset": callback_data.name}
    log.info("preset changed", chat=chat.id, preset=callback_data.name, by=query.from_user.id)
    await query.answer(texts.ACCEPTED)
    if query.message is not None:
        await _show_presets(bot, query.message.chat.id, query.message.message_id, chat)


async def _show_presets(bot: Bot, chat_id: int, message_id: int, chat: Chat) -> None:
    try:
        await bot.edit_message_text(
            texts.presets(chat), chat_id=chat_id, message_id=message_id, reply_markup=_presets(chat)
        )
    except TelegramBadRequest as error:
        log.info("presets not refreshed", chat=chat.id, reason=str(error))


async def _remove_greeting(bot: Bot, chat: Chat) -> None:
    if chat.greeting_id is None:
        return
    try:
        await bot.delete_message(chat.id, chat.greeting_id)
    except AiogramError as error:
        log.info("greeting not removed", chat=chat.id, reason=str(error))


async def _is_moderator(message: Message, members: Members) -> bool:
    if message.sender_chat is not None and message.sender_chat.id == message.chat.id:
        return True  # an anonymous administrator
    sender = message.from_user
    return sender is not None and await members.is_moderator(message.chat.id, sender.id)


async def _add_link(bot: Bot, payload: str, *, rights: bool = True) -> str:
    me = await bot.me()
    admin = f"&admin={_ADMIN_RIGHTS}" if rights else ""
    return f"https://t.me/{me.username}?startgroup={payload}{admin}"


def _presets(chat: Chat) -> InlineKeyboardMarkup:
    rows = [
        [
            InlineKeyboardButton(
                text=("● " if name == texts.preset_of(chat) else "")
                + texts.PRESET_TITLES[name].capitalize(),
                callback_data=Preset(chat=chat.id, name=name).pack(),
            )
        ]
        for name in PRESETS
    ]
    return InlineKeyboardMarkup(inline_keyboard=rows)
