import pytest

from bot.review import Press
from bot.verdicts import judge
from moderation.categories import TOXIC, Category
from moderation.states import Verdict


def test_right_speaks_only_of_what_the_card_claims(case):
    verdict, vector = judge(Press(case=1, button="right"), case)
    assert verdict is Verdict.CONFIRMED
    assert vector[Category.INSULT] == 1
    assert vector[Category.NON_TOXIC] == 0
    assert vector[Category.THREAT] is None


@pytest.mark.parametrize("press", [Press(case=1, button="clean"), Press(case=1, button="done")])
def test_clean_speaks_of_every_category(case, press):
    verdict, vector = judge(press, case)
    assert verdict is Verdict.CLEAN
    assert vector == {**dict.fromkeys(TOXIC, 0), Category.NON_TOXIC: 1}


@pytest.mark.parametrize("chosen", range(1, 32))
def test_done_speaks_of_every_category_as_chosen(case, chosen):
    verdict, vector = judge(Press(case=1, button="done", chosen=chosen), case)
    assert verdict is Verdict.CORRECTED
    assert [vector[c] for c in TOXIC] == [chosen >> i & 1 for i in range(5)]
    assert vector[Category.NON_TOXIC] == 0
