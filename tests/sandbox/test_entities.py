import pytest

from sandbox.entities import detect, trimmed, utf16_length


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("/start", "bot_command", "/start"),
        ("ну /ban@demo_moderator_bot его", "bot_command", "/ban@demo_moderator_bot"),
        ("см. https://example.org/a?b=1.", "url", "https://example.org/a?b=1"),
        ("см. example.org/a", "url", "example.org/a"),
        ("пишите @someone", "mention", "@someone"),
        ("пишите me@example.org", "email", "me@example.org"),
        ("#гараж", "hashtag", "#гараж"),
    ],
)
def test_telegram_finds_entities_in_plain_words(text, kind, found):
    offset = text.index(found)

    assert detect(text) == [{"type": kind, "offset": offset, "length": len(found)}]


@pytest.mark.parametrize("text", ["1/2", "и/или", "просто слова", "a@b", "#1"])
def test_ordinary_words_have_no_entities(text):
    assert detect(text) == []


def test_code_hides_what_is_in_it():
    code = {"type": "code", "offset": 0, "length": 6}

    assert detect("/start", [code]) == [code]


def test_a_lone_surrogate_counts_as_one_unit():
    assert utf16_length("\ud800😀") == 3


def test_blanks_around_a_text_go_and_entities_move():
    text, entities = trimmed("  да  ", [{"type": "bold", "offset": 0, "length": 6}])

    assert text == "да"
    assert entities == [{"type": "bold", "offset": 0, "length": 2}]
