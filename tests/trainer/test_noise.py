import random

from hypothesis import given
from hypothesis import strategies as st

from moderation.text import normalize
from trainer.noise import disguise


@given(st.text(), st.integers())
def test_any_text_can_be_disguised_and_the_same_seed_gives_the_same(text, seed):
    first = disguise(text, 0.3, random.Random(seed))

    assert first == disguise(text, 0.3, random.Random(seed))


def test_some_words_are_disguised_and_most_can_still_be_read():
    text = "убью тебя завтра скотина такая " * 20
    disguised = disguise(text, 0.3, random.Random(3))

    assert disguised != text
    assert normalize(disguised).count("тебя") > 10


def test_short_words_stay_as_they_are():
    assert disguise("и я да ну", 1.0, random.Random(0)) == "и я да ну"
