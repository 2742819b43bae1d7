"""Telegram's exact answers, as the platform's reference lists them, in the words of a card."""

import pytest
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import DeleteMessage
from aiohttp import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey

from bot.card import happened
from bot.language import language
from bot.refusals import in_words, is_lack, is_outside, of_act
from moderation.states import Act, ActState
from moderation.tables import Enforcement

METHOD = DeleteMessage(chat_id=-1, message_id=1)


def refused(text):
    kind = TelegramForbiddenError if text.startswith("Forbidden") else TelegramBadRequest
    return kind(method=METHOD, message=text)


@pytest.mark.parametrize(
    ("answer", "ru", "en"),
    [
        ("Bad Request: message can't be deleted", "больше 48 часов", "older than 48 hours"),
        ("Bad Request: message can't be deleted for everyone", "больше 48 часов", "48 hours"),
        (
            "Bad Request: not enough rights to restrict/unrestrict chat member",
            "нет такого права",
            "lacks the right",
        ),
        ("Bad Request: user is an administrator of the chat", "администратор", "administrator"),
        ("Bad Request: USER_ADMIN_INVALID", "администратор", "administrator"),
        ("Bad Request: can't remove chat owner", "владелец группы", "owns"),
        ("Bad Request: can't restrict self", "сам бот", "the bot itself"),
        ("Bad Request: method is available only for supergroups", "супергруппах", "supergroups"),
        (
            "Bad Request: method is available for supergroup and channel chats only",
            "супергруппах",
            "supergroups",
        ),
        ("Bad Request: CHAT_ADMIN_REQUIRED", "бот не администратор", "no administrator"),
        ("Bad Request: member not found", "участника больше нет", "no such member"),
        ("Bad Request: PARTICIPANT_ID_INVALID", "участника больше нет", "no such member"),
        ("Bad Request: user not found", "участника больше нет", "no such member"),
        ("Bad Request: invalid user_id specified", "участника больше нет", "no such member"),
        ("Forbidden: user is deactivated", "участника больше нет", "no such member"),
        ("Forbidden: bot was kicked from the supergroup chat", "удалили из группы", "removed"),
        ("Forbidden: bot is not a member of the supergroup chat", "нет в группе", "not in"),
        ("Forbidden: the group chat was deleted", "группы больше нет", "the group is gone"),
        ("Bad Request: chat not found", "группы больше нет", "the group is gone"),
        (
            "Bad Request: not enough rights to send text messages to the chat",
            "нельзя писать",
            "may not write",
        ),
        ("Bad Request: have no write access to the chat", "нельзя писать", "may not write"),
        ("Forbidden: bot was blocked by the user", "заблокировал бота", "blocked"),
        ("Bad Request: message thread not found", "темы больше нет", "topic is gone"),
        ("Bad Request: message to be replied not found", "больше нет", "message is gone"),
        ("Bad Request: message to edit not found", "сообщения больше нет", "message is gone"),
        ("Bad Request: message is too long", "слишком длинное", "too long"),
        ("Bad Request: MESSAGE_TOO_LONG", "слишком длинное", "too long"),
    ],
)
def test_every_refusal_of_an_act_has_words_in_both_languages(answer, ru, en):
    said = {code: of_act(language(code), refused(answer), is_repeatable=True) for code in words()}
    assert ru in said["ru"]
    assert en in said["en"]
    assert answer not in said.values()


def words():
    return ("ru", "en")


def test_where_somebody_never_wrote_to_the_bot_the_card_has_words_for_it():
    for answer in ("chat not found", "bot can't initiate conversation with a user"):
        assert "/start" in in_words(language("ru"), answer)


def test_errors_with_parameters_have_words_too():
    moved = TelegramMigrateToChat(
        method=METHOD,
        message="Bad Request: group chat was upgraded to a supergroup chat",
        migrate_to_chat_id=-1002,
    )
    busy = TelegramRetryAfter(
        method=METHOD, message="Too Many Requests: retry after 5000", retry_after=5000
    )
    ru = language("ru")
    assert "стала супергруппой" in of_act(ru, moved, is_repeatable=True)
    assert of_act(ru, busy, is_repeatable=True) == "Telegram просит подождать"


def never_left():
    error = TelegramNetworkError(method=METHOD, message="ClientConnectorError: no route")
    key = ConnectionKey("api.telegram.org", 443, True, True, None, None, None)
    error.__cause__ = ClientConnectorError(key, OSError("no route"))
    return error


@pytest.mark.parametrize(
    ("error", "is_repeatable", "said"),
    [
        (TelegramNetworkError(METHOD, "Request timeout error"), False, "неизвестно, дошло ли"),
        (TelegramNetworkError(METHOD, "Request timeout error"), True, "Telegram не ответил"),
        (
            TelegramServerError(METHOD, "Internal Server Error: restart"),
            False,
            "неизвестно, дошло ли",
        ),
        (ClientDecodeError("failed", ValueError("x"), "<html>"), False, "неизвестно, дошло ли"),
        (never_left(), False, "Telegram не ответил"),
    ],
)
def test_a_lost_answer_is_an_outcome(error, is_repeatable, said):
    found = of_act(language("ru"), error, is_repeatable=is_repeatable)
    assert said in found
    assert ("неизвестно" in found) == ("неизвестно" in said)


def test_an_unknown_refusal_is_shown_as_it_is_and_escaped():
    error = refused("Bad Request: SOMETHING_NEW <b>")
    detail = of_act(language("ru"), error, is_repeatable=True)
    assert detail == "SOMETHING_NEW <b>"
    row = Enforcement(act=Act.DELETE, state=ActState.FAILED, detail=detail)
    assert "SOMETHING_NEW &lt;b&gt;" in happened(language("ru"), [row])


@pytest.mark.parametrize(
    ("answer", "lack", "outside"),
    [
        ("Bad Request: not enough rights to restrict/unrestrict chat member", True, False),
        ("Bad Request: CHAT_ADMIN_REQUIRED", True, False),
        ("Bad Request: message can't be deleted", True, False),
        ("Bad Request: user is an administrator of the chat", False, False),
        ("Forbidden: bot was kicked from the supergroup chat", False, True),
        ("Forbidden: the group chat was deleted", False, True),
        ("Bad Request: chat not found", False, True),
        ("Bad Request: member not found", False, False),
    ],
)
def test_what_a_refusal_says_of_the_bot(answer, lack, outside):
    error: AiogramError = refused(answer)
    assert (is_lack(error), is_outside(error)) == (lack, outside)
