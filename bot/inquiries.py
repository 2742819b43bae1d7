"""What people ask the bot: /start, /help, /rules, /why, /status."""

from collections.abc import Sequence

from aiogram import Bot, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command, CommandStart
from aiogram.types import Message
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from bot import card, menu
from bot.answers import language_of, whisper
from bot.chats import add_link, is_moderator
from bot.content import sender_of
from bot.greeting import missing, mode, rights
from bot.language import Language, of_person
from bot.members import Members
from bot.places import in_groups, in_private
from bot.refusals import in_words
from moderation import groups, people, sanctions, store
from moderation.batcher import Batcher
from moderation.categories import TOXIC
from moderation.columns import now
from moderation.database import Sessions
from moderation.policy import Action
from moderation.preferences import Preferences
from moderation.settings import Settings
from moderation.states import ActState, UpdateState
from moderation.tables import Case, Chat, Enforcement, Strike

CASES = 5  # that /why tells of
_LONGEST = 3500  # characters of a page of /status, of 4096 in a message


def router() -> Router:
    """The handlers of the questions that anybody may ask, and of /status for moderators."""
    found = Router(name="inquiries")
    found.message.register(on_start, CommandStart(), in_private)
    found.message.register(on_help, Command("help"))
    found.message.register(on_rules, Command("rules"), in_groups)
    found.message.register(on_why, Command("why"))
    found.message.register(on_status, Command("status"))
    return found


async def on_start(message: Message, bot: Bot, settings: Settings) -> None:
    """How to begin."""
    words = of_person(message.from_user.language_code if message.from_user else None)
    await message.answer(words("start.hello", link=await add_link(bot, "start")))
    if message.chat.id in settings.operator_ids:
        await menu.set_operators(bot, [message.chat.id])


async def on_help(
    message: Message, bot: Bot, sessions: Sessions, members: Members, settings: Settings
) -> None:
    """The commands that this person can use here."""
    words = await language_of(message, sessions)
    is_private = message.chat.type == "private"
    keys = ["help.private" if is_private else "help.member"]
    if is_private and message.chat.id in settings.operator_ids:
        keys.append("help.operator")
    elif not is_private and await is_moderator(message, members):
        keys = ["help.moderator"]
    await whisper(message, bot, sessions, Markup("\n").join(map(words, keys)))
    _go_on(message)


async def on_rules(message: Message, bot: Bot, sessions: Sessions) -> None:
    """What isn't welcome in this group, and what follows from it."""
    async with sessions() as session:
        chat = await session.get(Chat, message.chat.id)
    preferences = Preferences.of(chat.preferences if chat else {})
    words = await language_of(message, sessions)
    await whisper(message, bot, sessions, rules(words, preferences))
    _go_on(message)


async def on_why(message: Message, bot: Bot, sessions: Sessions) -> None:
    """What the bot did to the asker, and why: here, or in private chat in all groups."""
    sender = sender_of(message)
    if sender is None:
        raise SkipHandler
    words = await language_of(message, sessions)
    is_private = message.chat.type == "private"
    here = None if is_private else [message.chat.id]
    async with sessions() as session:
        cases = await people.cases_of(session, sender.id, here, CASES)
        told = []
        for case in cases:
            acts = await sanctions.enforcements(session, case.id)
            chat = await session.get_one(Chat, case.chat_id)
            told.append(_told(words, case, acts, chat.title if is_private else None))
        standing = (
            [] if is_private else await people.strikes(session, message.chat.id, sender.id, now())
        )
    await whisper(message, bot, sessions, why(words, told, standing))
    _go_on(message)


async def on_status(
    message: Message,
    bot: Bot,
    sessions: Sessions,
    members: Members,
    batcher: Batcher,
    settings: Settings,
) -> None:
    """How the bot is: for a group's moderators there or in their chat, for operators everywhere."""
    words = await language_of(message, sessions)
    if message.chat.type == "private":
        if message.from_user is None or message.from_user.id not in settings.operator_ids:
            await message.answer(words("status.where"))
            return
    elif not await is_moderator(message, members):
        raise SkipHandler
    async with sessions() as session:
        chats = await _scope(session, message)
        pieces = [await _status(session, words, chat) for chat in chats]
        waiting = await store.count_updates(session, UpdateState.PENDING)
        stuck = await store.count_updates(session, UpdateState.QUARANTINED)
    model = batcher.classifier.version
    pieces.append(words("status.bot", model=model, waiting=waiting, stuck=stuck))
    for page in paged(pieces):
        await whisper(message, bot, sessions, page)


