import pytest
from aiogram import Bot
from pydantic import ValidationError

from bot.decoding import decode


@pytest.fixture(scope="module")
def bot():
    """Only handed on to what is decoded."""
    return Bot("1:" + "a" * 35)


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


@pytest.mark.parametrize("number", [10**30, -(10**30), 1 << 63])
def test_a_number_that_no_database_holds_is_left_out(bot, number):
    message = MESSAGE | {"from": MESSAGE["from"] | {"id": number}}
    update = decode({"update_id": 1, "message": message}, bot)
    assert (update.message.text, update.message.from_user) == ("привет", None)
    with pytest.raises(ValidationError):
        decode({"update_id": 1, "message": MESSAGE | {"message_id": number}}, bot)


@pytest.mark.parametrize("message", [{"text": "x"}, MESSAGE | {"chat": 5}, MESSAGE | {"text": 5}])
def test_what_lacks_the_essential_is_an_error_or_loses_only_that(bot, message):
    try:
        assert decode({"update_id": 1, "message": message}, bot).message.text is None
    except ValidationError:
        assert "date" not in message or message["chat"] == 5


def nested(words, depth):
    for i in range(depth):
        words = {"type": "bold", "text": words} if i % 2 else [words]
    return {"blocks": [{"type": "paragraph", "text": words}]}


def rich(update):
    return [block.text for block in update.message.rich_message.blocks]


@pytest.mark.parametrize("depth", [0, 5, 12, 300])
def test_rich_texts_within_one_another_cost_no_more_than_flat_ones(bot, depth):
    update = decode(
        {"update_id": 1, "message": MESSAGE | {"rich_message": nested("да", depth)}}, bot
    )
    assert rich(update) == ["да"]


def test_of_a_rich_message_all_words_are_kept_in_reading_order(bot):
    blocks = [
        {"type": "heading", "size": 1, "text": "раз"},
        {"type": "paragraph", "text": ["с", {"type": "bold", "text": "у"}, "п"]},
        {
            "type": "list",
            "items": [{"label": "1.", "blocks": [{"type": "paragraph", "text": "два"}]}],
        },
        {"type": "table", "cells": [[{"text": "три"}, {"text": "четыре"}]], "caption": "пять"},
        {"type": "photo", "photo": [], "caption": {"text": "шесть", "credit": "семь"}},
        {"type": "buttons", "buttons": [{"text": "восемь", "url": "https://example.com/"}]},
        {"type": "of_next_year", "text": "девять"},
        {"type": "details", "summary": "десять", "blocks": [{"type": "footer", "text": "конец"}]},
    ]
    (text,) = rich(
        decode({"update_id": 1, "message": MESSAGE | {"rich_message": {"blocks": blocks}}}, bot)
    )
    assert text.split("\n") == [
        "раз", "суп", "1.", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять",
        "десять", "конец",
    ]  # fmt: skip


def test_a_huge_rich_message_is_cut_to_what_telegram_takes(bot):
    blocks = [{"type": "paragraph", "text": "слово " * 10}] * 10_000
    update = decode(
        {"update_id": 1, "message": MESSAGE | {"rich_message": {"blocks": blocks}}}, bot
    )
    assert max(map(len, rich(update))) <= 4096
    assert 30_000 < sum(map(len, rich(update))) <= 32_768


@pytest.mark.parametrize("rich_message", [None, 5, [], {}, {"blocks": 5}, {"blocks": [None, [[]]]}])
def test_a_rich_message_that_is_none_harms_nothing(bot, rich_message):
    update = decode({"update_id": 1, "message": MESSAGE | {"rich_message": rich_message}}, bot)
    assert (update.message.text, rich(update)) == ("привет", [])


def test_only_the_smallest_refused_part_is_left_out(bot):
    option = {"persistent_id": "1", "text": "да", "voter_count": 0}
    poll = {
        "id": "1", "question": "Кто?", "options": [option, option | {"text": 5}, option],
        "total_voter_count": 0, "is_closed": False, "is_anonymous": True, "type": "regular",
        "allows_multiple_answers": False, "allows_revoting": False, "members_only": False,
        "media": {"photo": [{"file_id": 1}]},
    }  # fmt: skip
    message = decode({"update_id": 1, "message": MESSAGE | {"poll": poll}}, bot).message
    assert [option.text for option in message.poll.options] == ["да", "да"]
    assert message.text == "привет"


def test_an_administrator_as_an_older_server_tells_of_them_is_decoded(bot):
    user = {"id": 7, "is_bot": True, "first_name": "Б"}
    event = {
        "chat": MESSAGE["chat"], "from": MESSAGE["from"], "date": 1,
        "old_chat_member": {"status": "member", "user": user},
        "new_chat_member": {"status": "administrator", "user": user, "can_delete_messages": True},
    }  # fmt: skip
    member = decode({"update_id": 1, "my_chat_member": event}, bot).my_chat_member.new_chat_member
    assert (member.can_delete_messages, member.can_send_welcome_messages) == (True, False)


def test_a_standing_of_next_year_is_no_update_of_today(bot):
    user = {"id": 7, "is_bot": False, "first_name": "Б"}
    standing = {"status": "of_next_year", "user": user}
    event = {
        "chat": MESSAGE["chat"], "from": MESSAGE["from"], "date": 1,
        "old_chat_member": standing, "new_chat_member": standing,
    }  # fmt: skip
    with pytest.raises(ValidationError):
        decode({"update_id": 1, "chat_member": event}, bot)


def test_messages_within_nested_messages_are_left_out(bot):
    message = MESSAGE
    for _ in range(200):
        message = MESSAGE | {"reply_to_message": message, "pinned_message": message}
    found = decode({"update_id": 1, "message": message}, bot).message
    assert found.reply_to_message.text == "привет"
    assert found.reply_to_message.reply_to_message is None
