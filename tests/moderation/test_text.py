import json
import re
import time
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moderation.roots import is_abusive
from moderation.text import normalize, sanitize, tidy, views

SUITES = Path(__file__).parents[2] / "trainer" / "suites"
EVASIONS, MIRROR = (
    [json.loads(line) for line in (SUITES / name).read_text(encoding="utf-8").splitlines()]
    for name in ("evasions.jsonl", "mirror.jsonl")
)
# Kinds of harmless oddities that a view may write plainly.
REWRITTEN = {"stretched_joy", "spaced_joy", "stress_and_marks"}
INNOCENT = """
употреблять оскорблять страховать застрахуй подстрахуй мандарин мандат команда колебать скипидар
хлеба хлебал требует стебель психует себе себя тебе небо неба лебедь мебель учебный погреб рубля
корабля сабля гребля оскорблял бляха дебет педагог спидометр поезд звезда мудрый изумруд
художник хулиган хурма сухую глухую плохую Ебург потреблял ребёнок амёба перебор зебра верблюд
Херсонес чебурек дублон подробный
"""
RUSSIAN = st.text("абвгдежзийклмнопрстуфхцчшщъыьэюяёАБВЖЯ ,.!?-\n", max_size=60)


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("cyкa", "сука"),
        ("xyй", "хуй"),
        ("пиzдец", "пиздец"),
        ("6лядь", "блядь"),
        ("пи3дец", "пиздец"),
        ("п и з д е ц полный", "пиздец полный"),
        ("х.у.й.н.я", "хуйня"),
        ("бляяяяять", "блять"),
        ("п\u200bи\u200bз\u200bд\u200bе\u200bц", "пиздец"),
        ("𝐱yй", "хуй"),
        ("с̶у̶к̶а̶", "сука"),
        ("дуρак", "дурак"),
        ("ty tupoy urod", "ty тупой урод"),
        ("pizdec", "пиздец"),
        ("NAHUI", "НАХУЙ"),
        ("cerf, [eq", "сука, хуй"),
        ("ты х*й, п@здец", "ты хуй, пиздец"),
        ("бл#ть", "блять"),
        ("е.ба.нат и бл-ядь", "ебанат и блядь"),
        ("нае...ли нас", "наебали нас"),
        ("х у й", "хуй"),
        ("}{уй", "хуй"),
        ("с*у*к*а", "сука"),
        ("да!п*дор", "да!пидор"),
        ("на%уй", "нахуй"),
        ("Піздец, заїбали", "Пиздец, заебали"),
        ("ЄБАТЬ, ѕука", "ЕБАТЬ, сука"),
        ("хүйня и ҳуй", "хуйня и хуй"),
        ("хᴜй, бляδь", "хуй, блять"),
    ],
)
def test_disguises_are_undone(disguised, plain):
    assert normalize(disguised) == plain


@pytest.mark.parametrize(
    "text",
    [
        "Привет, как дела?",
        "hello world, nice code",
        "10го числа в 2х домах, 5й этаж",
        "COVID-19 и 5G",
        "USB-кабель и Wi-Fi",
        "цена 100$ и 5%",
        "їжак і ґанок",
        "🙂👍",
        "а б в",
        "х или у",
        "Ёлка и йод",
        "СССР и ООО «Рога»",
        "да-а-а, ну-у-у, кто-нибудь",
        "т.е. и т.д. и т.п., А.С. и И.О.",
        "her job is to cope, call her",
        "Huawei, Hulk, Xerox, Kozel, Hera, Hugepages",
        "H&R, EBT, ET, Bt, Ftt, 360p и 360кб",
        "мы всё поняли:3Будем ждать",
        "iPhoneом, GPTшка, PDFка, ВКvideo",
        "SELECT * FROM t; x*y + a[i]",
        "https://example.org/suka/xyi?cerf=1",
        "@sukachev_club #хештег user@example.com",
        "№5 … ™ м² ½ ❤️ 👨‍👩‍👧",
        "дом3, 3комнатная, А4, 5*5=25",
        "**ура** *важно* цена без НДС*",
        "ghbdtn, rfr ltkf?",
        "privet, kak dela",
        "Добрий ранок, Қайырлы таң, Бәрі жақсы",
    ],
)
def test_harmless_text_is_left_alone(text):
    assert normalize(text) == text
    assert views(text) == (text,)


@given(st.text(max_size=80))
@example("аa\u0301\u0301")
@example("a.\u0301b.c.d.e")
def test_normalizing_twice_changes_nothing_more(text):
    once = normalize(sanitize(text))
    assert normalize(once) == once


