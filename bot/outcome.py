"""The verdict on a new version: its message, pictures and report, and the operators' decision."""

import asyncio
from pathlib import Path
from typing import Literal

import structlog
from aiogram import Bot, Router
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.filters.callback_data import CallbackData
from aiogram.types import (
    CallbackQuery,
    FSInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyParameters,
)

from bot import retrain_words, training
from bot.answers import answer
from bot.language import Language, language, of_person
from bot.review import Id
from bot.telegram import describe
from moderation import registry, runs
from moderation.classifier import ModelError
from moderation.database import Sessions
from moderation.settings import Settings
from moderation.states import RunDecision, RunState
from moderation.tables import TrainingRun

log = structlog.get_logger()
PICTURES = 4
BY = "bot"  # who promotes where nobody pressed
_DECISIONS = {"on": RunDecision.ENABLED, "keep": RunDecision.KEPT, "sure": RunDecision.FORCED}


class Press(CallbackData, prefix="tv"):
    """A button of the verdict. All it needs is in it, so it works after a restart."""

    run: Id
    button: Literal["on", "keep", "force", "sure", "back"]


def router() -> Router:
    """The handlers of the verdict's buttons."""
    found = Router(name="outcome")
    found.callback_query.register(on_press, Press.filter())
    return found


async def post(bot: Bot, sessions: Sessions, settings: Settings, run: TrainingRun) -> None:
    """Show the verdict of a run where its progress was shown."""
    folder = training.runs_folder(settings) / run.folder
    result = training.result(folder)
    if result is None:
        return
    is_late = settings.auto_promote and not settings.shadow_hours and run.decision is None
    if is_late and result.promote:  # the trainer was killed before it promoted
        await decide(sessions, settings, run, RunDecision.ENABLED, None)
        async with sessions() as session:
            run = await session.get_one(TrainingRun, run.id)
    if run.chat_id is None:
        return
    words = language(run.language)
    said = retrain_words.verdict(words, run, result, training.gate(folder))
    markup = keyboard(words, run, result)
    try:
        sent = await bot.send_message(
            run.chat_id, said, message_thread_id=run.thread_id, reply_markup=markup
        )
    except AiogramError as error:
        log.warning("verdict not shown", run=run.id, reason=describe(error))
        return
    async with sessions.begin() as session:
        await runs.verdict_shown(session, run.id, sent.message_id)
    await post_report(bot, folder, run.chat_id, run.thread_id, sent.message_id)


async def post_report(
    bot: Bot, folder: Path, chat_id: int, thread_id: int | None, reply_to: int
) -> bool:
    """Send the pictures and the report of a run; false if there is no report any more."""
    result = training.result(folder)
    report = training.file_of(folder, result.report) if result else None
    pictures = [training.file_of(folder, name) for name in result.images] if result else []
    reply = ReplyParameters(message_id=reply_to, allow_sending_without_reply=True)
    try:
        for picture in [path for path in pictures if path][:PICTURES]:
            await bot.send_photo(
                chat_id,
                FSInputFile(picture),
                message_thread_id=thread_id,
                reply_parameters=reply,
                disable_notification=True,
            )
        if report:
            await bot.send_document(
                chat_id,
                FSInputFile(report, f"report-{result.version if result else ''}.html"),
                message_thread_id=thread_id,
                reply_parameters=reply,
                disable_notification=True,
            )
    except AiogramError as error:
        log.warning("report not sent", reason=describe(error))
    return report is not None


async def on_press(
    query: CallbackQuery, callback_data: Press, bot: Bot, sessions: Sessions, settings: Settings
) -> None:
    """Authorise, check that the verdict still holds, record, promote, show."""
    words, user, press = of_person(query.from_user.language_code), query.from_user, callback_data
    if user.id not in settings.operator_ids:
        log.info("press refused", run=press.run, user=user.id)
        await answer(query, words.plain("retrain.only_operators"), alert=True)
        return
    async with sessions() as session:
        run = await session.get(TrainingRun, press.run)
    if run is None or run.state is not RunState.FINISHED or run.version is None:
        await answer(query, words.plain("retrain.stale"), alert=True)
        return
    refusal = await _refusal(words, run, press, settings)
    if refusal is not None:
        await answer(query, refusal, alert=True)
    elif press.button in ("force", "back"):
        await answer(query)
    elif await decide(sessions, settings, run, _DECISIONS[press.button], user.id):
        log.info("version decided", run=run.id, version=run.version, by=user.id, how=press.button)
        await answer(query, words.plain("common.accepted"))
    else:
        await answer(query, words.plain("retrain.decided_before"), alert=True)
    await refresh(bot, sessions, settings, run.id, asks=press.button == "force" and not refusal)


