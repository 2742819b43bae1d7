"""Puts a promoted version into service: load, warm, try, swap; else the old one serves on.

The registry's pointer is watched, so a promotion by another process counts as well. A version that
can't serve is taken out of the pointer again: what it says and what serves are then the same, also
after a restart.
"""

import asyncio
from datetime import datetime
from pathlib import Path

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from sqlalchemy.exc import SQLAlchemyError

from bot.language import of_person
from bot.outcome import BY
from bot.telegram import describe
from moderation import golden, registry, runs, store
from moderation.batcher import Batcher
from moderation.categories import Category
from moderation.classifier import Classifier, ModelError, TorchClassifier
from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.registry import Promotion
from moderation.settings import Settings

log = structlog.get_logger()
WATCH_SECONDS = 2


class UnfitError(Exception):
    """A version that can't serve; `reason` is the end of a message's key."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Service:
    """Which version serves, and which was refused."""

    def __init__(self, bot: Bot, sessions: Sessions, batcher: Batcher, settings: Settings) -> None:
        self._bot = bot
        self._sessions = sessions
        self._batcher = batcher
        self._settings = settings
        self._embedded = registry.card(registry.EMBEDDED).version
        self._refused: datetime | None = None  # the moment of a promotion that came to nothing
        self._noted: datetime | None = None

    async def begin(self) -> None:
        """Try what the start loaded, before it judges anything: a bot that was killed while it
        swapped begins with a version that nobody tried."""
        if self._serving != self._embedded:
            try:
                await self._try_first()
            except (SQLAlchemyError, OSError, ModelError) as error:
                log.warning("version not tried", version=self._serving, reason=describe(error))

    async def run(self) -> None:
        """Serve what is promoted, until cancelled."""
        while True:
            try:
                await self._look()
            except (SQLAlchemyError, OSError, ModelError) as error:
                log.warning("registry not watched", reason=describe(error))
            await asyncio.sleep(WATCH_SECONDS)

    @property
    def _serving(self) -> str:
        return self._batcher.classifier.version

    async def _look(self) -> None:
        pointer = await asyncio.to_thread(registry.promotion, self._settings.models_dir)
        wanted = pointer.version if pointer else self._embedded
        at = pointer.at if pointer else None
        if wanted == self._serving:
            if pointer is not None:
                await self._note(pointer)
            return
        if at is not None and at == self._refused:
            return
        if pointer is not None:
            await self._note(pointer)
        try:
            classifier = await self._prepared(wanted)
        except Exception as error:  # whatever it is, the old one serves on
            await self._refuse(pointer, wanted, self._serving, error)
            return
        before = self._serving
        self._batcher.swap(classifier)
        log.info("model swapped", version=classifier.version, before=before)

    async def _try_first(self) -> None:
        classifier = self._batcher.classifier
        try:
            await asyncio.to_thread(_try, classifier)
            await self._check_policies(classifier)
        except UnfitError as error:
            await self._fall_back(classifier.version, error)

    async def _fall_back(self, refused: str, error: UnfitError) -> None:
        pointer = await asyncio.to_thread(registry.promotion, self._settings.models_dir)
        for version in (pointer and pointer.previous, self._embedded):
            if not version or version == refused:
                continue
            try:
                self._batcher.swap(await self._prepared(version))
            except Exception as other:  # the embedded one is left to serve
                log.warning("version not loaded", version=version, reason=describe(other))
                continue
            if pointer is not None:
                await self._note(pointer)
            await self._refuse(pointer, refused, version, error)
            return

    async def _prepared(self, version: str) -> TorchClassifier:
        models, device = self._settings.models_dir, self._settings.device
        classifier = await asyncio.to_thread(prepare, models, version, device)
        await self._check_policies(classifier)
        return classifier

    async def _check_policies(self, classifier: Classifier) -> None:
        """A group's policy must not ask for what the model doesn't know."""
        async with self._sessions() as session:
            chats = await store.chats(session)
        asked: set[Category] = set()
        for chat in chats:
            asked.update(Preferences.of(chat.preferences).policy(now()).rules)
        unknown = asked - set(classifier.categories)
        if unknown:
            raise UnfitError("categories", ", ".join(sorted(unknown)))

    async def _refuse(
        self, pointer: Promotion | None, version: str, serving: str, error: Exception
    ) -> None:
        reason = error.reason if isinstance(error, UnfitError) else "load"
        said = str(error) if isinstance(error, UnfitError | ModelError) else describe(error)
        log.error("model refused", version=version, serving=serving, reason=said)
        self._refused = pointer.at if pointer else None
        models = self._settings.models_dir
        async with self._sessions.begin() as session:
            if pointer is not None:
                await runs.refuse(session, pointer.at, reason)
        try:
            if pointer == await asyncio.to_thread(registry.promotion, models):
                async with self._sessions.begin() as session:
                    await runs.ask_promotion(session, serving, BY, None)
                await self._note(await asyncio.to_thread(registry.promote, models, serving, BY))
        except ModelError as failure:
            log.error("pointer not moved back", version=serving, reason=str(failure))
        await self._tell(version, serving, reason)

    async def _note(self, pointer: Promotion) -> None:
        """Promotions by other programs belong to the history, too."""
        if pointer.at == self._noted:
            return
        async with self._sessions.begin() as session:
            await runs.promoted(session, pointer.version, pointer.previous, pointer.by, pointer.at)
        self._noted = pointer.at

    async def _tell(self, version: str, serving: str, reason: str) -> None:
        words = of_person(None)
        why = words(f"model.unfit.{reason}")
        said = words("model.refused", version=version, serving=serving, why=why)
        for operator in self._settings.operator_ids:
            try:
                await self._bot.send_message(operator, said)
            except AiogramError as error:
                log.info("operator not reached", user=operator, reason=describe(error))


def prepare(models: Path, version: str, device: str) -> TorchClassifier:
    """A version whose files are as published, loaded, warmed and tried on the golden texts.
    Raises UnfitError, or what loading raises."""
    directory = registry.locate(models, version)
    try:
        registry.verify(directory)
    except ModelError as error:
        raise UnfitError("files", str(error)) from error
    classifier = TorchClassifier(directory, device)
    classifier.score(classifier.encode("warm-up"))
    _try(classifier)
    return classifier


def _try(classifier: Classifier) -> None:
    failed = golden.failures(classifier)
    if failed:
        raise UnfitError("golden", ", ".join(failed))
