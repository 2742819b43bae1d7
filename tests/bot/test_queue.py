import pytest

from bot.language import LANGUAGES, catalogue, language
from bot.queue import Press, _keyboard, judge
from moderation.categories import TOXIC, Category
from moderation.states import Verdict

LONGEST = Press(case=2**63 - 1, person=2**52, button="clean", chosen=31)
NAMES = [category.value for category in TOXIC]


def buttons(press, code="ru"):
    markup = _keyboard(language(code), press)
    return {button.text: button.callback_data for row in markup.inline_keyboard for button in row}


@pytest.mark.parametrize("chosen", range(32))
def test_each_switch_flips_its_category_alone(chosen):
    press = LONGEST.model_copy(update={"button": "flip", "chosen": chosen})
    found = list(buttons(press).values())
    assert [Press.unpack(data).chosen ^ chosen for data in found[:5]] == [1, 2, 4, 8, 16]
    assert all(Press.unpack(data).button == "flip" for data in found[:5])
    assert all(len(data.encode()) <= 64 for data in found)
    assert {Press.unpack(data).person for data in found} == {2**52}
    rest = [(press.button, press.chosen) for press in map(Press.unpack, found[5:])]
    assert rest == [("clean", 0), ("done", chosen), ("skip", 0), ("stop", 0)]


def test_the_buttons_say_what_they_do_in_both_languages():
    assert list(buttons(LONGEST.model_copy(update={"chosen": 0b101}))) == [
        "☑️ Мат", "▫️ Оскорбление", "☑️ Угроза", "▫️ Дискриминация", "▫️ Грубость",
        "🕊 Не токсично", "Готово", "Пропустить", "Хватит на сегодня",
    ]  # fmt: skip
    assert list(buttons(LONGEST, "en"))[5:] == ["🕊 Not toxic", "Done", "Skip", "Enough for today"]


@pytest.mark.parametrize(
    "data",
    [
        "q:1:2:flip:32",
        "q:1:2:flip:-1",
        "q:99999999999999999999:2:done:0",
        "q:1:99999999999999999999:done:0",
        "q:1:2:delete:0",
        "q:1:2:done",
        "q:x:2:done:0",
    ],
)
def test_forged_data_is_no_press(data):
    with pytest.raises((ValueError, TypeError)):
        Press.unpack(data)


@pytest.mark.parametrize("chosen", range(32))
@pytest.mark.parametrize("flagged", [[], ["insult"], ["insult", "threat"]])
def test_who_finds_all_that_was_claimed_confirms_it(chosen, flagged):
    verdict, vector = judge(chosen, flagged)
    seen = {category.value for category in TOXIC if vector[category]}
    assert seen == {name for i, name in enumerate(NAMES) if chosen >> i & 1}
    assert vector[Category.NON_TOXIC] == int(not seen)
    assert None not in vector.values()
    if not seen:
        assert verdict is Verdict.CLEAN
    elif flagged and set(flagged) <= seen:
        assert verdict is Verdict.CONFIRMED
    else:
        assert verdict is Verdict.CORRECTED


def test_the_languages_have_the_same_keys():
    ru, en = (
        {message.id for message in catalogue(code) if "queue." in str(message.id)}
        for code in LANGUAGES
    )
    assert ru == en
    assert len(ru) > 10


@pytest.mark.parametrize("code", LANGUAGES)
def test_words_of_people_are_escaped(code):
    said = language(code)("queue.case", title="<Двор>", position="1", budget="2", text="<b>&")
    assert "&lt;Двор&gt;" in said
    assert "<tg-spoiler>&lt;b&gt;&amp;</tg-spoiler>" in said
