"""Rich messages as plain lines: their trees take aiogram exponential time to decode."""

from typing import Any

from moderation.text import sanitize

LONGEST = 32_768  # characters; more than Telegram takes of a text
NODES = 50_000  # looked at in one message
CHUNK = 4096  # characters of a paragraph afterwards, as of an ordinary message

# Where words stand in blocks and rich texts; the same in blocks of next year.
_INLINE = ("text", "button", "expression", "alternative_text")
_LINES = (
    "blocks", "items", "cells", "caption", "credit", "summary", "label", "buttons", "copy_text",
    "audio", "document", "video", "animation", "title", "performer", "file_name",
)  # fmt: skip
_BREAK = object()


def flattened(rich: Any) -> dict[str, Any]:
    """A rich message that has the same words in plain paragraphs of at most CHUNK characters.

    What stands within one block is one line, whatever letters of it are bold.
    """
    text = "\n".join(_lines(rich))[:LONGEST]
    return {"blocks": [{"type": "paragraph", "text": each} for each in chunks(text)]}


def chunks(text: str, size: int = CHUNK) -> list[str]:
    """`text` in pieces of at most `size` characters, broken between lines or words if that can
    be."""
    found = []
    while len(text) > size:
        end = max(text.rfind("\n", size // 2, size), text.rfind(" ", size // 2, size)) + 1 or size
        found.append(text[:end].strip())
        text = text[end:]
    return [piece for piece in (*found, text.strip()) if piece]


def _lines(rich: Any) -> list[str]:
    """The words of a tree in reading order. Without recursion: it can be of any depth."""
    lines: list[str] = []
    line: list[str] = []
    length = 0
    stack = [rich]
    for _ in range(NODES):
        if not stack or length > LONGEST:
            break
        node = stack.pop()
        if isinstance(node, str):
            line.append(sanitize(node))
            length += len(node)
        elif node is _BREAK and line:
            lines.append("".join(line))
            line = []
        elif isinstance(node, list):
            stack += reversed(node)
        elif isinstance(node, dict):
            for key in reversed(node):
                if key in _INLINE:
                    stack.append(node[key])
                elif key in _LINES:
                    stack += _apart(node[key])
    return [*lines, "".join(line)]


def _apart(value: Any) -> list[Any]:
    """What is to be put on the stack so that each item has a line of its own."""
    if not isinstance(value, list):
        return [_BREAK, value, _BREAK]
    found: list[Any] = [_BREAK]
    for row in reversed(value):
        for item in reversed(row) if isinstance(row, list) else [row]:
            found += [item, _BREAK]
    return found
