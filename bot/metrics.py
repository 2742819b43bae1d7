"""What /metrics shows: counters, histograms, and counts of what the database holds."""

import asyncio
from collections.abc import Iterator
from time import monotonic

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from bot.calls import Calls
from bot.inbox import Inbox
from bot.telegram import describe
from moderation.batcher import Batch, Batcher
from moderation.counts import Counts, Numbers, counts
from moderation.database import Sessions

log = structlog.get_logger()

COUNT_SECONDS = 7.0  # Prometheus itself waits ten
KEEP_SECONDS = 30.0  # for so long the counts of the database are shown again
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

Family = CounterMetricFamily | GaugeMetricFamily | InfoMetricFamily


class Metrics:
    """All metrics of one bot, in a registry of their own. No label names a person or a chat."""

    def __init__(self, sessions: Sessions, batcher: Batcher, inbox: Inbox) -> None:
        self.registry = CollectorRegistry()
        self.calls = Calls(self.registry)
        ProcessCollector(registry=self.registry)
        self._sessions = sessions
        self._live = _Live(batcher, inbox)
        self._counting = asyncio.Lock()
        self._counted_at = -KEEP_SECONDS
        self.registry.register(self._live)
        self._pieces = self._histogram("bot_batch_pieces", "Pieces of texts in a batch", SIZES)
        self._batch = self._histogram("bot_batch_seconds", "Time of a batch in the model", SECONDS)
        self._waited = self._histogram(
            "bot_batch_wait_seconds", "How long the oldest piece of a batch had waited", SECONDS
        )
        self._handled = self._histogram(
            "bot_update_seconds", "From the receipt of an update until it was handled", SECONDS
        )
        self.refused = Counter(
            "bot_webhook_refused",
            "Requests that were no update of Telegram's",
            ("reason",),
            registry=self.registry,
        )
        batcher.observe = self._observe
        inbox.observe = self._handled.observe

    async def shown(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        async with self._counting:
            if monotonic() - self._counted_at >= KEEP_SECONDS:
                await self._count()
        return generate_latest(self.registry)

    async def _count(self) -> None:
        try:
            async with asyncio.timeout(COUNT_SECONDS), self._sessions() as session:
                self._live.counts = await counts(session)
        except (SQLAlchemyError, OSError) as error:  # a timeout is an OSError
            self._live.counts = None
            log.warning("database not counted", reason=describe(error))
        self._counted_at = monotonic()

    def _histogram(self, name: str, help_text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, help_text, registry=self.registry, buckets=buckets)

    def _observe(self, batch: Batch) -> None:
        self._pieces.observe(batch.pieces)
        self._batch.observe(batch.seconds)
        self._waited.observe(batch.waited_seconds)


class _Live(Collector):
    """What others count already, read when it is asked for."""

    def __init__(self, batcher: Batcher, inbox: Inbox) -> None:
        self.counts: Counts | None = None  # None: the database is away
        self._batcher = batcher
        self._inbox = inbox

    def describe(self) -> list[Family]:
        """Nothing: names are checked without asking for values."""
        return []

    def collect(self) -> Iterator[Family]:
        """The values of this moment."""
        inbox, batcher = self._inbox, self._batcher
        counters = {
            "bot_updates_received": ("Updates that were written down", inbox.received),
            "bot_updates_handled": ("Updates that were handled", inbox.handled),
            "bot_updates_failed": ("Failed attempts at updates", inbox.failed),
            "bot_updates_quarantined": ("Updates that were set aside", inbox.quarantined),
            "bot_texts_scored": ("Texts that were scored", batcher.scored),
        }
        for name, (words, value) in counters.items():
            yield CounterMetricFamily(name, words, value=value)
        oldest = inbox.oldest_waiting_seconds
        gauges = {
            "bot_updates_waiting": ("Updates that wait or are being handled", inbox.waiting),
            "bot_updates_oldest_seconds": ("How long the oldest of them has waited", oldest),
            "bot_pieces_queued": ("Pieces of texts that wait for a batch", batcher.queued),
            "bot_database_up": ("Whether the database answered", self.counts is not None),
        }
        for name, (words, number) in gauges.items():
            yield GaugeMetricFamily(name, words, value=float(number))
        version = batcher.classifier.version
        yield InfoMetricFamily("bot_model", "The model in service", value={"version": version})
        if self.counts is not None:
            yield from _stored(self.counts)


def _stored(found: Counts) -> Iterator[Family]:
    yield GaugeMetricFamily("bot_groups", "Groups under moderation", value=found.groups)
    yield _gauge("bot_updates_stored", "Updates in the database", ("state",), found.updates)
    yield _gauge("bot_cases", "Cases", ("origin", "verdict"), found.cases)
    yield _gauge("bot_acts", "What was done to messages and people", ("act", "state"), found.acts)
    yield _gauge("bot_labels", "Labels of moderators, audits among them", ("source",), found.labels)
    yield _gauge("bot_trainings", "Trainings of the model", ("state",), found.runs)


def _gauge(name: str, words: str, labels: tuple[str, ...], numbers: Numbers) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=labels)
    for values, number in sorted(numbers.items()):
        family.add_metric(values, number)
    return family
