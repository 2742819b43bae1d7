"""Message entities: Telegram's HTML parsed into them, and those found in plain words."""

import re
from collections.abc import Iterable

from sandbox.answers import Json

# Inside these Telegram looks for nothing else.
OPAQUE = frozenset({"code", "pre", "text_link", "text_mention", "custom_emoji"})
PLAIN = (
    (
        "url",
        re.compile(
            r"https?://[^\s<>\"«»]+[^\s<>\"«».,:;!?)]|(?<![\w@./])(?:[\w-]+\.)+(?:com|ru|org|net|me|io|info)\b(?:/[^\s<>\"«»]*)?",
            re.I,
        ),
    ),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("mention", re.compile(r"(?<![\w@./])@[a-z]\w{2,31}\b", re.I | re.ASCII)),
    (
        "bot_command",
        re.compile(r"(?<![\w@/.>])/[a-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/])", re.I | re.ASCII),
    ),
    ("hashtag", re.compile(r"(?<![\w#/])#(?!\d+\b)\w{1,256}")),
)


def utf16_length(text: str) -> int:
    """Telegram counts offsets in UTF-16 units; a lone surrogate is one of them."""
    return len(text) + sum(character > "\uffff" for character in text)


def in_order(entities: Iterable[Json]) -> list[Json]:
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def detect(text: str, known: list[Json] | None = None) -> list[Json]:
    """The given entities and those Telegram finds by itself: links, mentions, commands."""
    known = known or []
    taken = [_span(entity) for entity in known if entity["type"] in OPAQUE]
    found = list(known)
    for kind, pattern in PLAIN:
        for match in pattern.finditer(text):
            entity: Json = {
                "type": kind,
                "offset": utf16_length(text[: match.start()]),
                "length": utf16_length(match.group()),
            }
            if not any(_overlap(_span(entity), other) for other in taken):
                taken.append(_span(entity))
                found.append(entity)
    return in_order(found)


def trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """The text without blanks around it, the entities moved and cut accordingly."""
    stripped = text.strip()
    shift = utf16_length(text[: len(text) - len(text.lstrip())])
    end = utf16_length(stripped)
    kept = []
    for entity in entities:
        start = min(max(entity["offset"] - shift, 0), end)
        length = min(entity["offset"] + entity["length"] - shift, end) - start
        if length > 0:
            kept.append(entity | {"offset": start, "length": length})
    return stripped, kept


def _span(entity: Json) -> tuple[int, int]:
    return entity["offset"], entity["offset"] + entity["length"]


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
