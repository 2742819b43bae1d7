"""Made-up rows in the original recipe's file format."""

import random

from moderation.categories import RECIPE_NAMES, Category
from tests.trainer.conftest import CLEAN, WORDS, sentence


def seed_lines(n, seed=0):
    """A header and `n` distinct rows: two fifths not toxic, the others with one or two marks."""
    rng = random.Random(seed)
    yield "text_res\tmark1\tmark2\tmark3"
    for i in range(n):
        labels = rng.sample(sorted(WORDS), rng.choice([1, 1, 2])) if i % 5 > 1 else []
        starts = [rng.choice(WORDS[label]) for label in labels] or [rng.choice(CLEAN)]
        marks = [RECIPE_NAMES[Category(label)] for label in labels] or ["0"]
        text = sentence(rng, *starts, spelt(i))
        yield "\t".join([text, *marks, *[""] * (3 - len(marks))])


def spelt(number):
    """A number as letters: the recipe's cleaning would make texts that differ by a number equal."""
    return "".join("абвгдежзик"[int(digit)] for digit in str(number))
