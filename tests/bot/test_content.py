import pytest
from aiogram.types import Message

from bot.content import MOST_PARTS, Part, bounded, sender_of, texts_of

BASE = {
    "message_id": 1,
    "date": 1,
    "chat": {"id": -1, "type": "supergroup", "title": "Г"},
    "from": {"id": 5, "is_bot": False, "first_name": "Имя", "last_name": "Фамилия"},
}
POLL = {
    "id": "1", "question": "Кто?", "options": [], "total_voter_count": 0, "is_closed": False,
    "is_anonymous": True, "type": "regular", "allows_multiple_answers": False,
    "allows_revoting": False, "members_only": False,
}  # fmt: skip


def message(**extra):
    return Message.model_validate(BASE | extra)


@pytest.mark.parametrize(
    ("extra", "parts"),
    [
        ({"text": "а"}, [Part("text", "а")]),
        ({"caption": "б"}, [Part("caption", "б")]),
        ({"text": "  "}, []),
        ({"text": "😂😂😂"}, []),
        ({"text": "?!"}, []),
        ({"text": "😂 ну ты даёшь"}, [Part("text", "😂 ну ты даёшь")]),
        ({}, []),
        ({"poll": POLL}, [Part("poll", "Кто?")]),
        ({"contact": {"phone_number": "1", "first_name": "В"}}, [Part("contact", "В")]),
        (
            {"text": "а", "quote": {"text": "ц", "position": 0}},
            [Part("text", "а"), Part("quote", "ц", authored=False)],
        ),
    ],
)
def test_words_are_found_where_they_stand(extra, parts):
    assert texts_of(message(**extra)) == parts


def test_a_person_answers_for_a_message():
    sender = sender_of(message())
    assert (sender.id, sender.name, sender.exempt) == (5, "Имя Фамилия", None)


@pytest.mark.parametrize(
    ("extra", "exempt", "is_channel"),
    [
        ({"sender_chat": {"id": -1, "type": "supergroup"}}, "anonymous_admin", False),
        (
            {"sender_chat": {"id": -2, "type": "channel"}, "is_automatic_forward": True},
            "linked_channel",
            True,
        ),
        ({"sender_chat": {"id": -2, "type": "channel"}}, None, True),
        ({"from": {"id": 6, "is_bot": True, "first_name": "Бот"}}, "bot", False),
    ],
)
def test_who_is_never_judged(extra, exempt, is_channel):
    sender = sender_of(message(**extra))
    assert (sender.exempt, sender.is_channel) == (exempt, is_channel)


def test_many_parts_are_scored_together_and_none_is_lost():
    options = [
        {"persistent_id": str(i), "text": f"ответ {i}", "voter_count": 0} for i in range(300)
    ]
    parts = texts_of(message(poll=POLL | {"options": options}))
    assert len(parts) == MOST_PARTS + 1
    assert all(f"ответ {i}" in "\n".join(part.text for part in parts) for i in range(300))


def test_no_message_has_more_words_than_telegram_takes():
    parts = bounded(Part("text", "слово " * 1000, i % 2 == 0) for i in range(500))
    assert sum(len(part.text) for part in parts) == 32_768
    assert {part.authored for part in parts} == {True, False}


def test_who_quotes_many_words_still_answers_for_none_of_them():
    parts = bounded(Part("quote", f"слово {i}", authored=False) for i in range(100))
    assert not any(part.authored for part in parts)
