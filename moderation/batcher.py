"""Batches the texts of many waiting callers through one hot-swappable classifier."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeAlias

from moderation.classifier import Classifier, Piece, Scores, merge, pieces

Row: TypeAlias = list[float]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The scores of one text and the version of the model that gave them."""

    scores: Scores
    model_version: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch was, for those who watch."""

    pieces: int
    seconds: float  # in the model
    waited_seconds: float  # of its oldest piece, before


@dataclass(slots=True, eq=False)
class _Job:
    """One caller's text: its pieces are scored in any order and batch, by one classifier."""

    text: str
    done: asyncio.Future[Prediction]
    items: list["_Item"] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    since: float = field(default_factory=monotonic)


@dataclass(slots=True, eq=False)
class _Item:
    job: _Job
    piece: Piece
    classifier: Classifier


class Batcher:
    """Work-conserving: an idle worker takes what has queued, no timer waits for more.

    A batch is anchored on the oldest piece and filled with those nearest to it in length among
    the oldest `lookahead`, up to `max_batch_tokens` after padding. At most
    `max_concurrent_requests` texts wait; further callers wait for a place, none is dropped.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        workers: int = 2,
        max_batch_tokens: int = 768,
        max_concurrent_requests: int = 2048,
        lookahead: int = 256,
    ) -> None:
        self.classifier = classifier
        self.workers = workers
        self.max_batch_tokens = max_batch_tokens
        self.lookahead = lookahead
        self.scored = 0  # texts
        self.batch_at = monotonic()  # when the last one ended
        self.observe: Callable[[Batch], None] = lambda batch: None
        self._places = asyncio.Semaphore(max_concurrent_requests)
        self._queue: deque[_Item] = deque()
        self._queued = asyncio.Event()

    async def predict(self, text: str) -> Prediction:
        """Scores of `text`: of all its views and windows the highest counts.

        Raises whatever the classifier raises for this very text, ValueError for scores that
        aren't numbers; other texts of the same batch are unharmed.
        """
        async with self._places:
            done: asyncio.Future[Prediction] = asyncio.get_running_loop().create_future()
            self._enqueue(_Job(text, done))
            found = await done
        self.scored += 1
        return found

    async def run(self) -> None:
        """Score until cancelled."""
        # One intra-op thread a worker: two threads on one batch suffer 10 to 25 times more
        # from a busy neighbour than two batches with one thread each.
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="batcher")
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.workers):
                    group.create_task(self._work(pool))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def swap(self, classifier: Classifier) -> None:
        """Serve with `classifier` from the next batch on; a text half scored starts again."""
        self.classifier = classifier
        waiting = dict.fromkeys(item.job for item in self._queue)
        self._queue.clear()
        for job in waiting:
            try:
                self._enqueue(job)
            except Exception as error:  # this text alone can't be encoded by the new model
                _fail(job, error)

    @property
    def queued(self) -> int:
        """Pieces that wait for a batch."""
        return len(self._queue)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest waiting piece has waited."""
        return monotonic() - self._queue[0].job.since if self._queue else 0.0

    def _enqueue(self, job: _Job) -> None:
        classifier = self.classifier
        items = [_Item(job, piece, classifier) for piece in pieces(classifier, job.text)]
        job.items, job.rows = items, []
        self._queue.extend(items)
        self._queued.set()

    async def _work(self, pool: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._queued.wait()
            # Callers that became ready in this turn of the loop share the batch.
            await asyncio.sleep(0)
            batch = self._pick()
            if not batch:
                self._queued.clear()
                continue
            began = monotonic()
            rows = await loop.run_in_executor(pool, _score, batch)
            self.batch_at = monotonic()
            self.observe(Batch(len(batch), self.batch_at - began, began - batch[0].job.since))
            for item, row in zip(batch, rows, strict=True):
                _settle(item, row)

    def _pick(self) -> list[_Item]:
        """The oldest piece and those nearest to it in length, of one classifier."""
        head: list[_Item] = []
        while self._queue and len(head) < self.lookahead:
            item = self._queue.popleft()
            if not item.job.done.done():  # its caller may have gone, or its text failed
                head.append(item)
        if not head:
            return []
        anchor = head[0]
        near = sorted(
            (item for item in head if item.classifier is anchor.classifier),
            key=lambda item: abs(len(item.piece) - len(anchor.piece)),  # stable: oldest first
        )
        batch, longest = [anchor], len(anchor.piece)
        for item in near:
            if item is anchor:
                continue
            longest = max(longest, len(item.piece))
            if longest * (len(batch) + 1) > self.max_batch_tokens:
                break
            batch.append(item)
        taken = {id(item) for item in batch}
        self._queue.extendleft(item for item in reversed(head) if id(item) not in taken)
        return batch


def _score(batch: Sequence[_Item]) -> list[Row | Exception]:
    """The row of each piece, or what its text made the classifier raise: halves the batch on
    an error until the bad piece stands alone."""
    try:
        rows: list[Row | Exception] = (
            batch[0].classifier.score([item.piece for item in batch]).tolist()
        )
        return rows
    except Exception as error:  # anything a model may raise on one text
        if len(batch) == 1:
            return [error]
        middle = len(batch) // 2
        return _score(batch[:middle]) + _score(batch[middle:])


def _settle(item: _Item, row: Row | Exception) -> None:
    job = item.job
    if job.done.done() or item not in job.items:  # gone, or started again by a swap
        return
    if isinstance(row, Exception):
        _fail(job, row)
        return
    job.rows.append(row)
    if len(job.rows) < len(job.items):
        return
    try:
        scores = merge(item.classifier.categories, job.rows)
        job.done.set_result(Prediction(scores, item.classifier.version))
    except ValueError as error:
        _fail(job, error)


def _fail(job: _Job, error: Exception) -> None:
    if not job.done.done():
        job.done.set_exception(error)
