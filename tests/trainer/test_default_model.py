"""The embedded model: whole, small, and not blind."""

import pytest

from moderation.categories import TOXIC, Category
from moderation.classifier import TorchClassifier, score_texts
from moderation.registry import EMBEDDED, verify

CLEAN = [
    "Привет, как дела?",
    "спасибо большое",
    "завтра в 10 собрание",
    "ок",
    "доброе утро всем",
    "кто идёт на обед?",
    "ахаха, точно",
]
OBVIOUS = [
    ("да пошли вы все нахуй", Category.OBSCENITY),
    ("это просто пиздец какой-то", Category.OBSCENITY),
    ("ты тупой идиот", Category.INSULT),
    ("какой же ты дебил", Category.INSULT),
    ("я тебя найду и убью", Category.THREAT),
    ("хохлы достали", Category.DISCRIMINATION),
    ("п1здeц, xyйня какая-то", Category.OBSCENITY),
]


@pytest.fixture(scope="module")
def embedded():
    return TorchClassifier(EMBEDDED, "cpu")


def test_it_is_as_it_was_published():
    assert verify(EMBEDDED).version


def test_it_is_small():
    assert sum(path.stat().st_size for path in EMBEDDED.iterdir()) <= 8 * 2**20


def test_it_answers_for_every_category(embedded):
    assert embedded.categories == tuple(Category)


@pytest.mark.parametrize(("text", "category"), OBVIOUS)
def test_it_finds_the_obvious(embedded, text, category):
    assert score_texts(embedded, [text])[0][category] > 0.5


@pytest.mark.parametrize("text", CLEAN)
def test_it_leaves_everyday_lines_alone(embedded, text):
    scores = score_texts(embedded, [text])[0]

    assert max(scores[category] for category in TOXIC) < 0.3


def test_its_card_says_that_it_is_not_for_commerce():
    assert "Not for commercial use" in verify(EMBEDDED).licence


def test_its_figures_are_those_of_the_test_rows():
    metrics = verify(EMBEDDED).metrics

    assert metrics["test"]["macro"]["n"] > 3000
    assert metrics["test"]["macro"]["ap"] > 0.7
