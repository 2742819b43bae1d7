"""Groups: being added, rights, connecting the moderators' chat, becoming a supergroup."""

import re

import structlog
from aiogram import Bot, Router
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

from bot.answers import answer, language_of, whisper
from bot.greeting import greeting
from bot.language import language, of_person
from bot.members import Members, is_anonymous, rights_of
from bot.places import in_groups
from bot.review import Id
from bot.rights import tell_lost
from bot.telegram import describe
from moderation import changes, groups, people, store
from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.tables import Chat

log = structlog.get_logger()
_MODCHAT = re.compile(r"modchat_(-?[0-9]{1,18})")  # a link can be forged; more is no chat's id
_ADMIN_RIGHTS = "delete_messages+restrict_members"


class Disconnect(CallbackData, prefix="d"):
    """A button that ends the sending of cards to a moderators' chat."""

    chat: Id


def router() -> Router:
    """The handlers of membership and of the commands about a group."""
    found = Router(name="chats")
    found.my_chat_member.register(on_my_chat_member, in_groups)
    found.chat_member.register(on_chat_member)
    found.message.register(on_migration, is_migration)
    found.message.register(on_modchat_link, CommandStart(deep_link=True), in_groups)
    found.message.register(on_modchat, Command("modchat"), in_groups)
    found.callback_query.register(on_disconnect, Disconnect.filter())
    return found


async def on_my_chat_member(event: ChatMemberUpdated, bot: Bot, sessions: Sessions) -> None:
    """The bot was added, promoted, demoted or removed: note it and say what it can do."""
    rights = rights_of(event.new_chat_member.model_dump())
    was_in = rights_of(event.old_chat_member.model_dump()) is not None
    async with sessions.begin() as session:
        chat = await store.chat(session, event.chat.id, event.chat.title or "", event.chat.type)
        if chat.moved_to is not None:
            return
        lost = set(chat.rights or []) - set(rights or [])
        chat.is_active, chat.rights = rights is not None, rights
        chat.removed_at = None if chat.is_active else now()
        if not was_in:
            chat.owner_id = event.from_user.id
            chat.greeting_id = None
        if not was_in and not chat.preferences:
            spoken = of_person(event.from_user.language_code).code
            chat.preferences = {"language": spoken} if spoken != "ru" else {}
        is_modchat = bool(await groups.sharing(session, chat.id))
    log.info("membership changed", chat=chat.id, active=chat.is_active, rights=rights)
    if not chat.is_active or is_modchat:
        return
    await greet(bot, sessions, chat)
    if lost and was_in:
        await tell_lost(bot, chat)


async def greet(bot: Bot, sessions: Sessions, chat: Chat) -> None:
    """Say in one message what the bot does here; a later change of rights edits it."""
    words = greeting(chat)
    try:
        if chat.greeting_id is not None and await _regreet(bot, chat, words):
            return
        sent = await bot.send_message(chat.id, words)
    except AiogramError as error:
        log.info("greeting not shown", chat=chat.id, reason=describe(error))
        return
    async with sessions.begin() as session:
        (await session.get_one(Chat, chat.id)).greeting_id = sent.message_id


async def _regreet(bot: Bot, chat: Chat, words: str) -> bool:
    """Whether the greeting that stands could be changed; somebody may have deleted it."""
    try:
        await bot.edit_message_text(words, chat_id=chat.id, message_id=chat.greeting_id)
    except TelegramBadRequest as error:
        return "message is not modified" in str(error)
    return True


async def on_chat_member(event: ChatMemberUpdated, sessions: Sessions, members: Members) -> None:
    """Somebody came, went, or has other rights."""
    user_id = event.new_chat_member.user.id
    members.forget(event.chat.id, user_id)
    was_in = rights_of(event.old_chat_member.model_dump()) is not None
    is_in = rights_of(event.new_chat_member.model_dump()) is not None
    async with sessions.begin() as session:
        if is_in and not was_in:
            (await people.member(session, event.chat.id, user_id)).joined_at = event.date
        elif was_in and not is_in:
            await people.left(session, event.chat.id, user_id)


