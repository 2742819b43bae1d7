"""/retrain: how the data grew, the question, and stopping or resuming a training."""

import asyncio
from typing import Literal

import structlog
from aiogram import Bot, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from markupsafe import Markup

from bot import progress, retrain_words, training
from bot.answers import answer, language_of, whisper
from bot.language import Language, of_person
from bot.review import Id
from bot.runner import new_folder
from bot.telegram import describe
from moderation import groups, registry, runs
from moderation.classifier import ModelError
from moderation.database import Sessions
from moderation.growth import Growth, growth, known_until
from moderation.settings import Settings
from moderation.tables import TrainingRun

log = structlog.get_logger()


class Ask(CallbackData, prefix="ta"):
    """The answer to the question whether to train, with the id of the last run before it: an old
    question is no longer asked."""

    after: Id
    button: Literal["train", "drop"]


def router() -> Router:
    """The handlers of /retrain and of its buttons."""
    found = Router(name="retrain")
    found.message.register(on_retrain, Command("retrain"))
    found.callback_query.register(on_answer, Ask.filter())
    found.callback_query.register(on_press, retrain_words.Press.filter())
    return found


async def on_retrain(message: Message, bot: Bot, sessions: Sessions, settings: Settings) -> None:
    """Show how the data grew, and ask; or show the run that is under way."""
    words = await language_of(message, sessions)
    if not await is_operator_here(message, bot, sessions, settings):
        return
    async with sessions() as session:
        run, last = await runs.running(session), await runs.newest(session)
    if run is not None:
        found = progress.read(training.runs_folder(settings) / run.folder)
        said = progress.told(words, found, stops=run.cancelled_by is not None)
        await message.answer(said, reply_markup=retrain_words.button(words, run.id, "stop"))
        return
    try:
        said, grown = await _grown(sessions, settings, words)
    except (ModelError, OSError) as error:
        log.warning("champion not read", reason=describe(error))
        await message.answer(words("retrain.no_champion"))
        return
    enough = grown.texts >= settings.retrain_min_labels
    await message.answer(said, reply_markup=_question(words, last) if enough else None)


async def on_answer(
    query: CallbackQuery, callback_data: Ask, bot: Bot, sessions: Sessions, settings: Settings
) -> None:
    """Begin a run, once: only for an operator, whatever the data says."""
    words, shown = of_person(query.from_user.language_code), query.message
    if not await _allowed(query, words, settings) or shown is None:
        return
    if callback_data.button == "drop":
        await answer(query)
        await _edit(bot, shown.chat.id, shown.message_id, words("retrain.dropped"))
        return
    async with sessions() as session:
        last = await runs.newest(session)
    if callback_data.after != (last.id if last else 0):
        await answer(query, words.plain("retrain.stale"), alert=True)
        return
    try:
        said, grown = await _grown(sessions, settings, words)
    except (ModelError, OSError):
        await answer(query, words.plain("retrain.no_champion"), alert=True)
        return
    if grown.texts < settings.retrain_min_labels:  # somebody asked to be forgotten meanwhile
        await answer(query, words.plain("retrain.stale"), alert=True)
        await _edit(bot, shown.chat.id, shown.message_id, said)
        return
    async with sessions.begin() as session:
        begun = await runs.claim(
            session,
            new_folder(),
            query.from_user.id,
            chat_id=shown.chat.id,
            message_id=shown.message_id,
            thread_id=topic(query),
            language=words.code,
            labels=grown.texts,
        )
    if begun is None:
        await answer(query, words.plain("retrain.runs_already"), alert=True)
        return
    log.info("training begun", run=begun, by=query.from_user.id)
    await answer(query)


async def on_press(
    query: CallbackQuery,
    callback_data: retrain_words.Press,
    bot: Bot,
    sessions: Sessions,
    settings: Settings,
) -> None:
    """Ask a run to stop, or let it go on; whoever follows it does the rest."""
    words, user, run_id = (
        of_person(query.from_user.language_code),
        query.from_user,
        callback_data.run,
    )
    if not await _allowed(query, words, settings):
        return
    if callback_data.button == "stop":
        async with sessions.begin() as session:
            is_done = await runs.cancel(session, run_id, user.id)
        said = "retrain.stopping" if is_done else "retrain.stale"
    else:
        async with sessions() as session:
            run = await session.get(TrainingRun, run_id)
        is_there = run is not None and (training.runs_folder(settings) / run.folder).is_dir()
        is_done = is_there and await runs.resume(sessions, run_id, user.id)
        if is_done and query.message is not None:
            at = (query.message.chat.id, query.message.message_id, topic(query))
            async with sessions.begin() as session:
                await runs.shown(session, run_id, *at)
        said = "retrain.goes_on" if is_done else "retrain.cannot_go_on"
    log.info("training pressed", run=run_id, by=user.id, button=callback_data.button, done=is_done)
    await answer(query, words.plain(said), alert=not is_done)


async def is_operator_here(
    message: Message, bot: Bot, sessions: Sessions, settings: Settings
) -> bool:
    """Whether an operator asks in private or in a moderators' chat; else that is said, or in a
    group of other people nothing. SkipHandler lets the message be moderated as all others."""
    sender, chat = message.from_user, message.chat
    is_operator = sender is not None and sender.id in settings.operator_ids
    person = of_person(sender.language_code if sender else None)
    if chat.type == "private":
        if not is_operator:
            await message.answer(person("retrain.only_operators"))
        return is_operator
    async with sessions() as session:
        is_modchat = bool(await groups.sharing(session, chat.id))
    if is_operator and is_modchat:
        return True
    if not is_operator and not is_modchat:
        raise SkipHandler
    said = "retrain.where" if is_operator else "retrain.only_operators"
    await whisper(message, bot, sessions, person(said))
    return False


def topic(query: CallbackQuery) -> int | None:
    """The topic of a forum in which a button was pressed."""
    shown = query.message
    is_topic = isinstance(shown, Message) and shown.is_topic_message
    return shown.message_thread_id if isinstance(shown, Message) and is_topic else None


async def _allowed(query: CallbackQuery, words: Language, settings: Settings) -> bool:
    if query.from_user.id in settings.operator_ids:
        return True
    log.info("press refused", user=query.from_user.id)
    await answer(query, words.plain("retrain.only_operators"), alert=True)
    return False


async def _grown(sessions: Sessions, settings: Settings, words: Language) -> tuple[Markup, Growth]:
    card = await asyncio.to_thread(lambda: registry.card(registry.champion(settings.models_dir)))
    async with sessions() as session:
        found = await growth(session, await known_until(session, card))
    least = settings.retrain_min_labels
    return retrain_words.grown(words, found, card.version, card.created, least), found


def _question(words: Language, last: TrainingRun | None) -> InlineKeyboardMarkup:
    after = last.id if last else 0
    rows = [
        [
            InlineKeyboardButton(
                text=words.plain(f"retrain.button.{name}"),
                callback_data=Ask(after=after, button=name).pack(),
            )
            for name in ("train", "drop")
        ]
    ]
    if last is not None and last.state in runs.RESUMABLE:
        rows += retrain_words.button(words, last.id, "resume").inline_keyboard
    return InlineKeyboardMarkup(inline_keyboard=rows)


async def _edit(bot: Bot, chat_id: int, message_id: int, said: str) -> None:
    try:
        await bot.edit_message_text(said, chat_id=chat_id, message_id=message_id)
    except TelegramBadRequest as error:
        log.info("message not changed", chat=chat_id, reason=describe(error))
