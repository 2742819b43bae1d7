"""Texts made to cost time: what they cost grows with their length and no faster."""

import importlib
import pkgutil
import re
import unicodedata
from time import thread_time

import pytest

import moderation
from moderation.disguises import _fold, _reveal
from moderation.memory import text_key
from moderation.redaction import redact
from moderation.text import LONGEST, normalize, thin, views

PATTERNS = {
    f"{module.name}.{name}": value
    for module in pkgutil.iter_modules(moderation.__path__)
    for name, value in vars(importlib.import_module(f"moderation.{module.name}")).items()
    if isinstance(value, re.Pattern)
}
SIGNS = 'хa1_.-*@$/:,!"+<~ \u0301'
SECONDS = 3  # a hundred times what each takes, and a hundredth of what one that is not linear would


# Marks of different classes have to be brought into their order.
MIXED = "\u0315\u0300\u05ae"
BOMBS = {
    "zalgo": ("при" + MIXED * 9) * 3_000,
    "marks of three classes": "а" + MIXED * 33_000,
    "Hebrew points": "\u05d0" + "\u05b0\u05bc" * 50_000,
    "marks in the wrong order": "а" + "\u0301" * 50_000 + "\u0323" * 50_000,
    "characters that become eighteen": "\ufdfa" * 50_000,
    "characters that become three": "\u0958" * 50_000,
    "underscores": "х" + "_" * 50_000 + "аб",
    "stars before a digit": "п" + "*" * 36 + "2",
    "many stars before a digit": ("п" + "*" * 36 + "2 ") * 2_500,
    "signs between letters": "х_.-*/|у" * 12_500,
    "letters that begin a row each": "х_\t" * 20_000 + "х_",
    "dots": "..." * 33_000 + "х",
    "per cent": "a%" * 50_000,
    "at": "a@" * 50_000,
    "addresses": "www.a." * 16_000,
    "e-mail": "a" * 50_000 + "@" + "a." * 25_000,
    "digits": "7 900" * 20_000,
    "direction overrides": "\u202eа" * 50_000,
    "letters for formulas": "\U0001d400" * 50_000,
    "words in two alphabets": " ".join(f"xу{n}а" for n in range(15_000)),
    "a word without an end": "блаbla" * 16_000,
    "line breaks": "\n" * 100_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_hundred_thousand_characters_cost_little(name):
    bomb, begun = BOMBS[name], thread_time()
    views(bomb), text_key(bomb), redact(bomb)
    assert thread_time() - begun < SECONDS


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_can_be_matched_in_more_ways_than_anybody_can_try(name):
    """Forty times the same two signs and then one that doesn't fit: an exponential pattern would
    take till the end of days, one that is only slow is found by the test above."""
    begun = thread_time()
    for pump in [a + b for a in SIGNS for b in SIGNS]:
        for end in ("2", "аб"):
            text = f"х{pump * 20}{end}"
            PATTERNS[name].search(text)
            PATTERNS[name].fullmatch(text)
    assert thread_time() - begun < SECONDS


def test_more_than_thirty_marks_in_a_row_are_thinned_and_fewer_stay():
    assert thin("а" + "\u0301" * 30 + "б") == "а" + "\u0301" * 30 + "б"
    assert thin("а" + MIXED * 1_000 + "б") == "а" + MIXED * 10 + "б"
    assert thin("?!" * 1_000) == "?!" * 1_000
    assert unicodedata.normalize("NFC", thin("и" + "\u0306" * 99)).startswith("й")


def test_marks_hide_nothing_however_many_they_are():
    assert normalize("с" + MIXED[:2] * 9_999 + "у\u0301ка") == "сука"


def test_of_an_endless_text_the_beginning_is_scored():
    assert [len(view) for view in views("слово " * LONGEST)] == [LONGEST]


def test_long_words_fill_no_memory():
    before = _reveal.cache_info().currsize, _fold.cache_info().currsize
    normalize(" ".join("xу" * 50 + str(n) for n in range(50)))
    assert (_reveal.cache_info().currsize, _fold.cache_info().currsize) == before
