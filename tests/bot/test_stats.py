import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot import stats, stats_words
from bot.language import LANGUAGES, catalogue, language
from bot.stats import Press, View
from moderation.accuracy import Estimate, Insufficient
from moderation.agreement import Agreement
from moderation.categories import TOXIC, Category
from moderation.figures import MEASURES, Figures, Period, Reason
from moderation.quality import Measured
from moderation.states import Act, Source, Verdict
from moderation.tables import Chat

RU, EN = language("ru"), language("en")
NOON = datetime(2026, 10, 5, 12, 30, tzinfo=UTC)
CAPTION = 1024  # characters that Telegram takes below a picture


def shown(words):
    return html.unescape(re.sub(r"<[^>]*>", "", words)).replace("\N{NO-BREAK SPACE}", " ")


def length(words):
    """As Telegram counts it."""
    return len(shown(words).encode("utf-16-le")) // 2


def figures(**changes):
    starts = Period.DAY.starts(NOON)
    nothing = Figures(
        period=Period.DAY, starts=starts, messages=[0] * 24, flagged={}, acted={}, acts={},
        strikes=0, reasons=[], reports=0, verdicts={}, response=None, open_cases=0, labels={},
        model_version=None,
    )  # fmt: skip
    return replace(nothing, **changes)


BUSY = figures(
    messages=[10**8] * 24,
    flagged={category: [10**7] * 24 for category in TOXIC},
    acted={None: [10**7] * 24},
    acts=dict.fromkeys(MEASURES, 10**8),
    strikes=10**8,
    reasons=[Reason(c, t, 10**8) for t in (0.6, 0.5) for c in reversed(TOXIC)],
    reports=10**8,
    verdicts=dict.fromkeys(Verdict, 10**8),
    response=timedelta(days=400),
    open_cases=10**8,
    labels=dict.fromkeys(Source, 10**8),
    model_version="v" * 128,
)
AGREED = Agreement(-0.123, -0.2, 0.1, 100)
CHATS = [Chat(id=-i, title="🙂" * 128) for i in range(1, 4)]


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_words_fit_below_a_picture_however_much_happened(code):
    words = language(code)
    place = stats_words.where(words, CHATS)
    assert length(stats_words.days(words, BUSY, place)) <= CAPTION
    known = Measured(Estimate(1.0, 0.4, 1.0, 10**5), Estimate(1.0, 0.4, 1.0, 10**5), AGREED)
    scarce = Measured(
        Insufficient(10**5, 10**6, "verdicts"), Insufficient(10**5, 10**6, "audits"), AGREED
    )
    for measured in (known, scarce):
        said = stats_words.quality(words, dict.fromkeys(TOXIC, measured), place, Period.MONTH)
        assert length(said) <= CAPTION


def test_nothing_happened_is_said_without_dividing_by_it():
    said = shown(stats_words.days(RU, figures(), "Двор"))
    assert said.splitlines() == [
        "Двор, за 24 ч", "Сообщений: 0", "Отмечено: 0", "Приняты меры: 0",
        "Модераторы ещё ничего не решили", "Ждут решения: 0", "Новых меток: 0",
    ]  # fmt: skip


def test_what_happened_is_told_in_russian():
    found = figures(
        messages=[50] * 24,
        flagged={Category.INSULT: [*[0] * 23, 11]},
        acted={Category.INSULT: [*[0] * 23, 5]},
        acts={Act.DELETE: 4, Act.MUTE: 1},
        reasons=[Reason(Category.INSULT, 0.75, 11)],
        verdicts={Verdict.CONFIRMED: 3, Verdict.CLEAN: 1},
        response=timedelta(seconds=150),
        open_cases=2,
        labels={Source.AUDIT: 1},
        model_version="v1",
    )
    assert shown(stats_words.days(RU, found, "Двор")).splitlines() == [
        "Двор, за 24 ч",
        "Сообщений: 1 200",
        "Отмечено: 11 (0,9 %)",
        "Оскорбление от 0,75 — 11",
        "Приняты меры: 5 (4 удаления, 1 запрет писать)",
        "Модераторы согласились: 3 из 4 (75 %); исправили — 0, не токсично — 1",
        "Ждут решения: 2. Обычно решают за 2 мин",
        "Новых меток: 1 (проверки — 1)",
        "Модель: v1",
    ]


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(seconds=4), "4 с"), (timedelta(minutes=59), "59 мин"),
        (timedelta(hours=47), "47 ч"), (timedelta(days=2), "2 дня"),
    ],
)  # fmt: skip
def test_times_are_told_in_the_unit_that_suits_them(time, said):
    assert f"Обычно решают за {said}" in stats_words.days(RU, figures(response=time), "Двор")