def paged(pieces: Sequence[Markup], longest: int = _LONGEST) -> list[Markup]:
    """Paragraphs on as few messages as hold them."""
    pages: list[Markup] = []
    for piece in pieces:
        if pages and len(pages[-1]) + len(piece) + 2 <= longest:
            pages[-1] += Markup("\n\n") + piece
        else:
            pages.append(piece)
    return pages


def rules(words: Language, preferences: Preferences) -> Markup:
    """A group's rules in plain words, from its policy."""
    policy = preferences.policy(now())
    lines = [words("rules.title")]
    for category in TOXIC:
        rule = policy.rules.get(category)
        if rule is not None:
            key = f"rules.{rule.action.name.lower()}"
            lines.append(words(key, title=words.category(category)))
    if not policy.rules:
        return words("rules.none")
    if policy.dry_run:
        return words("rules.observing")
    if preferences.newcomer_hours:
        lines.append(words.plural("rules.newcomers", preferences.newcomer_hours))
    if preferences.mute_after:
        days = words.plural("rules.days", preferences.strike_days)
        lines.append(words.plural("rules.mute_after", preferences.mute_after, days=days))
    if preferences.ban_after:
        lines.append(words.plural("rules.ban_after", preferences.ban_after))
    lines.append(words("rules.why"))
    return Markup("\n").join(lines)


def why(words: Language, told: Sequence[Markup], standing: Sequence[Strike]) -> Markup:
    """What the bot did to somebody."""
    if not told:
        return words("why.nothing")
    lines = [words("why.title"), *told]
    if standing:
        until = words.moment(max(strike.expires_at for strike in standing))
        lines.append(words.plural("why.strikes", len(standing), until=until))
    lines.append(words("why.wrong"))
    return Markup("\n").join(lines)


def _told(words: Language, case: Case, acts: Sequence[Enforcement], title: str | None) -> Markup:
    prediction = case.prediction
    where = Markup(" · {}").format(title) if title else ""
    head = Markup("• {}{}: ").format(words.moment(case.created_at), where)
    what = card.titles(words, case.flagged) or words("why.reported")
    if prediction.action >= Action.WARN:
        score, limit = words.decimal(prediction.score), words.decimal(prediction.threshold)
        what = words("why.score", titles=what, score=score, limit=limit)
    decided = words(f"why.{case.verdict.value if case.verdict else 'open'}")
    done = [act for act in acts if act.state is ActState.DONE]
    happened = card.happened(words, done) if done else words("why.none")
    return head + Markup("{}. {} {}").format(what, happened, decided)


async def _scope(session: AsyncSession, message: Message) -> Sequence[Chat]:
    if message.chat.type == "private":
        found = await store.chats(session)
        return sorted(found, key=lambda chat: not (chat.card_error or missing(chat)))
    chats = await groups.sharing(session, message.chat.id)
    own = await session.get(Chat, message.chat.id)
    return chats or ([own] if own else [])


async def _status(session: AsyncSession, words: Language, chat: Chat) -> Markup:
    preferences = Preferences.of(chat.preferences)
    modchat = await session.get(Chat, chat.modchat_id) if chat.modchat_id else None
    if chat.card_error:
        nobody = chat.card_error == "nobody"
        reason = words("status.nobody") if nobody else in_words(words, chat.card_error)
        cards = words("status.cards_lost", reason=reason)
    elif chat.modchat_id:
        cards = words("status.cards_to", title=modchat.title if modchat else chat.modchat_id)
    else:
        cards = words("status.cards_to_owner")
    open_cases = await store.count_open(session, chat.id)
    return Markup("\n").join(
        [
            Markup("<b>{}</b>").format(chat.title),
            words("status.mode", mode=mode(words, preferences)),
            rights(words, chat),
            cards,
            words.plural("status.open", open_cases),
        ]
    )


def _go_on(message: Message) -> None:
    """What stands after a command of a group is judged as any other words."""
    if message.chat.type != "private":
        raise SkipHandler
