"""Follows the training that is under way: starts its process, shows how far it is, stops it when
asked, tells how it ended, and begins one when its time has come.

All it knows is in the database and in the run's folder, so that it goes on after a restart. Of
several instances the one follows a run whose heartbeat is the last.
"""

import asyncio
import secrets
import signal
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.types import InlineKeyboardMarkup
from sqlalchemy.exc import SQLAlchemyError

from bot import outcome, progress, retrain_words, training
from bot.language import language
from bot.telegram import describe
from moderation import growth, pruning, registry, runs
from moderation.classifier import ModelError
from moderation.columns import now
from moderation.database import Sessions
from moderation.settings import Settings
from moderation.states import RunDecision, RunState
from moderation.tables import TrainingRun

log = structlog.get_logger()
TICK_SECONDS = 1.0
EDIT_SECONDS = 3.0
CALL_SECONDS = 20
SCHEDULE_SECONDS = 60
GRACE_SECONDS = 30  # to write a checkpoint after SIGTERM
LEASE = timedelta(seconds=8)  # an instance of this machine that was silent so long is gone
STALE = timedelta(minutes=3)  # one of another machine


class Runner:
    """What one instance remembers of the run that it follows; nothing is lost with it."""

    def __init__(self, bot: Bot, sessions: Sessions, settings: Settings) -> None:
        self._bot = bot
        self._sessions = sessions
        self._settings = settings
        self._host = socket.gethostname()
        self._beats: dict[int, datetime] = {}
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._asked: dict[int, float] = {}  # when a run was sent SIGTERM
        self._shown: tuple[int, int | None, str] | None = None
        self._shown_at = 0.0
        self._scheduled_at = 0.0

    async def run(self) -> None:
        """Look after trainings until cancelled."""
        while True:
            try:
                await self._tick()
            except (SQLAlchemyError, OSError, AiogramError, ModelError) as error:
                log.warning("training not looked after", reason=describe(error))
            await asyncio.sleep(TICK_SECONDS)

    async def _tick(self) -> None:
        async with self._sessions() as session:
            run = await runs.running(session)
            ended = await runs.unreported(session)
        for each in ended:
            if await self._lease(each):
                await self._report(each)
        if run is not None:
            if await self._lease(run):
                await self._follow(run)
        elif self._settings.retrain_every and monotonic() - self._scheduled_at > SCHEDULE_SECONDS:
            self._scheduled_at = monotonic()
            await self._begin_if_due()

    async def _lease(self, run: TrainingRun) -> bool:
        mine = self._beats.get(run.id) == run.heartbeat_at
        silent = now() - run.heartbeat_at
        here = run.host in (None, self._host)
        free = run.host is None or silent > (LEASE if here else STALE)
        if not mine and not free:
            return False
        async with self._sessions.begin() as session:
            beat = await runs.lease(session, run)
        if beat is None:
            self._beats.pop(run.id, None)
            return False
        self._beats[run.id] = beat
        return True

    async def _follow(self, run: TrainingRun) -> None:
        folder = self._folder(run)
        if run.host is None:
            await self._start(run, folder)
            return
        if run.host != self._host:
            await self._end(run, folder, None)
            return
        child = self._children.get(run.id)
        code = child.poll() if child else None
        if child is not None and code is None:
            pid: int | None = child.pid
        else:
            pid = await asyncio.to_thread(training.pid_of, folder, run.pid)
        if code is not None or pid is None:
            self._children.pop(run.id, None)
            await self._end(run, folder, code)
            return
        if run.pid is None:  # this process, or the one before it, stopped in between
            async with self._sessions.begin() as session:
                await runs.started(session, run.id, self._host, pid)
        if run.cancelled_by is not None:
            self._stop(run, pid)
        await self._show_progress(run, folder)

    async def _start(self, run: TrainingRun, folder: Path) -> None:
        async with self._sessions.begin() as session:
            await runs.started(session, run.id, self._host, None)
        running = await asyncio.to_thread(training.pid_of, folder, None)  # another host's words
        if running is None:
            by = str(run.started_by) if run.started_by else "schedule"
            resume = await asyncio.to_thread(folder.is_dir)
            asked = training.command(self._settings, folder, by, resume=resume)
            variables = training.environment(self._settings)
            try:
                child = await asyncio.to_thread(training.launch, asked, variables, folder)
            except OSError as error:
                async with self._sessions.begin() as session:
                    await runs.finish(session, run.id, RunState.FAILED, detail=error.strerror)
                return
            self._children[run.id] = child
            running = child.pid
            log.info("training started", run=run.id, pid=running, resumed=resume)
        async with self._sessions.begin() as session:
            await runs.started(session, run.id, self._host, running)
        await self._show_progress(run, folder)

    def _stop(self, run: TrainingRun, pid: int) -> None:
        """Politely first; what doesn't listen is killed, with all that it started."""
        asked_at = self._asked.setdefault(run.id, monotonic())
        waited = monotonic() - asked_at
        if waited < TICK_SECONDS / 2:
            log.info("training is asked to stop", run=run.id, by=run.cancelled_by)
            training.signal(pid, signal.SIGTERM)
        elif waited > GRACE_SECONDS:
            training.signal(pid, signal.SIGKILL, everybody=True)

    async def _end(self, run: TrainingRun, folder: Path, code: int | None) -> None:
        """Note how it ended; the next look reports it."""
        self._asked.pop(run.id, None)
        result = await asyncio.to_thread(training.result, folder)
        tail = await asyncio.to_thread(training.log_tail, folder)
        state = ending(result, code, tail, cancelled=run.cancelled_by is not None)
        told = state in (RunState.FAILED, RunState.INTERRUPTED)
        async with self._sessions.begin() as session:
            await runs.finish(
                session,
                run.id,
                state,
                detail=tail or None if told else None,
                version=result.version if result else None,
                champion=result.champion if result else None,
                promote=result.promote if result and result.version else None,
            )
            if result and result.promoted:
                await runs.decide(session, run.id, RunDecision.ENABLED, None)
        log.info("training ended", run=run.id, state=state.value, code=code)

    async def _report(self, run: TrainingRun) -> None:
        self._shown = None
        folder = self._folder(run)
        result = await asyncio.to_thread(training.result, folder)
        words = language(run.language)
        said = retrain_words.ended(words, run, result)
        again = run.state in runs.RESUMABLE and (result is None or result.missing is None)
        markup = retrain_words.button(words, run.id, "resume") if again else None
        await self._show(run, said, markup)
        if run.state is RunState.FINISHED:
            await outcome.post(self._bot, self._sessions, self._settings, run)
        async with self._sessions.begin() as session:
            await runs.reported(session, run.id)
        self._beats.pop(run.id, None)
        await self._prune()

    async def _prune(self) -> None:
        models, keep = self._settings.models_dir, self._settings.keep_versions
        async with self._sessions() as session:
            folders = await runs.folders(session)
            needed = await runs.undecided(session)
        base = self._settings.base_model
        gone = await asyncio.to_thread(pruning.prune, models, keep, needed, base)
        folder = training.runs_folder(self._settings)
        await asyncio.to_thread(pruning.prune_runs, folder, models, folders, keep)
        if gone:
            log.info("versions pruned", versions=gone)

    async def _begin_if_due(self) -> None:
        """Start what the schedule asks for, if there is something new to learn from."""
        settings = self._settings
        champion = await asyncio.to_thread(
            lambda: registry.card(registry.champion(settings.models_dir))
        )
        async with self._sessions() as session:
            last = await runs.newest(session)
            age = timedelta(hours=settings.retrain_every)
            if last is not None and (
                last.started_at > now() - age
                or not await growth.count_since(session, last.started_at)
            ):
                return
            since = await growth.known_until(session, champion)
            found = await growth.growth(session, since)
        if found.texts < settings.retrain_min_labels:
            return
        async with self._sessions.begin() as session:
            begun = await runs.claim(session, new_folder(), None, labels=found.texts)
        if begun is not None:
            log.info("training begun by the schedule", run=begun)

    async def _show_progress(self, run: TrainingRun, folder: Path) -> None:
        found = await asyncio.to_thread(progress.read, folder)
        if found is not None and (found.phase, found.share) != (run.phase, run.share):
            async with self._sessions.begin() as session:
                await runs.progressed(session, run.id, found.phase, found.share)
        words = language(run.language)
        stops = run.cancelled_by is not None
        said = progress.told(words, found, stops=stops)
        known = self._shown == (run.id, run.message_id, said)
        if known or monotonic() - self._shown_at < EDIT_SECONDS:
            return
        markup = None if stops else retrain_words.button(words, run.id, "stop")
        await self._show(run, said, markup)
        self._shown, self._shown_at = (run.id, run.message_id, said), monotonic()

    async def _show(self, run: TrainingRun, said: str, markup: InlineKeyboardMarkup | None) -> None:
        """Change the run's message, or send one where there is none."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                if run.message_id is not None and await self._edit(run, said, markup):
                    return
                await self._send(run, said, markup)
        except (AiogramError, TimeoutError) as error:
            log.info("training not shown", run=run.id, reason=describe(error))

    async def _edit(self, run: TrainingRun, said: str, markup: InlineKeyboardMarkup | None) -> bool:
        try:
            await self._bot.edit_message_text(
                said, chat_id=run.chat_id, message_id=run.message_id, reply_markup=markup
            )
        except TelegramBadRequest as error:
            return "not modified" in str(error)
        return True

    async def _send(self, run: TrainingRun, said: str, markup: InlineKeyboardMarkup | None) -> None:
        """Where it was asked for; what the schedule began is shown to the first operator whom the
        bot may write to."""
        chats = self._settings.operator_ids if run.chat_id is None else (run.chat_id,)
        for chat_id in chats:
            try:
                sent = await self._bot.send_message(
                    chat_id, said, message_thread_id=run.thread_id, reply_markup=markup
                )
            except AiogramError as error:
                log.info("operator not reached", user=chat_id, reason=describe(error))
                continue
            run.chat_id, run.message_id = chat_id, sent.message_id
            async with self._sessions.begin() as session:
                await runs.shown(session, run.id, chat_id, sent.message_id, run.thread_id)
            return

    def _folder(self, run: TrainingRun) -> Path:
        return training.runs_folder(self._settings) / run.folder


def ending(
    result: training.Result | None, code: int | None, tail: str, *, cancelled: bool
) -> RunState:
    """How a run ended: by what it wrote down, by its exit status if that is known, by its log."""
    if result is not None and result.version is not None:
        return RunState.FINISHED
    if result is not None and result.missing is not None:
        return RunState.FAILED
    if cancelled:
        return RunState.CANCELLED
    said_why = tail.rpartition("\n")[2].startswith("error: ")
    if said_why if code is None else 0 < code < 128:
        return RunState.FAILED
    return RunState.INTERRUPTED


def new_folder() -> str:
    """A name for the files of a run, in the order of time."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
