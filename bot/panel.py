"""The settings panel in a private chat: one message that edits itself.

Links and buttons can be forged, so every press is authorised anew and every value checked; all
that a button needs is in it, so old panels work after a restart.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from aiogram import Bot, F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import CallbackQuery, Message, User

from bot import panel_group, panel_views
from bot.answers import answer
from bot.language import of_person
from bot.members import Members
from bot.panel_data import CHOICES, FOLDERS, SCREENS, Draft, Open, Put, drafted, put
from bot.panel_views import Panel, View
from bot.places import in_private
from bot.review import edit
from moderation import changes
from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.preview import Preview, preview
from moderation.tables import Chat

log = structlog.get_logger()
PREVIEW = timedelta(days=7)
_LINK = re.compile(r"settings_(-?[0-9]{1,18})")  # a link can be forged; more is no chat's id
_OURS = re.compile(r"s[opd]:")


def router() -> Router:
    """The handlers of the panel. They stand before those of a bare /start."""
    panel = Router(name="panel")
    link = CommandStart(deep_link=True, magic=F.args.startswith("settings_"))
    panel.message.register(on_link, link, in_private)
    panel.message.register(on_settings, Command("settings"), in_private)
    panel_group.register(panel)
    elsewhere = F.data.regexp(_OURS) & (F.message.chat.type != "private")
    panel.callback_query.register(on_elsewhere, elsewhere)
    panel.callback_query.register(on_open, Open.filter())
    panel.callback_query.register(on_put, Put.filter())
    panel.callback_query.register(on_draft, Draft.filter())
    panel.callback_query.register(on_unknown, F.data.regexp(_OURS))
    return panel


async def on_settings(message: Message, sessions: Sessions, members: Members) -> None:
    """The panel of the only group that somebody moderates, or a choice among them."""
    if message.from_user is None:
        raise SkipHandler
    view = await _entrance(message.from_user, sessions, members)
    await message.answer(view.text, reply_markup=view.markup)


async def on_link(
    message: Message, command: CommandObject, sessions: Sessions, members: Members
) -> None:
    """The panel of the group that a link names."""
    user, payload = message.from_user, _LINK.fullmatch(command.args or "")
    if user is None:
        raise SkipHandler
    say = of_person(user.language_code)
    chat = await _allowed(int(payload[1]), user, sessions, members) if payload else None
    if chat is None:
        await message.answer(say("panel.refused"))
        return
    view = Panel(say, chat, now()).main()
    await message.answer(view.text, reply_markup=view.markup)


async def on_elsewhere(query: CallbackQuery) -> None:
    """A forged press: panels stand in private chats alone."""
    say = of_person(query.from_user.language_code)
    await answer(query, say.plain("panel.private"), alert=True)


async def on_unknown(query: CallbackQuery) -> None:
    """Data of no button of ours."""
    say = of_person(query.from_user.language_code)
    await answer(query, say.plain("panel.unknown"), alert=True)


async def on_open(
    query: CallbackQuery, callback_data: Open, bot: Bot, sessions: Sessions, members: Members
) -> None:
    """Show a screen."""
    screen = callback_data.screen
    if screen == "groups":
        await answer(query)
        await _show(query, bot, await _entrance(query.from_user, sessions, members, choose=True))
        return
    if screen not in SCREENS:
        await on_unknown(query)
        return
    desk = await _desk(query, callback_data.chat, bot, sessions, members)
    if desk is not None:
        await answer(query)
        await desk.show(screen)


async def on_put(
    query: CallbackQuery, callback_data: Put, bot: Bot, sessions: Sessions, members: Members
) -> None:
    """Set a field, or show what a preset would change."""
    desk = await _desk(query, callback_data.chat, bot, sessions, members)
    if desk is None:
        return
    panel = desk.panel
    wanted = put(panel.current, callback_data, panel.moment)
    if wanted is None:
        await on_unknown(query)
    elif callback_data.sure or callback_data.field != "preset":
        await desk.save(lambda current: put(current, callback_data, panel.moment) or current)
        await desk.show(callback_data.field)
    else:
        await answer(query)
        found = await desk.preview(wanted)
        await _show(query, bot, panel.preset(callback_data, wanted.preset, found))


async def on_draft(
    query: CallbackQuery, callback_data: Draft, bot: Bot, sessions: Sessions, members: Members
) -> None:
    """Show what a rule would have done, or save it."""
    desk = await _desk(query, callback_data.chat, bot, sessions, members)
    if desk is None:
        return
    draft = callback_data
    if draft.save:
        await desk.save(lambda current: drafted(current, draft))
        draft = Draft(chat=draft.chat, category=draft.category)
    else:
        await answer(query)
    found = await desk.preview(drafted(desk.panel.current, draft))
    await _show(query, bot, desk.panel.category(draft, found))


@dataclass
class Desk:
    """A press that is allowed, and the panel that it was made on."""

    query: CallbackQuery
    bot: Bot
    sessions: Sessions
    panel: Panel

    async def show(self, screen: str) -> None:
        """Put a screen into the message."""
        panel = self.panel
        if screen == "main":
            view = panel.main()
        elif screen in FOLDERS:
            view = panel.folder(screen)
        elif screen in CHOICES:
            view = panel.field(screen)
        elif screen == "categories":
            view = panel.categories()
        elif screen == "exempt":
            view = panel.exempt()
        else:
            async with self.sessions() as session:
                view = panel.history(await changes.history(session, panel.chat.id))
        await _show(self.query, self.bot, view)

    async def preview(self, wanted: Preferences) -> Preview:
        """What other preferences would have done last week."""
        panel = self.panel
        async with self.sessions() as session:
            return await preview(
                session, panel.chat.id, panel.current, wanted, panel.moment - PREVIEW
            )

    async def save(self, wanted: Callable[[Preferences], Preferences]) -> None:
        """Change the preferences as they are by now, and say so."""
        chat_id, by = self.panel.chat.id, self.query.from_user.id
        async with self.sessions.begin() as session:
            current = await changes.held(session, chat_id)
            fields = await changes.change(session, chat_id, by, wanted(current))
            chat = await session.get_one(Chat, chat_id)
        if fields:
            log.info("preferences changed", chat=chat_id, fields=fields, by=by)
        say = self.panel.say
        await answer(self.query, say.plain("panel.saved" if fields else "panel.same"))
        self.panel = Panel(say, chat, self.panel.moment)


async def _desk(
    query: CallbackQuery, chat_id: int, bot: Bot, sessions: Sessions, members: Members
) -> Desk | None:
    """The desk of a press; None, and an answer, for somebody who may not change the group."""
    say = of_person(query.from_user.language_code)
    chat = await _allowed(chat_id, query.from_user, sessions, members)
    if chat is None:
        await answer(query, say.plain("panel.refused"), alert=True)
        return None
    return Desk(query, bot, sessions, Panel(say, chat, now()))


async def _allowed(chat_id: int, user: User, sessions: Sessions, members: Members) -> Chat | None:
    """The group, if the bot is in it and this person is one of its moderators."""
    async with sessions() as session:
        chat = await session.get(Chat, chat_id)
    if chat is None or not chat.is_active or not await members.is_moderator(chat.id, user.id):
        log.info("settings refused", chat=chat_id, user=user.id)
        return None
    return chat


async def _entrance(
    user: User, sessions: Sessions, members: Members, *, choose: bool = False
) -> View:
    """The panel of somebody's only group, or a choice among several."""
    say = of_person(user.language_code)
    async with sessions() as session:
        known = await changes.groups(session)
    # The cached answer leaves out nearly all groups, then Telegram is asked anew of the rest.
    kept = await asyncio.gather(*(members.is_administrator(chat.id, user.id) for chat in known))
    likely = [chat for chat, is_kept in zip(known, kept, strict=True) if is_kept]
    own = [chat for chat in likely if await members.is_moderator(chat.id, user.id)]
    if len(own) == 1 and not choose:
        return Panel(say, own[0], now()).main()
    return panel_views.groups(say, own)


async def _show(query: CallbackQuery, bot: Bot, view: View) -> None:
    """Edit the panel."""
    if (at := query.message) is not None:
        await edit(bot, at.chat.id, at.message_id, view.markup, view.text)
