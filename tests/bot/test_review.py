import pytest

from bot.review import Press, keyboard, mask, switches
from moderation.categories import TOXIC
from moderation.states import Act, Verdict


def buttons(markup):
    return {button.text: button.callback_data for row in markup.inline_keyboard for button in row}


def test_an_open_case_has_its_three_buttons(case):
    found = buttons(keyboard(case, []))
    assert list(found) == ["✅ Верно", "🕊 Не токсично", "✏️ Исправить"]
    assert Press.unpack(found["✏️ Исправить"]).chosen == mask(["insult"])


def test_right_says_what_it_leads_to(case):
    assert "✅ Верно, удалить" in buttons(keyboard(case, [Act.DELETE, Act.NOTICE]))


def test_a_decided_case_has_no_buttons(case):
    case.verdict = Verdict.CLEAN
    assert keyboard(case, []) is None


@pytest.mark.parametrize("chosen", range(32))
def test_each_switch_flips_its_category_alone(chosen):
    found = list(buttons(switches(10**15, chosen)).values())
    flips = [Press.unpack(data).chosen ^ chosen for data in found[:5]]
    assert flips == [1, 2, 4, 8, 16]
    assert Press.unpack(found[5]) == Press(case=10**15, button="done", chosen=chosen)
    assert all(len(data.encode()) <= 64 for data in found)


def test_the_mask_has_a_bit_for_each_category():
    assert [mask([category.value]) for category in TOXIC] == [1, 2, 4, 8, 16]
