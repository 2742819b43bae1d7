"""How many texts a second one core normalises: python benchmarks/normalizer.py

Chat-like lines of four kinds, each beside a pass of `str.lower` over the same lines.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence

from moderation.text import normalize

GOAL = 20_000
REPEATS = 5
WORDS = """привет как дела сегодня завтра встреча собрание машина дом работа очень хорошо спасибо
соседи двор парковка кто-нибудь знает почему отключили воду опять подскажите пожалуйста адрес
магазин вечером поеду наверное нормально ребята погода дождь если что пишите можно нужно"""
LATIN = "ok iPhone wifi Python https://example.org/page t.me docker update 2х 10:30 №5 +7"
DISGUISED = "cyкa xyйня п@здец х*й blyat е.ба.нат с\u200bу\u200bк\u200bа п1здец дуууурак cerf"


def lines(n: int, extra: str, share: float, seed: int = 1) -> list[str]:
    """Lines of 3 to 25 words, about 12 on average, some with a word of `extra` in each fifth."""
    rng = random.Random(seed)
    usual, others = WORDS.split(), extra.split()
    made = []
    for _ in range(n):
        words = rng.choices(usual, k=rng.choice((3, 5, 8, 12, 15, 25)))
        if others and rng.random() < share:
            words = [rng.choice(others) if rng.random() < 0.2 else word for word in words]
        made.append(" ".join(words).capitalize() + rng.choice(("", ".", "!", "?", ")))")))
    return made


def rate(function: Callable[[str], str], texts: Sequence[str]) -> float:
    """The best of some passes, in texts a second."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        for text in texts:
            function(text)
        best = min(best, time.perf_counter() - start)
    return len(texts) / best


def main() -> None:
    kinds = {
        "Russian words only": lines(5000, "", 0),
        "ordinary chat": lines(5000, LATIN, 0.3),
        "Latin and numbers in each": lines(5000, LATIN, 1),
        "a disguise in each": lines(5000, DISGUISED, 1),
    }
    found = {}
    for name, texts in kinds.items():
        found[name] = rate(normalize, texts)
        ratio = rate(str.lower, texts) / found[name]
        print(f"{name:28}{found[name]:>10,.0f} texts/s{ratio:>8.0f} x the time of str.lower")
    print(f"goal for ordinary chat: {GOAL:,} texts/s")
    sys.exit(0 if found["ordinary chat"] >= GOAL else 1)


if __name__ == "__main__":
    main()
