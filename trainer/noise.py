"""Disguises that people give to words to get past a filter, for training rows."""

import random

# Letters of other alphabets, digits and signs that are read as a Cyrillic letter.
_LOOK_ALIKES = {
    "а": "a@", "б": "6b", "в": "bv", "г": "gr", "д": "d", "е": "eё", "ё": "e", "ж": "zj",
    "з": "3z", "и": "iu", "й": "u", "к": "k", "л": "l", "м": "m", "н": "hn", "о": "o0",
    "п": "pn", "р": "pr", "с": "cs$", "т": "tm", "у": "yu", "ф": "f", "х": "xh", "ц": "c",
    "ч": "4", "ш": "w", "ы": "y", "э": "e", "ю": "u", "я": "a",
}  # fmt: skip
_MASKS = "*@#_-."
_SEPARATORS = (" ", ".", "-", "_", "*")


def disguise(text: str, letters: float, rng: random.Random) -> str:
    """`text` with about a third of its longer words disguised, about `letters` of their letters."""
    words = text.split(" ")
    return " ".join(
        _word(word, letters, rng) if len(word) > 2 and rng.random() < 0.35 else word
        for word in words
    )


def _word(word: str, letters: float, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.5:
        return "".join(_look_alike(c, rng) if rng.random() < letters else c for c in word)
    place = rng.randrange(1, len(word))
    if kind < 0.65:  # х*й
        return word[:place] + rng.choice(_MASKS) + word[place + 1 :]
    if kind < 0.75:  # дуууурак
        return word[:place] + word[place - 1] * rng.randrange(2, 5) + word[place:]
    if kind < 0.85:  # a typing slip: letters swapped or one lost
        swapped = word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]
        return swapped if rng.random() < 0.5 else word[:place] + word[place + 1 :]
    if kind < 0.95:  # с у к а
        return rng.choice(_SEPARATORS).join(word)
    return word[:place] + "\N{ZERO WIDTH SPACE}" + word[place:]


def _look_alike(letter: str, rng: random.Random) -> str:
    return rng.choice(_LOOK_ALIKES.get(letter.lower(), letter))
