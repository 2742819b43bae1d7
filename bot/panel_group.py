"""What moderators do about settings in the group itself: the way to the panel, and /exempt."""

import structlog
from aiogram import Bot, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command
from aiogram.types import Message
from sqlalchemy.ext.asyncio import AsyncSession

from bot import panel_views
from bot.answers import whisper
from bot.chats import is_moderator
from bot.content import Sender, sender_of
from bot.language import Language, language
from bot.members import Members
from bot.panel_data import MAX_EXEMPT
from bot.places import in_groups
from moderation import changes, groups, store
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.tables import Chat

log = structlog.get_logger()


def register(router: Router) -> None:
    """Add the handlers of the commands."""
    router.message.register(on_group_settings, Command("settings", "preset"), in_groups)
    router.message.register(on_exempt, Command("exempt"), in_groups)


async def on_group_settings(
    message: Message, bot: Bot, sessions: Sessions, members: Members
) -> None:
    """The way to the panel, for moderators; the group itself is no place for it."""
    if not await is_moderator(message, members):
        raise SkipHandler
    async with sessions.begin() as session:
        here = await _chat(session, message)
        chats = await groups.sharing(session, here.id) or [here]
    say = language(Preferences.of(chats[0].preferences).language)
    view = panel_views.links(say, chats, (await bot.me()).username)
    await whisper(message, bot, sessions, view.text, view.markup)


async def on_exempt(message: Message, bot: Bot, sessions: Sessions, members: Members) -> None:
    """Never judge the person who is answered, or judge them again."""
    if not await is_moderator(message, members):
        raise SkipHandler
    person = _answered(message)
    async with sessions.begin() as session:
        chat = await _chat(session, message)
        current = await changes.held(session, chat.id)
        say = language(current.language)
        answer, wanted = _exempted(say, current, person)
        by = message.sender_chat or message.from_user
        if wanted is not None and by is not None:
            fields = await changes.change(session, chat.id, by.id, wanted)
            log.info("preferences changed", chat=chat.id, fields=fields, by=by.id)
    await whisper(message, bot, sessions, answer)


async def _chat(session: AsyncSession, message: Message) -> Chat:
    chat = message.chat
    return await store.chat(session, chat.id, chat.title or "", chat.type)


def _answered(message: Message) -> Sender | None:
    """The person whose message is answered; the first message of a topic is answered by all."""
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None:
        return None
    return sender_of(replied)


def _exempted(
    say: Language, current: Preferences, person: Sender | None
) -> tuple[str, Preferences | None]:
    """What to answer to /exempt, and the preferences that it makes."""
    if person is None:
        return say("panel.exempt.usage"), None
    if person.exempt:
        return say("panel.exempt.needless"), None
    if person.id in current.exempt:
        others = tuple(known for known in current.exempt if known != person.id)
        answer = say("panel.exempt.removed", name=person.name)
        return answer, changes.replaced(current, exempt=others)
    if len(current.exempt) >= MAX_EXEMPT:
        return say("panel.exempt.full", n=MAX_EXEMPT), None
    answer = say("panel.exempt.added", name=person.name)
    return answer, changes.replaced(current, exempt=(*current.exempt, person.id))