def test_quality_says_what_is_known_and_how_much_is_lacking():
    found = {
        Category.THREAT: Measured(Insufficient(3, 15, "verdicts"), Estimate(0.71, 0.54, 0.84, 38)),
        Category.RUDE: Measured(None, Insufficient(38, 200, "audits")),
    }
    said = shown(stats_words.quality(RU, found, "Двор", Period.MONTH)).splitlines()
    assert said[:3] == [
        "Двор, качество за 30 дней",
        "Угроза: точность — ещё мало решений: 3 из ~15; полнота 71 % (54–84, n = 38)",
        "Грубость: точность — ничего не отмечено; полнота — ещё мало данных: 38 из ~200",
    ]
    assert "recall 71% (54–84, n = 38)" in stats_words.quality(EN, found, "Yard", Period.WEEK)


def test_agreement_is_told_where_it_is_known():
    found = {
        Category.THREAT: Measured(None, None, Agreement(0.64, 0.5, 0.8, 40)),
        Category.RUDE: Measured(None, None, Agreement(None, None, None, 3)),
    }
    said = stats_words.quality(RU, found, "Двор", Period.MONTH)
    assert "Согласие модераторов (α): угроза 0,64\n" in said
    found = {Category.RUDE: Measured(None, None, None)}
    assert "α" not in stats_words.quality(RU, found, "Двор", Period.MONTH)


def test_a_title_with_signs_of_html_is_shown_as_it_is():
    place = stats_words.where(RU, [Chat(id=-1, title="<Двор> & Ко")])
    assert "&lt;Двор&gt; &amp; Ко" in stats_words.days(RU, figures(), place)


def test_many_groups_are_counted_not_named():
    assert stats_words.where(RU, [*CHATS, *CHATS]) == "6 групп"
    assert stats_words.where(RU, None) == "Все группы"
    assert stats_words.where(RU, [Chat(id=1, title="А"), Chat(id=2, title="Б")]) == "А, Б"


def test_both_languages_have_the_same_keys_and_say_them_with_the_same_values():
    keys = {}
    for code in LANGUAGES:
        messages = {m.id if isinstance(m.id, str) else m.id[0]: m for m in catalogue(code)}
        keys[code] = {key: m for key, m in messages.items() if key.startswith("stats.")}
    assert set(keys["ru"]) == set(keys["en"])
    for key, message in keys["ru"].items():
        said = [message.string, keys["en"][key].string]
        fields = [
            {
                name
                for form in ([s] if isinstance(s, str) else s)
                for name in re.findall(r"{\w+}", form)
            }
            for s in said
        ]
        assert fields[0] == fields[1], key


@pytest.mark.parametrize("view", View)
def test_buttons_carry_the_scope_and_mark_what_is_shown(view):
    press = Press(scope=-(10**12), view=view, period=Period.WEEK)
    periods, views = stats._buttons(RU, press).inline_keyboard
    assert [button.text for button in periods] == ["24 ч", "● 7 д", "30 д"]
    assert [button.text.startswith("●") for button in views] == [each is view for each in View]
    for button in (*periods, *views):
        assert len(button.callback_data) <= 64
        assert Press.unpack(button.callback_data).scope == press.scope


def test_quality_opens_with_a_period_that_can_tell_something():
    press = Press(scope=-1, view=View.DAYS, period=Period.DAY)
    _, (_, button) = stats._buttons(RU, press).inline_keyboard
    assert Press.unpack(button.callback_data).period is Period.MONTH


def test_a_picture_that_can_not_be_drawn_leaves_the_words():
    broken = figures(messages=[1] * 24, flagged={Category.INSULT: [1, 2], Category.RUDE: [1, 2, 3]})
    page = stats._made(broken, RU, "Двор", Press(scope=-1, view=View.DAYS, period=Period.DAY))
    assert page.picture is None
    assert "Двор" in page.words
