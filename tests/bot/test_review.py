import pytest

from bot.language import LANGUAGES, language
from bot.review import PersonPress, Press, keyboard, mask, switches
from moderation.categories import TOXIC
from moderation.states import Act, PersonDecision, Verdict
from moderation.tables import Chat, Report

RU = language("ru")
GROUP = Chat(id=-1001, kind="supergroup")


def buttons(markup):
    return {button.text: button.callback_data for row in markup.inline_keyboard for button in row}


def test_an_open_case_has_its_three_buttons(case):
    found = buttons(keyboard(RU, case, GROUP))
    assert list(found) == ["✅ Верно", "🕊 Не токсично", "✏️ Исправить"]
    assert Press.unpack(found["✏️ Исправить"]).chosen == mask(["insult"])


def test_right_says_what_it_leads_to(case):
    assert "✅ Верно, удалить" in buttons(keyboard(RU, case, GROUP, [Act.DELETE, Act.NOTICE]))
    assert "✅ Верно, предупредить" in buttons(keyboard(RU, case, GROUP, [Act.NOTICE]))


def test_a_card_that_claims_nothing_has_nothing_to_confirm(case):
    case.flagged = []
    assert list(buttons(keyboard(RU, case, GROUP))) == ["🕊 Не токсично", "✏️ Исправить"]


def test_a_clean_case_has_no_buttons(case):
    case.verdict = Verdict.CLEAN
    assert keyboard(RU, case, GROUP) is None


@pytest.mark.parametrize("verdict", [Verdict.CONFIRMED, Verdict.CORRECTED])
def test_after_the_text_comes_its_author(case, verdict):
    case.verdict = verdict
    found = [
        PersonPress.unpack(data).decision for data in buttons(keyboard(RU, case, GROUP)).values()
    ]
    assert set(found) == set(PersonDecision)


@pytest.mark.parametrize("decision", PersonDecision)
def test_what_was_decided_about_the_author_can_only_be_forgiven(case, decision):
    case.verdict, case.person = Verdict.CONFIRMED, decision
    markup = keyboard(RU, case, GROUP)
    if decision is PersonDecision.FORGIVE:
        assert markup is None
    else:
        assert list(buttons(markup)) == ["🤝 Простить"]


def test_reporters_can_be_blocked_until_their_report_proves_right(case):
    reports = [Report(case_id=1, reporter_id=5, reporter_name="Имя")]
    blocks = "🚫 Не принимать жалобы от этих людей"
    assert blocks in buttons(keyboard(RU, case, GROUP, (), reports))
    case.verdict = Verdict.CLEAN
    assert list(buttons(keyboard(RU, case, GROUP, (), reports))) == [blocks]
    case.verdict = Verdict.CONFIRMED
    assert blocks not in buttons(keyboard(RU, case, GROUP, (), reports))


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("chosen", range(32))
def test_each_switch_flips_its_category_alone(code, chosen):
    found = list(buttons(switches(language(code), 10**15, chosen)).values())
    flips = [Press.unpack(data).chosen ^ chosen for data in found[:5]]
    assert flips == [1, 2, 4, 8, 16]
    assert Press.unpack(found[5]) == Press(case=10**15, button="done", chosen=chosen)
    assert all(len(data.encode()) <= 64 for data in found)


def test_the_mask_has_a_bit_for_each_category():
    assert [mask([category.value]) for category in TOXIC] == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(("author", "kind"), [(-5, "supergroup"), (5, "group")])
def test_nobody_is_offered_a_mute_that_telegram_does_not_know(case, author, kind):
    case.verdict, case.prediction.user_id = Verdict.CONFIRMED, author
    found = buttons(keyboard(RU, case, Chat(id=-1001, kind=kind)))
    assert "⛔️ Бан" in found
    assert not any("🔇" in text for text in found)


@pytest.mark.parametrize("chosen", [-1, 32, 2**70])
def test_no_more_than_five_switches_can_be_forged(chosen):
    with pytest.raises(ValueError, match="chosen"):
        Press(case=1, button="done", chosen=chosen)
