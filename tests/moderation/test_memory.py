import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.memory import SHORTEST, text_key

SECRET = b"s"
TEXT = "Ну ты и чудак, сосед"


@pytest.mark.parametrize(
    "same",
    [TEXT.upper(), f"  {TEXT}\n", TEXT.replace(" ", "   "), TEXT.replace("й", "и\u0306"), TEXT],
)
def test_case_spaces_and_forms_of_unicode_make_no_difference(same):
    assert text_key(same, SECRET) == text_key(TEXT, SECRET) != ""


@pytest.mark.parametrize("other", [TEXT + "!", TEXT.replace("чудак", "чудик"), TEXT[:-1]])
def test_other_words_and_signs_do(other):
    assert text_key(other, SECRET) != text_key(TEXT, SECRET)


@pytest.mark.parametrize("short", ["", ".", "...", "ок", "да ты что", "🙂" * 50, "!" * 100])
def test_what_is_short_means_something_else_each_time(short):
    assert text_key(short, SECRET) == ""


@given(st.text())
def test_any_text_has_a_key_or_none(text):
    key = text_key(text, SECRET)
    assert len(key) in (0, 32)
    assert text_key(text, SECRET) == key


@given(st.text("абвгд", min_size=SHORTEST))
def test_nobody_without_the_secret_can_make_the_key(text):
    assert text_key(text, SECRET) != text_key(text, b"other")
