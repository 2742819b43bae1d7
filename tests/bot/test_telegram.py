import ast
from pathlib import Path

import pytest
import stamina
from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramBadRequest,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import (
    DeleteMessage,
    DeleteMessages,
    EditMessageText,
    GetMe,
    SendDocument,
    SendMessage,
    SendPhoto,
)
from aiohttp import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey
from sqlalchemy.exc import StatementError

from bot.telegram import REPEATABLE, GetRawAdministrators, Retries, describe


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


EDIT = EditMessageText(chat_id=-1, message_id=1, text="а")
DELETE = DeleteMessage(chat_id=-1, message_id=1)
SEND = SendMessage(chat_id=-1, text="а")


def never_left(method):
    error = TelegramNetworkError(method=method, message="no route")
    key = ConnectionKey("api.telegram.org", 443, True, True, None, None, None)
    error.__cause__ = ClientConnectorError(key, OSError("no route"))
    return error


async def answered(bot, method, *errors):
    """What comes of a call that fails in these ways first, and how often it was made."""
    coming, made = list(errors), []

    async def make_request(bot, method):
        made.append(method)
        if coming:
            raise coming.pop(0)
        return "done"

    with stamina.set_testing(True, attempts=6):
        try:
            return await Retries()(make_request, bot, method), len(made)
        except AiogramError as error:
            return error, len(made)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (EDIT, "Bad Request: message is not modified: specified new message content and so on"),
        (DELETE, "Bad Request: message to delete not found"),
    ],
)
async def test_what_is_as_it_was_to_be_is_a_success(bot, method, said):
    refusal = TelegramBadRequest(method=method, message=said)
    assert await answered(bot, method, refusal) == (True, 1)


@pytest.mark.parametrize(("seconds", "calls"), [(90, 2), (91, 1)])
async def test_what_waits_in_no_line_does_not_wait_for_hours(bot, seconds, calls):
    asks = GetRawAdministrators(chat_id=1)
    busy = TelegramRetryAfter(method=asks, message="Too Many Requests", retry_after=seconds)
    assert (await answered(bot, asks, busy))[1] == calls


async def test_a_refusal_for_another_reason_stays_one(bot):
    refusal = TelegramBadRequest(method=EDIT, message="Bad Request: message to edit not found")
    assert await answered(bot, EDIT, refusal) == (refusal, 1)


LOST_ANSWERS = [
    TelegramNetworkError(method=GetMe(), message="Request timeout error"),
    TelegramServerError(method=GetMe(), message="Internal Server Error: restart"),
    ClientDecodeError("failed", ValueError("<html>"), "<html>"),
]


@pytest.mark.parametrize("error", LOST_ANSWERS, ids=lambda error: type(error).__name__)
async def test_only_what_changes_nothing_more_is_repeated_when_an_answer_was_lost(bot, error):
    for method in (GetMe(), EDIT, DELETE, DeleteMessages(chat_id=-1, message_ids=[1])):
        assert await answered(bot, method, error, error) == ("done", 3)
    photo = SendPhoto(chat_id=-1, photo="file")
    for method in (SEND, photo, SendDocument(chat_id=-1, document="file")):
        assert await answered(bot, method, error) == (error, 1)


async def test_what_never_left_is_sent_again_whatever_it_is(bot):
    assert await answered(bot, SEND, never_left(SEND), never_left(SEND)) == ("done", 3)


def test_every_call_that_the_bot_makes_was_thought_of():
    """Whoever adds a method decides whether repeating it is safe."""
    called = {"answer": "send_message", "answer_photo": "send_photo", "me": "get_me"}
    sends = {"send_message", "send_photo", "send_document"}
    known = frozenset(dir(Bot))
    for path in (Path(__file__).parents[2] / "bot").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute) or node.attr not in known:
                continue
            name = called.get(node.attr, node.attr)
            if not name.startswith(("get_", "set_", "send_", "edit_", "delete_", "ban_", "un")):
                continue
            words = name.split("_")
            telegrams = words[0] + "".join(word.title() for word in words[1:])
            assert telegrams in REPEATABLE or name in sends, f"{path.name}: {telegrams}"