async def refresh(
    bot: Bot, sessions: Sessions, settings: Settings, run_id: int, *, asks: bool = False
) -> None:
    """Let the message of a verdict say what was decided."""
    async with sessions() as session:
        run = await session.get(TrainingRun, run_id)
    if run is None or run.chat_id is None or run.verdict_id is None:
        return
    folder = training.runs_folder(settings) / run.folder
    result = await asyncio.to_thread(training.result, folder)
    if result is None:
        return
    words = language(run.language)
    said = retrain_words.verdict(words, run, result, training.gate(folder), sure=asks)
    markup = keyboard(words, run, result, asks=asks)
    try:
        await bot.edit_message_text(
            said, chat_id=run.chat_id, message_id=run.verdict_id, reply_markup=markup
        )
    except TelegramBadRequest as error:  # gone, or says that already
        log.info("verdict not refreshed", run=run.id, reason=describe(error))


def keyboard(
    words: Language, run: TrainingRun, result: training.Result, *, asks: bool = False
) -> InlineKeyboardMarkup | None:
    """What can still be decided."""
    if result.promoted or run.decision in (RunDecision.ENABLED, RunDecision.FORCED):
        return None
    if asks:
        names: tuple[str, ...] = ("sure", "back")
    elif run.decision is RunDecision.KEPT:
        names = ("on",) if run.promote else ("force",)
    else:
        names = ("on", "keep") if run.promote else ("keep", "force")
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [
                InlineKeyboardButton(
                    text=words.plain(f"retrain.button.{name}"),
                    callback_data=Press(run=run.id, button=name).pack(),
                )
            ]
            for name in names
        ]
    )


async def _refusal(
    words: Language, run: TrainingRun, press: Press, settings: Settings
) -> str | None:
    """Why a button no longer counts: data can be forged, and old messages keep their buttons."""
    try:
        serving = await asyncio.to_thread(_serving, settings.models_dir)
    except ModelError:
        return words.plain("retrain.stale")
    if run.version == serving:
        return words.plain("retrain.serves_already")
    if press.button in ("keep", "back"):
        return None
    if run.champion is not None and run.champion != serving:
        return words.plain("retrain.overtaken", version=serving)
    if press.button == "on" and not run.promote:
        return words.plain("retrain.stale")
    if press.button in ("force", "sure") and run.promote:
        return words.plain("retrain.stale")
    return None


async def decide(
    sessions: Sessions,
    settings: Settings,
    run: TrainingRun,
    decision: RunDecision,
    user_id: int | None,
) -> bool:
    """Record, then move the pointer; the watch of the registry does the rest. False if somebody
    was first, or the version can't be served. Nobody's decision is the bot's own, and stands only
    against the champion that was compared."""
    version, by = str(run.version), BY if user_id is None else str(user_id)
    if decision is RunDecision.KEPT:
        async with sessions.begin() as session:
            return await runs.decide(session, run.id, decision, user_id)
    previous = await asyncio.to_thread(_serving, settings.models_dir)
    if user_id is None and run.champion not in (None, previous):
        return False
    async with sessions.begin() as session:  # both or neither, so that a kill loses no decision
        if not await runs.decide(session, run.id, decision, user_id):
            return False
        is_forced = decision is RunDecision.FORCED
        asked = await runs.ask_promotion(
            session, version, by, run.id, previous=previous, is_forced=is_forced
        )
    return await _promote(sessions, settings, asked, version, by)


async def promote(sessions: Sessions, settings: Settings, version: str, by: str) -> bool:
    """Put a version into service that no run asks about; false if it can't be."""
    previous = await asyncio.to_thread(_serving, settings.models_dir)
    async with sessions.begin() as session:
        asked = await runs.ask_promotion(session, version, by, None, previous=previous)
    return await _promote(sessions, settings, asked, version, by)


async def finish(bot: Bot, sessions: Sessions, settings: Settings) -> None:
    """Make the promotion that was decided just before the bot was killed, unless another one was
    made meanwhile."""
    async with sessions() as session:
        asked = await runs.asked(session)
    if asked is None or asked.previous != await asyncio.to_thread(_serving, settings.models_dir):
        return
    log.info("promotion goes on", version=asked.version, by=asked.by)
    await _promote(sessions, settings, asked.id, asked.version, asked.by)
    if asked.run_id is not None:
        await refresh(bot, sessions, settings, asked.run_id)


async def _promote(
    sessions: Sessions, settings: Settings, asked: int, version: str, by: str
) -> bool:
    """Move the pointer, with a record before and after; it is open again if that can't be."""
    try:
        found = await asyncio.to_thread(registry.promote, settings.models_dir, version, by)
    except (ModelError, OSError) as error:
        log.warning("version not promoted", version=version, reason=describe(error))
        async with sessions.begin() as session:
            await runs.withdraw(session, asked)
        return False
    async with sessions.begin() as session:
        await runs.promoted(session, found.version, found.previous, found.by, found.at)
    return True


def _serving(models: Path) -> str:
    found = registry.promotion(models)
    return found.version if found else registry.card(registry.EMBEDDED).version
