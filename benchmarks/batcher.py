"""How much of a model's raw speed the batcher gives to many callers: python benchmarks/batcher.py

Prints ratios of one run side by side; absolute figures drift from machine to machine.
"""

import argparse
import asyncio
import csv
import gzip
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import torch

from moderation import registry
from moderation.batcher import Batcher
from moderation.classifier import TorchClassifier, score_texts

CALLERS = 256
# fmt: off
WORDS = (
    "привет", "как", "дела", "сегодня", "вечером", "собрание", "дом", "подъезд", "машина",
    "двор", "сосед", "спасибо", "хорошо", "пожалуйста", "завтра", "когда", "почему", "работа",
    "вчера", "магазин", "говорят", "погода", "ребёнок", "школа", "деньги", "вообще", "опять",
    "просто", "никто", "никогда", "может", "быть", "наверное", "конечно", "человек", "город",
)
# fmt: on


def made_texts(number: int, seed: int = 0) -> list[str]:
    """Texts of chat-like lengths: median 12 words, a tail of long ones."""
    chance = random.Random(seed)
    lengths = [max(1, min(300, round(chance.lognormvariate(2.5, 0.8)))) for _ in range(number)]
    return [" ".join(chance.choices(WORDS, k=length)) for length in lengths]


def read_texts(path: Path, number: int) -> list[str]:
    """The first texts of a TSV, as they come."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row["text"] for row, _ in zip(rows, range(number), strict=False)]


def raw(classifier: TorchClassifier, texts: Sequence[str], workers: int, budget: int) -> float:
    """Texts a second when all are known beforehand: sorted by length, tokenising included."""
    parts = [texts[i::workers] for i in range(workers)]
    started = perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda part: score_texts(classifier, part, budget), parts))
    return len(texts) / (perf_counter() - started)


def one_by_one(classifier: TorchClassifier, texts: Sequence[str]) -> float:
    """Texts a second when each is scored as it comes."""
    started = perf_counter()
    for text in texts:
        score_texts(classifier, [text])
    return len(texts) / (perf_counter() - started)


async def batched(classifier: TorchClassifier, texts: Sequence[str]) -> tuple[float, list[float]]:
    """Texts a second and latencies in seconds, with `CALLERS` callers one after another."""
    batcher = Batcher(classifier)
    queue = list(reversed(texts))
    latencies = []

    async def caller() -> None:
        while queue:
            began = perf_counter()
            await batcher.predict(queue.pop())
            latencies.append(perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(batcher.run())
        started = perf_counter()
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        seconds = perf_counter() - started
        running.cancel()
    return len(texts) / seconds, latencies


def best(measure: Callable[[], float], rounds: int) -> float:
    return max(measure() for _ in range(rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=registry.EMBEDDED)
    parser.add_argument("--texts", type=Path, help="a TSV with a column `text`")
    parser.add_argument("--number", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    classifier = TorchClassifier(arguments.model)
    texts = (
        read_texts(arguments.texts, arguments.number)
        if arguments.texts
        else made_texts(arguments.number)
    )
    score_texts(classifier, texts[:200])
    speeds = {}
    for threads, workers in ((1, 1), (2, 1), (1, 2)):
        torch.set_num_threads(threads)
        for budget in (512, 2048):
            name = f"raw, {workers} x {threads} threads, budget {budget}"
            speeds[name] = best(
                lambda w=workers, b=budget: raw(classifier, texts, w, b),  # type: ignore[misc]
                arguments.rounds,
            )
    torch.set_num_threads(1)
    runs = [asyncio.run(batched(classifier, texts)) for _ in range(arguments.rounds)]
    speed, latencies = max(runs)
    speeds[f"batcher, {CALLERS} callers"] = speed
    speeds["one by one"] = best(lambda: one_by_one(classifier, texts[:500]), arguments.rounds)
    ceiling = max(value for name, value in speeds.items() if name.startswith("raw"))
    for name, value in speeds.items():
        print(f"{name:34} {value:8.0f} texts/s   x{value / ceiling:.2f} of the best raw")
    quantiles = statistics.quantiles(latencies, n=100)
    print(f"latency at {CALLERS} callers: p50 {quantiles[49]:.3f} s, p99 {quantiles[98]:.3f} s")
    print(f"ratio: {speed / ceiling:.2f} (goal: at least 0.80)")
    sys.exit(0 if speed >= 0.8 * ceiling else 1)


if __name__ == "__main__":
    main()
