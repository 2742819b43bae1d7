"""Inline keyboards: what Telegram accepts in reply_markup, and buttons found by their text."""

import json

from sandbox.answers import Json, bad_request

MAX_DATA_BYTES = 64
ACTIONS = (
    "url",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
    "disabled",
)
OPTIONS = ("text", "style", "icon_custom_emoji_id", "callback_data", *ACTIONS)


def parse(source: str, *, is_private: bool) -> Json | None:
    """The inline keyboard in a reply_markup; other kinds of markup leave no trace in a message."""
    try:
        markup = json.loads(source) if source else {}
    except ValueError:
        raise bad_request("can't parse reply keyboard markup JSON object") from None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request("can't parse inline keyboard: expected an Array of Arrays")
    keyboard = [[_button(button, is_private=is_private) for button in row] for row in rows if row]
    return {"inline_keyboard": keyboard} if keyboard else None


def find(markup: Json | None, text: str) -> Json | None:
    """The first button with this text."""
    rows = markup["inline_keyboard"] if markup else []
    return next((button for row in rows for button in row if button["text"] == text), None)


def _button(button: object, *, is_private: bool) -> Json:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise bad_request(
            "can't parse inline keyboard button: "
            "InlineKeyboardButton must be an Object with a text of type String"
        )
    data = button.get("callback_data")
    if not data and not any(action in button for action in ACTIONS):
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if data and len(str(data).encode("utf-8", "surrogatepass")) > MAX_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if "web_app" in button and not is_private:
        raise bad_request("BUTTON_TYPE_INVALID")
    return {name: button[name] for name in OPTIONS if name in button}
