import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from bot.language import LANGUAGES, LOCALES, catalogue, language, of_person
from moderation.categories import Category

CODE = sorted(Path(__file__).parents[2].glob("bot/*.py"))
# What people write in the demonstration: words, not texts of the bot.
NOT_TEXTS = {"demo.py", "demo_lines.py"}
# Keys made of parts in the code, by their beginning.
_MADE = re.compile(r"^[a-z_]+\.[a-z_.]*$")


def messages(code):
    return {str(m.id[0] if m.pluralizable else m.id): m for m in catalogue(code) if m.id}


def strings(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node


def docstrings(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {ast.get_docstring(n, clean=False) for n in ast.walk(tree) if isinstance(n, kinds)}


def fields(words):
    return {name for _, name, _, _ in Formatter().parse(words) if name}


def forms(message):
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_both_languages_have_the_same_messages():
    assert set(messages("ru")) == set(messages("en"))
    for code in LANGUAGES:
        assert {p.name for p in (LOCALES / code).glob("*.po")} == {
            p.name for p in (LOCALES / "ru").glob("*.po")
        }


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_message_is_translated_with_all_its_forms_and_values(code):
    number, russian = {"ru": 3, "en": 2}[code], messages("ru")
    for key, message in messages(code).items():
        found = forms(message)
        assert all(found), key
        assert len(found) == (number if message.pluralizable else 1), key
        expected = set().union(*map(fields, forms(russian[key])))
        assert set().union(*map(fields, found)) == expected, key


def test_no_words_of_russian_stand_in_the_code():
    for path in CODE:
        if path.name in NOT_TEXTS:
            continue
        known = docstrings(path)
        found = [
            node.value
            for node in strings(path)
            if re.search("[а-яё]", node.value, re.IGNORECASE) and node.value not in known
        ]
        assert not found, path.name


def test_every_key_of_the_code_is_known_and_every_message_is_used():
    """A key is a string of the code, or its parts stand around a value in an f-string."""
    known = set(messages("ru"))
    heads = {key.split(".")[0] for key in known}
    literals, patterns = set(), []
    for path in CODE:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(p.value) if isinstance(p, ast.Constant) else "[a-z_0-9.]+"
                    for p in node.values
                ]
                patterns.append(re.compile("".join(parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value)
    # One that is nothing but values would match everything.
    made = [p for p in patterns if re.search("[a-z]{3}", p.pattern.replace("[a-z_0-9.]+", ""))]
    unknown = {
        word
        for word in literals
        if _MADE.match(word) and word.split(".")[0] in heads and word not in known
        and not word.endswith(("_", ".", ".png"))
        and not any(k.startswith(f"{word}.") for k in known)
    }  # fmt: skip
    assert not unknown
    unused = {k for k in known - literals if not any(p.fullmatch(k) for p in made)}
    assert not unused


@pytest.mark.parametrize(
    ("n", "expected"),
    [(1, "1 сообщение"), (3, "3 сообщения"), (11, "11 сообщений"), (21, "21 сообщение")],
)
def test_russian_has_three_plurals(n, expected):
    assert language("ru").plural("common.messages", n) == expected


def test_values_are_escaped_unless_the_text_is_plain():
    words = language("en")
    assert "&lt;b&gt;" in words("modchat.connected", title="<b>")
    assert "<b>" in words.plain("modchat.connected", title="<b>")


@pytest.mark.parametrize(
    ("code", "expected"), [("ru", "ru"), ("uk", "ru"), (None, "ru"), ("en-GB", "en"), ("de", "en")]
)
def test_people_are_spoken_to_in_russian_or_else_in_english(code, expected):
    assert of_person(code).code == expected


@pytest.mark.parametrize("code", LANGUAGES)
def test_numbers_have_the_marks_of_the_language(code):
    words = language(code)
    mark = {"ru": ",", "en": "."}[code]
    assert words.decimal(0.5) == f"0{mark}50"
    assert words.percent(0.125, 1) in (f"12{mark}5\N{NO-BREAK SPACE}%", f"12{mark}5%")
    assert [words.category(category) for category in Category]
