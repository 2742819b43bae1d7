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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch

from moderation import registry
from moderation.batcher import Batcher
from moderation.classifier import TorchClassifier, score_texts

CALLERS = 256
BATCHER = f"batcher, {CALLERS} callers"
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


@dataclass(frozen=True, slots=True)
class Setting:
    """A way to score all texts at once: workers of so many threads, and a padded-token budget."""

    workers: int
    threads: int
    budget: int

    def __str__(self) -> str:
        return f"raw, {self.workers} x {self.threads} threads, budget {self.budget}"


RAW = [Setting(w, t, b) for w, t in ((1, 1), (1, 2), (2, 1)) for b in (512, 768, 2048)]


def round_of(classifier: TorchClassifier, texts: Sequence[str]) -> tuple[dict[str, float], float]:
    """One measurement of each way, close together in time; speeds, and the batcher's p99."""
    speeds = {}
    for setting in RAW:
        torch.set_num_threads(setting.threads)
        speeds[str(setting)] = raw(classifier, texts, setting.workers, setting.budget)
    torch.set_num_threads(1)
    speeds[BATCHER], latencies = asyncio.run(batched(classifier, texts))
    speeds["one by one"] = one_by_one(classifier, texts[: len(texts) // 8])
    return speeds, statistics.quantiles(latencies, n=100)[98]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=registry.EMBEDDED)
    parser.add_argument("--texts", type=Path, help="a TSV with a column `text`")
    parser.add_argument("--number", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    classifier = TorchClassifier(arguments.model)
    number = arguments.number
    texts = read_texts(arguments.texts, number) if arguments.texts else made_texts(number)
    score_texts(classifier, texts[:200])
    rounds = [round_of(classifier, texts) for _ in range(arguments.rounds)]
    # Other programs only ever slow a round down, so the best round tells most about each way.
    speeds = {name: max(found[name] for found, _ in rounds) for name in rounds[0][0]}
    ceiling = max(value for name, value in speeds.items() if name.startswith("raw"))
    for name, value in speeds.items():
        print(f"{name:34} {value:8.0f} texts/s   x{value / ceiling:.2f} of the best raw")
    print(f"p99 at {CALLERS} callers: {min(p99 for _, p99 in rounds):.2f} s")
    ratio = speeds[BATCHER] / ceiling
    print(f"ratio: {ratio:.2f} (goal: at least 0.80)")
    sys.exit(0 if ratio >= 0.8 else 1)


if __name__ == "__main__":
    main()
