import random

import pytest

from moderation import registry
from moderation.attribution import MOST_MARKS, weigh
from moderation.categories import Category
from moderation.classifier import TorchClassifier, score_texts

INSULT = Category.INSULT


@pytest.fixture(scope="module")
def score():
    classifier = TorchClassifier(registry.EMBEDDED, "cpu")

    async def score_all(texts):
        return score_texts(classifier, list(texts))

    return score_all


def words(text, spans):
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Какой же ты идиот, честное слово", ["идиот"]),
        ("Доброе утро, дебил, как спалось?", ["дебил"]),
        ("Вечером собрание, приходите все, кроме этой твари Степановой", ["твари"]),
    ],
)
async def test_the_word_that_insults_is_marked(score, text, expected):
    found = words(text, await weigh(text, INSULT, score))
    assert set(expected) <= set(found)
    assert len(found) <= MOST_MARKS


async def test_leaving_the_marked_words_out_costs_more_than_leaving_others_out(score):
    """Deletion faithfulness, over texts with one insult among harmless words."""
    drawn = random.Random(0)
    top, other = [], []
    for insult in ("идиот", "дурак", "скотина", "урод", "тварь"):
        text = f"Добрый вечер, скажите этому типу, что он {insult} и пусть уберёт машину"
        spans = await weigh(text, INSULT, score)
        rest = [w for w in text.split() if w not in words(text, spans)]
        removed = text
        for start, end in reversed(spans):
            removed = removed[:start] + removed[end:]
        for word in drawn.sample(rest, len(spans)):
            text_without = text.replace(word, "", 1)
        whole, without, random_without = await score([text, removed, text_without])
        top.append(whole[INSULT] - without[INSULT])
        other.append(whole[INSULT] - random_without[INSULT])
    assert sum(top) > 3 * max(sum(other), 0.01)


@pytest.mark.parametrize("text", ["", "идиот", "…", "?!"])
async def test_one_word_speaks_for_itself(score, text):
    assert await weigh(text, INSULT, score) == []


async def test_spans_are_in_order_and_within_a_long_text(score):
    text = "идиот дурак тварь урод мразь " * 100
    spans = await weigh(text, INSULT, score)
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)