async def is_migration(message: Message) -> bool:
    """A service message, in the old group or in the new one."""
    return bool(message.migrate_to_chat_id or message.migrate_from_chat_id)


async def on_migration(message: Message, bot: Bot, sessions: Sessions) -> None:
    """A group became a supergroup. Both of them tell of it, in either order."""
    old = message.migrate_from_chat_id or message.chat.id
    new = message.migrate_to_chat_id or message.chat.id
    async with sessions.begin() as session:
        moved = await groups.rekey(session, old, new)
    if moved:
        log.info("group became a supergroup", old=old, new=new)


async def on_modchat(message: Message, bot: Bot, sessions: Sessions, members: Members) -> None:
    """A link that connects another chat as the moderators' chat of this group."""
    if not await is_moderator(message, members):
        raise SkipHandler
    words = await language_of(message, sessions)
    link = await add_link(bot, f"modchat_{message.chat.id}", rights=False)
    async with sessions() as session:
        chat = await session.get(Chat, message.chat.id)
    markup = None
    if chat is not None and chat.modchat_id is not None:
        button = InlineKeyboardButton(
            text=words.plain("modchat.disconnect"), callback_data=Disconnect(chat=chat.id).pack()
        )
        markup = InlineKeyboardMarkup(inline_keyboard=[[button]])
    await whisper(message, bot, sessions, words("modchat.link", link=link), markup)


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
        said = (await language_of(message, sessions))("modchat.refused")
        await whisper(message, bot, sessions, said)
        raise SkipHandler
    async with sessions.begin() as session:
        await changes.connect(session, chat.id, message.chat.id, sender.id if sender else 0)
        here = await store.chat(
            session, message.chat.id, message.chat.title or "", message.chat.type
        )
    words = language(Preferences.of(chat.preferences).language)
    await message.answer(words("modchat.connected", title=chat.title))
    await _remove_greeting(bot, here)
    async with sessions() as session:
        chat = await session.get_one(Chat, chat.id)
    await greet(bot, sessions, chat)


async def on_disconnect(
    query: CallbackQuery, callback_data: Disconnect, sessions: Sessions, members: Members
) -> None:
    """Cards go to the owner again: only the group's own moderators, whatever the data says."""
    words = of_person(query.from_user.language_code)
    async with sessions() as session:
        chat = await session.get(Chat, callback_data.chat)
    if chat is None:
        await answer(query, words.plain("verdict.gone"))
    elif not await members.is_moderator(chat.id, query.from_user.id):
        said = words.plain("verdict.only_moderators", title=chat.title)
        await answer(query, said, alert=True)
    else:
        async with sessions.begin() as session:
            await changes.connect(session, chat.id, None, query.from_user.id)
        log.info("moderators' chat disconnected", chat=chat.id, by=query.from_user.id)
        await answer(query, words.plain("modchat.disconnected"), alert=True)


async def is_moderator(message: Message, members: Members) -> bool:
    """Whether who wrote a message moderates the chat, be it in the name of the chat."""
    if is_anonymous(message):
        return await members.is_anonymous_moderator(message.chat.id)
    sender = message.from_user
    return sender is not None and await members.is_moderator(message.chat.id, sender.id)


async def add_link(bot: Bot, payload: str, *, rights: bool = True) -> str:
    """The address that adds the bot to a group, with the rights it needs ticked."""
    me = await bot.me()
    admin = f"&admin={_ADMIN_RIGHTS}" if rights else ""
    return f"https://t.me/{me.username}?startgroup={payload}{admin}"


async def _remove_greeting(bot: Bot, chat: Chat) -> None:
    if chat.greeting_id is None:
        return
    try:
        await bot.delete_message(chat.id, chat.greeting_id)
    except AiogramError as error:
        log.info("greeting not removed", chat=chat.id, reason=describe(error))
