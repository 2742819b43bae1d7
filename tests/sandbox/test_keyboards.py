import json

import pytest

from sandbox.answers import ApiError
from sandbox.keyboards import find, parse

YES = {"text": "Да", "callback_data": "yes"}


def markup(*buttons):
    return json.dumps({"inline_keyboard": [list(buttons)]})


def test_a_keyboard_comes_back_as_it_was_given():
    button = YES | {"style": "danger"}

    assert parse(markup(button), is_private=False) == {"inline_keyboard": [[button]]}


def test_other_kinds_of_markup_leave_no_trace():
    assert parse('{"remove_keyboard": true}', is_private=False) is None
    assert parse('{"inline_keyboard": []}', is_private=False) is None
    assert parse("", is_private=False) is None


@pytest.mark.parametrize(
    ("source", "description"),
    [
        ("{", "can't parse reply keyboard markup JSON object"),
        ("[]", "object expected as reply markup"),
        (
            markup({"text": "Да"}),
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            markup({"text": "Да", "callback_data": ""}),
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (markup({"text": "Да", "callback_data": "ж" * 33}), "BUTTON_DATA_INVALID"),
        (markup({"text": "Да", "web_app": {"url": "https://example.org"}}), "BUTTON_TYPE_INVALID"),
    ],
)
def test_a_bad_keyboard_is_refused(source, description):
    with pytest.raises(ApiError) as refusal:
        parse(source, is_private=False)

    assert refusal.value.description == f"Bad Request: {description}"


def test_data_of_64_bytes_still_fits():
    assert parse(markup({"text": "Да", "callback_data": "ж" * 32}), is_private=False)


def test_a_button_is_found_by_its_text():
    assert find({"inline_keyboard": [[YES]]}, "Да") == YES
    assert find({"inline_keyboard": [[YES]]}, "Нет") is None
    assert find(None, "Да") is None
