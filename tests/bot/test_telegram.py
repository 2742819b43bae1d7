import pytest
from aiogram.exceptions import ClientDecodeError, TelegramBadRequest
from aiogram.methods import GetMe
from pydantic import ValidationError
from sqlalchemy.exc import StatementError

from bot.telegram import decode, describe

MESSAGE = {
    "message_id": 1,
    "date": 1,
    "chat": {"id": -1, "type": "supergroup", "title": "Г"},
    "from": {"id": 5, "is_bot": False, "first_name": "И"},
    "text": "привет",
}


def test_an_update_is_decoded(bot):
    update = decode({"update_id": 1, "message": MESSAGE}, bot)
    assert update.message.text == "привет"
    assert update.message.bot is bot


@pytest.mark.parametrize(
    "extra",
    [
        {"forward_origin": {"type": "hidden_user", "date": 1}},
        {"forward_origin": {"type": "unheard_of", "date": 1}},
        {"external_reply": {"story": {}}},
        {"paid_media": {"star_count": 1, "paid_media": [{"type": "unheard_of"}]}},
        {"a_field_of_next_year": {"x": 1}},
    ],
)
def test_a_part_that_cannot_be_decoded_is_left_out_and_the_words_stay(bot, extra):
    update = decode({"update_id": 1, "message": MESSAGE | extra}, bot)
    assert update.message.text == "привет"


def test_an_unknown_kind_of_update_is_decoded_as_nothing(bot):
    assert decode({"update_id": 1, "thing_of_next_year": {}}, bot).update_id == 1


def test_a_lone_surrogate_is_replaced(bot):
    update = decode({"update_id": 1, "message": MESSAGE | {"text": "да\ud83d\x00"}}, bot)
    assert update.message.text == "да��"


@pytest.mark.parametrize("message", [{"text": "x"}, MESSAGE | {"chat": 5}, MESSAGE | {"text": 5}])
def test_what_lacks_the_essential_is_an_error_or_loses_only_that(bot, message):
    try:
        assert decode({"update_id": 1, "message": message}, bot).message.text is None
    except ValidationError:
        assert "date" not in message or message["chat"] == 5


@pytest.mark.parametrize(
    "error",
    [
        ClientDecodeError("failed", ValueError("тайна"), {"text": "тайна"}),
        StatementError("failed", "INSERT", {"text": "тайна"}, ValueError("тайна")),
        ValueError("тайна"),
        UnicodeEncodeError("utf-8", "тайна", 0, 1, "тайна"),
    ],
)
def test_an_error_is_described_without_a_persons_words(error):
    described = describe(error)
    assert type(error).__name__ in described
    assert "тайна" not in described


def test_telegrams_own_answer_is_told():
    error = TelegramBadRequest(method=GetMe(), message="Bad Request: chat not found")
    assert "chat not found" in describe(error)
