import asyncio
import contextlib
import threading
import time

import numpy as np
import pytest

from moderation.batcher import Batcher
from moderation.categories import Category


class Recorder:
    """A classifier whose score is the first letter's code, and that remembers its batches."""

    categories = (Category.INSULT,)

    def __init__(self, version="one", seconds=0.0):
        self.version = version
        self.seconds = seconds
        self.batches = []
        self.hold = threading.Event()
        self.hold.set()

    def encode(self, text):
        if text == "unencodable":
            raise ValueError("no tokens for this")
        return [[ord(letter) for letter in text] or [0]]

    def score(self, batch):
        self.hold.wait(5)
        time.sleep(self.seconds)
        self.batches.append([len(tokens) for tokens in batch])
        if any(tokens[0] == ord("☠") for tokens in batch):
            raise RuntimeError("poison")
        rows = [[np.nan if t[0] == ord("?") else t[0] / 10_000] for t in batch]
        return np.array(rows, dtype=np.float32)


@contextlib.asynccontextmanager
async def running(batcher):
    async with asyncio.TaskGroup() as group:
        task = group.create_task(batcher.run())
        await asyncio.sleep(0)
        try:
            yield batcher
        finally:
            task.cancel()


def expected(text):
    return pytest.approx(ord(text[0]) / 10_000, abs=1e-6)


async def test_every_caller_gets_the_score_of_its_own_text():
    async with running(Batcher(Recorder())) as batcher:
        texts = [chr(ord("а") + i % 30) * (i % 40 + 1) for i in range(500)]
        found = await asyncio.gather(*map(batcher.predict, texts))
    for text, prediction in zip(texts, found, strict=True):
        assert prediction.scores[Category.INSULT] == expected(text)
        assert prediction.model_version == "one"


async def test_texts_that_wait_share_batches_within_the_padded_budget():
    recorder = Recorder()
    async with running(Batcher(recorder, max_batch_tokens=64)) as batcher:
        await asyncio.gather(*(batcher.predict("абвг") for _ in range(64)))
    assert len(recorder.batches) <= 8
    assert all(len(batch) * max(batch) <= 64 for batch in recorder.batches)


async def test_a_text_longer_than_the_budget_is_scored_alone():
    recorder = Recorder()
    async with running(Batcher(recorder, max_batch_tokens=8)) as batcher:
        await asyncio.gather(batcher.predict("абвгдежзиклмнопрст"), batcher.predict("а"))
    assert [18] in recorder.batches


async def test_no_timer_keeps_a_lone_text_waiting():
    async with running(Batcher(Recorder())) as batcher:
        await batcher.predict("прогрев")
        started = time.perf_counter()
        await batcher.predict("а")
        assert time.perf_counter() - started < 0.5


async def test_the_oldest_is_in_the_next_batch_whatever_its_length():
    recorder = Recorder()
    recorder.hold.clear()
    async with running(Batcher(recorder, workers=1, max_batch_tokens=64)) as batcher:
        first = [asyncio.ensure_future(batcher.predict("а"))]
        await asyncio.sleep(0.05)
        long = asyncio.ensure_future(batcher.predict("б" * 60))
        first += [asyncio.ensure_future(batcher.predict("в")) for _ in range(200)]
        await asyncio.sleep(0.05)
        recorder.hold.set()
        await asyncio.gather(long, *first)
    assert 60 in recorder.batches[1]


async def test_a_poison_text_fails_alone():
    recorder = Recorder()
    async with running(Batcher(recorder)) as batcher:
        texts = ["а", "☠", "б", "?", "unencodable", "в"]
        found = await asyncio.gather(*map(batcher.predict, texts), return_exceptions=True)
        assert isinstance(found[1], RuntimeError)
        assert isinstance(found[3], ValueError)
        assert isinstance(found[4], ValueError)
        for i in (0, 2, 5):
            assert found[i].scores[Category.INSULT] == expected(texts[i])
        assert (await batcher.predict("г")).scores[Category.INSULT] == expected("г")


async def test_a_caller_that_goes_away_harms_nobody():
    recorder = Recorder()
    recorder.hold.clear()
    async with running(Batcher(recorder, workers=1)) as batcher:
        blocker = asyncio.ensure_future(batcher.predict("а"))
        await asyncio.sleep(0.05)
        gone = asyncio.ensure_future(batcher.predict("ббб"))
        stays = asyncio.ensure_future(batcher.predict("в"))
        await asyncio.sleep(0.05)
        gone.cancel()
        recorder.hold.set()
        assert (await stays).scores[Category.INSULT] == expected("в")
        await blocker
    assert not any(3 in batch for batch in recorder.batches)


async def test_a_swap_takes_effect_between_batches_and_loses_nothing():
    old, new = Recorder("old", seconds=0.002), Recorder("new")
    async with running(Batcher(old, workers=1, max_batch_tokens=16)) as batcher:
        waiting = [asyncio.ensure_future(batcher.predict("абвг")) for _ in range(100)]
        while not old.batches:
            await asyncio.sleep(0.001)
        batcher.swap(new)
        found = await asyncio.gather(*waiting)
        later = await batcher.predict("а")
    assert {p.model_version for p in found} == {"old", "new"}
    assert later.model_version == "new"
    assert all(p.scores[Category.INSULT] == expected("а") for p in found)


async def test_beyond_the_limit_callers_wait_and_none_is_dropped():
    recorder = Recorder()
    batcher = Batcher(recorder, max_concurrent_requests=10)
    async with running(batcher):
        recorder.hold.clear()
        waiting = [asyncio.ensure_future(batcher.predict("а")) for _ in range(100)]
        await asyncio.sleep(0.05)
        assert batcher.queued <= 10
        recorder.hold.set()
        assert len(await asyncio.gather(*waiting)) == 100


async def test_whoever_watches_is_told_of_each_batch():
    seen = []
    classifier = Recorder(seconds=0.02)
    batcher = Batcher(classifier, workers=1)
    batcher.observe = seen.append
    async with running(batcher):
        await asyncio.gather(
            *(batcher.predict(text) for text in ("аб", "в", "☠")), return_exceptions=True
        )
    assert sum(batch.pieces for batch in seen) == 3
    assert all(batch.seconds >= 0.02 and batch.waited_seconds >= 0 for batch in seen)
    assert batcher.scored == 2
