"""The doctor's look at this machine: model, disks, database, what waits in it, training."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.app import load
from bot.finding import Finding, counted, ill, well
from bot.language import language
from moderation import golden, registry, runs, store
from moderation.classifier import score_texts
from moderation.columns import now
from moderation.counts import oldest_pending, quarantined
from moderation.database import Sessions
from moderation.settings import Settings
from moderation.states import UpdateState

MB = 2**20
SCARCE_MB = 500
SCARCE_SHARE, SCARCE_SHARE_MB = 0.05, 5000  # a twentieth of a large disk is enough
LONG_WAIT = timedelta(minutes=10)
UNFOLLOWED = timedelta(minutes=5)  # the bot notes each second that it follows a training


def model(settings: Settings) -> Finding:
    """Whether the model in service is as it was published, loads, and judges rightly."""
    try:
        registry.verify(registry.champion(settings.models_dir))
        classifier = load(settings)
        missed = golden.failures(classifier)
        scores = score_texts(classifier, golden.ABUSIVE[:1])[0]
    except Exception as error:  # files that can't be read, a device without memory
        return _no_model(settings, error)
    if missed:
        missed_words = ", ".join(missed)
        return ill("doctor.model_missed", version=classifier.version, missed=missed_words)
    found = max(scores, key=lambda category: scores[category])
    words = language("ru")
    return well(
        "doctor.model",
        version=classifier.version,
        device=classifier.device,
        category=words.category(found).lower(),
        score=words.decimal(scores[found]),
    )


def _no_model(settings: Settings, error: Exception) -> Finding:
    pointer = settings.models_dir / registry.POINTER
    # The embedded model would be put on the same device.
    if os.path.exists(pointer) and not str(error).startswith("DEVICE="):
        return ill("doctor.model_promoted_failed", error=_line(error), pointer=pointer)
    return ill("doctor.model_failed", error=_line(error))


def disks(settings: Settings) -> Iterator[Finding]:
    """The space where the database and the models are written, each disk once."""
    folders = [settings.models_dir]
    if (file := _file(settings)) is not None:
        folders.insert(0, file.parent)
    seen = set()
    for folder in folders:
        # os.path's is false where Path's raises: beyond a folder that can't be looked into.
        whole = folder.absolute()
        there = next(path for path in (whole, *whole.parents) if os.path.exists(path))
        device = there.stat().st_dev
        if device not in seen:
            seen.add(device)
            yield _disk(there)


def _disk(folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    free = usage.free / MB
    is_scarce = free < SCARCE_MB or (
        free < SCARCE_SHARE_MB and usage.free < SCARCE_SHARE * usage.total
    )
    say = ill if is_scarce else well
    key = "doctor.disk_scarce" if is_scarce else "doctor.disk"
    return say(key, free=language("ru").whole(round(free)), folder=folder)


async def stored(settings: Settings, sessions: Sessions) -> AsyncIterator[Finding]:
    """The database, and what waits in it."""
    try:
        yield await _database(settings, sessions)
        yield await _queue(sessions)
        for finding in await _quarantine(sessions):
            yield finding
        for finding in await _training(sessions):
            yield finding
    except (SQLAlchemyError, OSError) as error:
        yield ill("doctor.database_failed", error=_line(error))


async def _database(settings: Settings, sessions: Sessions) -> Finding:
    try:
        async with sessions() as session:  # never committed
            await session.execute(text("UPDATE alembic_version SET version_num = version_num"))
    except (SQLAlchemyError, OSError) as error:
        return ill("doctor.database_readonly", error=_line(error))
    file = _file(settings)
    if file is None:
        async with sessions() as session:
            asked = text("SELECT pg_database_size(current_database())")
            size = int(await session.scalar(asked) or 0)
    else:
        parts = (file, file.with_name(file.name + "-wal"))
        size = sum(part.stat().st_size for part in parts if part.exists())
    return well("doctor.database", size=language("ru").decimal(size / MB, 1))


async def _queue(sessions: Sessions) -> Finding:
    async with sessions() as session:
        pending = await store.count_updates(session, UpdateState.PENDING)
        oldest = await oldest_pending(session)
    if oldest is None:
        return well("doctor.queue_empty")
    waits = now() - oldest
    minutes = int(waits.total_seconds() // 60)
    is_long = waits > LONG_WAIT
    key = "doctor.queue_long" if is_long else "doctor.queue"
    return Finding(not is_long, counted(key, pending, minutes=minutes))


async def _quarantine(sessions: Sessions) -> list[Finding]:
    async with sessions() as session:
        number = await store.count_updates(session, UpdateState.QUARANTINED)
        last = await quarantined(session, 1)
    return [
        Finding(False, counted("doctor.quarantine", number, id=found.id, error=found.error or "—"))
        for found in last
    ]


async def _training(sessions: Sessions) -> list[Finding]:
    async with sessions() as session:
        run = await runs.running(session)
    if run is None:
        return []
    since = language("ru").moment(run.started_at)
    if now() - run.heartbeat_at > UNFOLLOWED:
        return [ill("doctor.training_left", since=since)]
    return [well("doctor.training", since=since, share=language("ru").percent(run.share))]


def _file(settings: Settings) -> Path | None:
    """The file of the database; None for one of a server, or if the address can't be read."""
    try:
        url = make_url(settings.database_url)
    except (ArgumentError, ValueError):
        return None
    return Path(url.database or ":memory:") if url.get_backend_name() == "sqlite" else None


def _line(error: BaseException) -> str:
    """An error in one line, without the statement."""
    said = str(getattr(error, "orig", None) or error).strip()
    return (said or type(error).__name__).splitlines()[0]  # that of a timeout says nothing
