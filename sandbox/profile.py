"""Bot API methods about the bot itself: who it is, its commands, the rights it asks for."""

import json
import re

from sandbox.answers import Json, bad_request
from sandbox.callbacks import UNKNOWN
from sandbox.members import RIGHTS
from sandbox.params import Params
from sandbox.telegram import Telegram

COMMAND = re.compile(r"[a-z0-9_]+")
MAX_COMMANDS = 100
SCOPES = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}


def get_me(telegram: Telegram, params: Params) -> Json:
    return telegram.bot.shape() | {
        "can_join_groups": True,
        "can_read_all_group_messages": telegram.bot.can_read_all_group_messages,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def answer_callback_query(telegram: Telegram, params: Params) -> bool:
    callback = telegram.callbacks.get(params.text("callback_query_id"))
    if callback is None:
        raise bad_request(UNKNOWN)
    answer: Json = {"text": params.text("text"), "show_alert": params.flag("show_alert")}
    if url := params.text("url"):
        answer["url"] = url
    callback.accept(answer, telegram.clock.time())
    telegram.journal.tell("callback", callback=callback.state())
    return True


def set_my_commands(telegram: Telegram, params: Params) -> bool:
    commands = params.json("commands")
    if not isinstance(commands, list):
        raise bad_request("can't parse commands JSON array")
    if len(commands) > MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    telegram.commands[_commands_key(params)] = [_command(command) for command in commands]
    return True


def get_my_commands(telegram: Telegram, params: Params) -> list[Json]:
    return telegram.commands.get(_commands_key(params), [])


def delete_my_commands(telegram: Telegram, params: Params) -> bool:
    telegram.commands.pop(_commands_key(params), None)
    return True


def set_my_default_administrator_rights(telegram: Telegram, params: Params) -> bool:
    given = params.object("rights")
    rights = {name: given.get(name) is True for name in ("is_anonymous", *RIGHTS)}
    telegram.default_rights[_rights_key(params)] = rights
    return True


def get_my_default_administrator_rights(telegram: Telegram, params: Params) -> Json:
    none = dict.fromkeys(("is_anonymous", *RIGHTS), False)
    return telegram.default_rights.get(_rights_key(params), none)


def _rights_key(params: Params) -> str:
    return "channels" if params.flag("for_channels") else "groups"


def _commands_key(params: Params) -> tuple[str, str]:
    language = params.text("language_code")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad_request("invalid language code specified")
    scope = params.json("scope") if params.text("scope") else {"type": "default"}
    if not isinstance(scope, dict) or scope.get("type") not in SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    for name in SCOPES[scope["type"]]:
        if name not in scope:
            raise bad_request(f"can't parse BotCommandScope: field {name} is not specified")
    return json.dumps(scope, sort_keys=True), language


def _command(command: object) -> Json:
    if not isinstance(command, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    name = str(command.get("command", "")).removeprefix("/")
    description = str(command.get("description", ""))
    if not name:
        raise bad_request("command must be non-empty")
    if len(name) > 32:
        raise bad_request("command length must not exceed 32")
    if not COMMAND.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not description:
        raise bad_request("command description must be non-empty")
    if len(description) > 256:
        raise bad_request("command description length must not exceed 256")
    shape: Json = {"command": name, "description": description}
    return shape | ({"is_ephemeral": True} if command.get("is_ephemeral") else {})
