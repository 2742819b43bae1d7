"""The fields of a message in which words can stand."""

import quopri
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from aiogram.types import ExternalReplyInfo, Message

# By the name under which a field is remembered, where it is; a list on the way means each item.
_PATHS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "caption": ("caption",),
    "rich_message": ("rich_message.blocks.text",),  # as rich.py has flattened it
    "poll": ("poll.question", "poll.description", "poll.explanation"),
    "added_option": ("poll_option_added.option_text",),
    "checklist": ("checklist.title",),
    "added_task": ("checklist_tasks_added.tasks.text",),
    "venue": ("venue.title", "venue.address"),
    "game": ("game.title", "game.description", "game.text"),
    "invoice": ("invoice.title", "invoice.description"),
    "giveaway": ("giveaway.prize_description", "giveaway_winners.prize_description"),
    "gift": ("gift.text", "gift_upgrade_sent.text", "unique_gift.text"),
    "topic": ("forum_topic_created.name", "forum_topic_edited.name"),
    "title": ("new_chat_title",),
    "button": (
        "reply_markup.inline_keyboard.text",
        "reply_markup.inline_keyboard.copy_text.text",
    ),
}
_FILES = ("document", "audio", "video", "animation")
_CARD_LINES = ("FN", "NOTE", "ORG", "TITLE", "ROLE", "NICKNAME")  # of a vCard
_CARD_LONGEST = 2048
_FOLD = re.compile(r"\r?\n[ \t]")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_SEPARATORS = re.compile(r"[_\-.]+")


def fields_of(holder: Message | ExternalReplyInfo) -> Iterator[tuple[str, str]]:
    """Every field that holds something, with its words: of a message itself, or of one in another
    chat that it replies to. A poll's options and the tasks of a list aren't among them, for others
    may have added some."""
    for field, paths in _PATHS.items():
        for text in chain.from_iterable(_at(holder, path.split(".")) for path in paths):
            yield field, text
    if contact := holder.contact:
        yield "contact", " ".join(filter(None, (contact.first_name, contact.last_name)))
        for text in _of_card(contact.vcard or ""):
            yield "contact", text
    if audio := holder.audio:
        yield "audio", " ".join(filter(None, (audio.performer, audio.title)))
    for name in filter(None, (getattr(getattr(holder, k), "file_name", None) for k in _FILES)):
        yield "file_name", spaced(_EXTENSION.sub("", name) or name)


def spaced(name: str) -> str:
    """A name in which signs stand for the spaces between words, as in files and user names."""
    return _SEPARATORS.sub(" ", name).strip()


def _at(value: Any, steps: list[str]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _at(item, steps)
    elif steps:
        yield from _at(getattr(value, steps[0], None), steps[1:])
    elif isinstance(value, str):
        yield value


def _of_card(card: str) -> Iterator[str]:
    """What people read of a vCard: its lines can be folded, grouped (`item1.NOTE`) and encoded."""
    lines = iter(_FOLD.sub("", card[:_CARD_LONGEST]).splitlines())
    for line in lines:
        key, _, text = line.partition(":")
        name, *options = key.upper().split(";")
        if name.rpartition(".")[2] not in _CARD_LINES:
            continue
        if any("QUOTED-PRINTABLE" in option for option in options):
            while text.endswith("="):
                text = text[:-1] + next(lines, "")
            text = quopri.decodestring(text.encode()).decode("utf-8", "replace")
        yield text.replace(";", " ").replace("\\n", " ").strip()