@given(st.text("хуйпиздебляск*@#.…-_ 03461!?xyaeuiopcbtHK'[],;}{|\u0301\u200b\u0336", max_size=40))
def test_normalizing_disguises_twice_changes_nothing_more(text):
    once = normalize(text)
    assert normalize(once) == once
    assert bool(once.strip()) == bool(text.strip())


@given(st.text(max_size=80))
def test_nothing_is_reduced_to_nothing(text):
    written = sanitize(text)
    assert bool(normalize(written).strip()) == bool(written.strip())


@given(RUSSIAN)
def test_pure_cyrillic_words_keep_their_letters(text):
    """Only a stretched letter is shortened, and only separators between letters go."""
    kept, normal = (re.sub(r"[\s\-.?!]", "", form.lower()) for form in (text, normalize(text)))
    assert re.sub(r"(.)\1+", r"\1", normal) == re.sub(r"(.)\1+", r"\1", kept)


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_every_view_can_be_encoded(text):
    for view in views(text):
        view.encode("utf-8")
        assert "\x00" not in view


def test_a_lone_surrogate_becomes_a_replacement_and_a_pair_becomes_its_character():
    assert sanitize("да\ud83d") == "да�"
    assert sanitize("\ud83d\ude00") == "😀"


@pytest.mark.parametrize("kind", sorted({row["kind"] for row in EVASIONS}))
def test_the_suite_of_disguises_is_read(kind):
    """All but one of a kind come out as a person reads them; ё and case don't matter."""
    missed = [
        (row["text"], normal, row["plain"])
        for row in EVASIONS
        if row["kind"] == kind
        and (normal := normalize(row["text"])).lower().replace("ё", "е")
        != row["plain"].lower().replace("ё", "е")
    ]
    assert len(missed) <= 1, missed


@pytest.mark.parametrize("function", sorted({row["function"] for row in MIRROR}))
def test_harmless_oddities_stay_as_they_are(function):
    changed = defaultdict(list)
    for row in MIRROR:
        if row["function"] == function and (normal := normalize(row["text"])) != row["text"]:
            changed[row["text"]] = [word for word in re.findall(r"\w+", normal) if is_abusive(word)]

    assert function in REWRITTEN or not changed
    assert not any(changed.values())


@pytest.mark.parametrize("word", INNOCENT.split())
def test_a_word_that_only_contains_a_root_is_no_abuse(word):
    assert not is_abusive(word)
    assert normalize(word) == word
    assert not any(map(is_abusive, re.findall(r"\w+", normalize(".".join(word)))))


@pytest.mark.parametrize(
    "bomb",
    [
        "а" + "\u0301" * 100_000,
        "а." * 4096,
        "а." * 50_000,
        ("х" + "\u0336\u0301\u0489" * 20) * 1000,
        "х*" * 50_000,
        "х**й " * 20_000,
        "пи...да " * 12_500,
        "blat " * 20_000,
        "ab" * 50_000,
        "aб" * 50_000,
        "а " * 50_000,
        "а\u200b" * 50_000,
        "a." * 50_000 + "@",
        "-" * 100_000,
        "не.на.за.по.до. " * 6_000,
        "ненинанененен" * 8_000,
        "}{" * 50_000,
        "[eq " * 25_000,
        "?" * 100_000,
        " " * 100_000,
    ],
    ids=lambda bomb: repr(bomb[:12]),
)
def test_a_hundred_thousand_signs_of_any_kind_cost_little(bomb):
    start = time.perf_counter()
    normalize(bomb)

    assert time.perf_counter() - start < 3  # a hundredth of what a quadratic pass would take


def test_a_hundred_thousand_combining_marks_cost_little():
    assert normalize("а" + "\u0301" * 100_000) == "а"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Аня", "Аня"),
        ("\u202eметсиситna\u202c Аня", "метсиситna Аня"),
        ("\u2066Аня\u2069\u200f\u061c", "Аня"),
        ("Аня\n\nМодератор:\tбан", "Аня Модератор: бан"),
        ("А\x1b[31mня\x00", "А[31mня�"),
        ("А" + "\u0301" * 60 + "ня", "А\u0301\u0301ня"),
        ("Аня\ud83d", "Аня�"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("\u202e", ""),
    ],
)
def test_a_name_stays_in_its_place_of_a_line(name, shown):
    assert tidy(name) == shown
