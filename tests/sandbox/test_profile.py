import pytest

from sandbox import scene
from sandbox.callbacks import UNKNOWN

COMMANDS = [{"command": "stats", "description": "Статистика"}]


async def test_the_bot_knows_itself(client):
    me = await client.result("getMe")

    assert (me["id"], me["username"]) == (scene.BOT_ID, "demo_moderator_bot")
    assert me["can_read_all_group_messages"] is False


@pytest.fixture
async def query_id(client):
    """A pressed button of one of the bot's messages."""
    card = await client.result("sendMessage", chat_id=scene.MODERATORS_ID, text="карточка")
    body = {"message_id": card["message_id"], "user_id": scene.MODERATOR_ID, "data": "forged"}
    pressed = await client.control("presses", chat_id=scene.MODERATORS_ID, **body)
    return pressed["callback_query_id"]


async def test_an_answer_to_a_press_is_shown(client, query_id):
    params = {"callback_query_id": query_id, "text": "готово", "show_alert": True}
    await client.result("answerCallbackQuery", **params)

    [callback] = (await client.show("callbacks"))["callbacks"]
    assert callback["answer"] == {"text": "готово", "show_alert": True}
    assert callback["data"] == "forged"


async def test_an_unknown_a_late_and_a_second_answer_are_refused(client, query_id):
    late = {"callback_query_id": query_id}
    assert await client.refusal("answerCallbackQuery") == f"Bad Request: {UNKNOWN}"
    await client.result("answerCallbackQuery", **late)
    assert await client.refusal("answerCallbackQuery", **late) == f"Bad Request: {UNKNOWN}"


async def test_a_late_answer_is_refused(client, query_id):
    await client.control("clock", advance=61)

    refusal = await client.refusal("answerCallbackQuery", callback_query_id=query_id)

    assert refusal == f"Bad Request: {UNKNOWN}"


async def test_a_long_answer_leaves_the_query_open(client, query_id):
    params = {"callback_query_id": query_id}

    refusal = await client.refusal("answerCallbackQuery", **params, text="а" * 201)

    assert refusal == "Bad Request: MESSAGE_TOO_LONG"
    assert await client.result("answerCallbackQuery", **params, text="а" * 200)


async def test_commands_are_kept_by_scope_and_language(client):
    scope = {"type": "all_chat_administrators"}
    await client.result("setMyCommands", commands=COMMANDS, scope=scope, language_code="ru")

    assert await client.result("getMyCommands", scope=scope, language_code="ru") == COMMANDS
    assert await client.result("getMyCommands", scope=scope) == []
    assert await client.result("deleteMyCommands", scope=scope, language_code="ru")
    assert await client.result("getMyCommands", scope=scope, language_code="ru") == []


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"commands": "{"}, "can't parse commands JSON array"),
        ({"commands": [{"command": "", "description": "а"}]}, "command must be non-empty"),
        (
            {"commands": [{"command": "a" * 33, "description": "а"}]},
            "command length must not exceed 32",
        ),
        ({"commands": [{"command": "Стат", "description": "а"}]}, "BOT_COMMAND_INVALID"),
        (
            {"commands": [{"command": "a", "description": ""}]},
            "command description must be non-empty",
        ),
        (
            {"commands": [{"command": "a", "description": "а" * 257}]},
            "command description length must not exceed 256",
        ),
        (
            {"commands": COMMANDS, "scope": {"type": "nobody"}},
            "can't parse BotCommandScope: unsupported type specified",
        ),
        (
            {"commands": COMMANDS, "scope": {"type": "chat"}},
            "can't parse BotCommandScope: field chat_id is not specified",
        ),
        ({"commands": COMMANDS, "language_code": "rus"}, "invalid language code specified"),
    ],
)
async def test_bad_commands_are_refused(client, params, description):
    assert await client.refusal("setMyCommands", **params) == f"Bad Request: {description}"


async def test_the_rights_asked_for_are_kept(client):
    await client.result("setMyDefaultAdministratorRights", rights={"can_delete_messages": True})

    rights = await client.result("getMyDefaultAdministratorRights")

    assert rights["can_delete_messages"] is True
    assert rights["can_promote_members"] is False
