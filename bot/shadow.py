"""Shadow time: a new version scores what the one in service scores, without acting, so that its
verdict can say what would have changed.

It never delays a message: texts wait in a bounded queue, are scored while nothing waits for the
version in service, and are dropped where that falls behind.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic

import structlog
from aiogram import Bot
from aiogram.types import Update
from sqlalchemy.exc import SQLAlchemyError

from bot import outcome, swaps
from bot.evidence import Scored, evidence_of
from bot.telegram import describe
from moderation import runs
from moderation.batcher import Batcher, Prediction
from moderation.classifier import ModelError, TorchClassifier, score_texts
from moderation.columns import now
from moderation.database import Sessions
from moderation.policy import Action, Policy, judge
from moderation.preferences import Preferences
from moderation.settings import Settings
from moderation.states import RunDecision
from moderation.tables import Chat, TrainingRun

log = structlog.get_logger()
WAITING = 256  # messages; what comes on top is counted and dropped
LOOK_SECONDS = 2.0
NOTE_SECONDS = 10.0
PAUSE_SECONDS = 0.02  # between looks whether the version in service is idle


class Shadow:
    """The version that is in its shadow time, if one is, and what it saw."""

    def __init__(self, bot: Bot, sessions: Sessions, batcher: Batcher, settings: Settings) -> None:
        self._bot = bot
        self._sessions = sessions
        self._batcher = batcher
        self._settings = settings
        self._waiting: deque[tuple[int, Sequence[Scored]]] = deque()
        self._run_id = 0
        self._classifier: TorchClassifier | None = None
        self._failed: set[int] = set()
        self._counts: Counter[str] = Counter()
        self._noted: Counter[str] = Counter()
        self._noted_at = 0.0
        self._shown = 0

    def offer(self, update: Update, scored: Sequence[Scored]) -> None:
        """Let the shadow see a message that was scored; returns at once."""
        message = update.message or update.edited_message
        if self._classifier is None or message is None or not scored:
            return
        if len(self._waiting) >= WAITING:
            self._counts["dropped"] += 1
            return
        self._waiting.append((message.chat.id, scored))

    async def run(self) -> None:
        """Score in the shadow until cancelled."""
        while self._settings.shadow_hours:
            try:
                await self._look()
                while self._classifier is not None and self._waiting:
                    await self._score(self._classifier, *self._waiting.popleft())
                    if monotonic() - self._noted_at > NOTE_SECONDS:
                        break
            except (SQLAlchemyError, OSError, ModelError, ValueError, RuntimeError) as error:
                log.warning("shadow not scored", reason=describe(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        """Begin, go on with or end the shadow time of the version that was published last."""
        hours = timedelta(hours=self._settings.shadow_hours)
        async with self._sessions() as session:
            run = await runs.newest(session)
        is_open = run is not None and run.version is not None and run.decision is None
        if run is None or not is_open or run.finished_at is None or not run.is_reported:
            await self._leave()
            return
        if run.id in self._failed:
            return
        if run.finished_at + hours < now():
            await self._leave()
            await self._promote(run)
            return
        if run.id != self._run_id:
            await self._enter(run)
        elif monotonic() - self._noted_at > NOTE_SECONDS:
            await self._note()

    async def _enter(self, run: TrainingRun) -> None:
        await self._leave()
        models, device = self._settings.models_dir, self._settings.device
        try:
            classifier = await asyncio.to_thread(swaps.prepare, models, str(run.version), device)
        except Exception as error:  # loading raises anything; the verdict stands without a shadow
            self._failed.add(run.id)
            log.warning("no shadow", version=run.version, reason=describe(error))
            return
        self._run_id, self._classifier = run.id, classifier
        self._counts = Counter(run.shadow or {})
        self._noted, self._shown = Counter(self._counts), self._counts["seen"]
        log.info("shadow begun", version=run.version)

    async def _leave(self) -> None:
        if self._classifier is not None:
            await self._note(is_last=True)
            log.info("shadow ended", run=self._run_id, **self._counts)
        self._run_id, self._classifier = 0, None
        self._waiting.clear()

    async def _score(
        self, classifier: TorchClassifier, chat_id: int, scored: Sequence[Scored]
    ) -> None:
        while self._batcher.queued:  # noqa: ASYNC110 - nobody is told that a batcher is idle
            await asyncio.sleep(PAUSE_SECONDS)
        texts = [found.part.text for found in scored]
        scores = await asyncio.to_thread(score_texts, classifier, texts)
        others = [
            Scored(found.part, Prediction(each, classifier.version))
            for found, each in zip(scored, scores, strict=True)
        ]
        async with self._sessions() as session:
            chat = await session.get(Chat, chat_id)
        policy = Preferences.of(chat.preferences if chat else {}).policy(now())
        self._counts.update(compared(scored, others, policy))

    async def _note(self, *, is_last: bool = False) -> None:
        """Write the counts down, and show them each time that their number has doubled: somebody
        may be looking at a question in that message."""
        self._noted_at = monotonic()
        if self._counts == self._noted:
            return
        self._noted = Counter(self._counts)
        async with self._sessions.begin() as session:
            await runs.shadowed(session, self._run_id, dict(self._counts))
        if is_last or self._counts["seen"] >= max(2 * self._shown, 1):
            self._shown = self._counts["seen"]
            await outcome.refresh(self._bot, self._sessions, self._settings, self._run_id)

    async def _promote(self, run: TrainingRun) -> None:
        """After its shadow time, what passed the gate serves if that is wished."""
        if not (self._settings.auto_promote and run.promote):
            return
        if await outcome.decide(self._sessions, self._settings, run, RunDecision.ENABLED, None):
            await outcome.refresh(self._bot, self._sessions, self._settings, run.id)


def compared(served: Sequence[Scored], shadow: Sequence[Scored], policy: Policy) -> dict[str, int]:
    """One message seen, and whether the shadow would have done more or less about it. Cards for
    moderators are nothing done."""
    before, after = (_done(scored, policy) for scored in (served, shadow))
    return {"seen": 1, "more": int(after > before), "less": int(after < before)}


def _done(scored: Sequence[Scored], policy: Policy) -> Action:
    action = judge(evidence_of(scored, None), policy).action
    return action if action > Action.REVIEW else Action.NONE
