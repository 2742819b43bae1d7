"""Updates as aiogram's types: what it can't decode is left out, the words beside it are kept."""

from collections.abc import Iterator
from typing import Any

from aiogram import Bot
from aiogram.types import Update
from pydantic import ValidationError

from bot.rich import flattened
from moderation.columns import HUGE
from moderation.text import sanitize, tidy

DEEPEST = 24  # containers in one another; Telegram's own updates need about half
NESTED = 2  # messages in one another: what a message replies to replies to nothing more
ROUNDS = 12  # of leaving something out and trying again
NAMES = frozenset(("first_name", "last_name", "title", "author_signature", "sender_tag"))

_Path = tuple[str | int, ...]


def decode(raw: dict[str, Any], bot: Bot) -> Update:
    """An update as aiogram's type. The smallest part that aiogram refuses is left out, then what
    can't do without it; ValidationError if the essential of a message doesn't remain."""
    # aiogram tells of a kind that it doesn't know with a warning that has all its words.
    kept = _bounded({kind: raw[kind] for kind in raw if kind in Update.model_fields})
    for _ in range(ROUNDS):
        try:
            return Update.model_validate(kept, context={"bot": bot})
        except ValidationError as error:
            if not _mended(kept, error):
                raise
    return Update.model_validate(kept, context={"bot": bot})


def _mended(kept: Any, error: ValidationError) -> bool:
    """Whether all that was refused could be left out without losing the whole."""
    refused = set()
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        loc = problem["loc"]
        path = tuple(_existing(kept, loc))
        name = str(loc[-1]) if loc else ""
        holder = _at(kept, path)
        if problem["type"] == "missing" and name.startswith(("can_", "is_")) and _holds(holder):
            holder[name] = False  # an older Bot API server doesn't know of this right yet
        elif len(path) < 2:
            return False
        else:
            refused.add(path)
    # From behind, so that the numbers of a list's items stay right.
    for path in sorted(refused, key=_order, reverse=True):
        holder = _at(kept, path[:-1])
        if isinstance(holder, dict):
            holder.pop(path[-1], None)
        elif isinstance(holder, list) and path[-1] in range(len(holder)):
            del holder[int(path[-1])]
    return True


def _holds(value: Any) -> bool:
    return isinstance(value, dict)


def _order(path: _Path) -> list[tuple[bool, str | int]]:
    return [(isinstance(step, str), step) for step in path]


def _existing(value: Any, loc: _Path) -> Iterator[str | int]:
    """The steps of a pydantic location that lead through the update itself: between them it names
    the types it tried."""
    for step in loc:
        is_item = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not is_item and not (isinstance(value, dict) and step in value):
            continue
        value = value[step]
        yield step


def _at(value: Any, path: _Path) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None  # what it stood in has gone already
    return value


def _bounded(value: Any, depth: int = 0, messages: int = 0) -> Any:
    """A copy without what databases and tokenizers refuse or what takes for ever to decode: lone
    surrogates, numbers of more than 64 bits, rich texts within rich texts, messages within nested
    messages."""
    if isinstance(value, str):
        return sanitize(value)
    if isinstance(value, int):
        return value if -HUGE <= value < HUGE else None
    if isinstance(value, list):
        found = (_bounded(item, depth + 1, messages) for item in value if _fits(item, depth))
        return list(found)
    if not isinstance(value, dict):
        return value
    copied: dict[str, Any] = {}
    for key, item in value.items():
        if key == "rich_message":
            copied[key] = flattened(item)
        elif key in NAMES and isinstance(item, str):
            copied[key] = tidy(item)  # or it could turn around what the bot says beside it
        elif _fits(item, depth):
            inside = messages + str(key).endswith("message")
            if inside <= NESTED or inside == messages:
                copied[key] = _bounded(item, depth + 1, inside)
    return copied


def _fits(item: Any, depth: int) -> bool:
    return depth < DEEPEST or not isinstance(item, (dict, list))
