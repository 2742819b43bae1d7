import pytest

from bot.content import Part
from bot.evidence import Scored
from bot.shadow import compared
from moderation.batcher import Prediction
from moderation.categories import Category
from moderation.policy import PRESETS


def scored(insult):
    scores = dict.fromkeys(Category, 0.0) | {Category.INSULT: insult}
    return [Scored(Part("text", "words", authored=True), Prediction(scores, "v"))]


@pytest.mark.parametrize(
    ("before", "after", "more", "less"),
    [
        (0.1, 0.99, 1, 0),
        (0.99, 0.1, 0, 1),
        (0.99, 0.98, 0, 0),
        (0.1, 0.2, 0, 0),
        (0.1, PRESETS["standard"].rules[Category.INSULT].review, 0, 0),  # a card is nothing done
    ],
)
def test_what_would_have_been_done_otherwise(before, after, more, less):
    found = compared(scored(before), scored(after), PRESETS["standard"])
    assert found == {"seen": 1, "more": more, "less": less}
