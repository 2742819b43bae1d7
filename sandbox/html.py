"""Telegram's HTML: a text and its entities, or the reason why it cannot be parsed."""

import re
from dataclasses import dataclass

from sandbox.answers import Json
from sandbox.entities import in_order, utf16_length

KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
TOKEN = re.compile(
    r"""<(?P<end>/?)(?P<name>[^\s>]*)(?P<attributes>(?:[^>"']|"[^"]*"|'[^']*')*)>"""
    r"""|&(?P<entity>lt|gt|amp|quot|\#\d{1,7}|\#x[0-9a-f]{1,6});?""",
    re.IGNORECASE,
)
ATTRIBUTE = re.compile(r"""([^\s=>/"']+)(?:\s*=\s*("[^"]*"|'[^']*'|[\w.-]+))?""")
REFERENCE = re.compile(r"&(lt|gt|amp|quot|\#\d{1,7}|\#x[0-9a-f]{1,6});?", re.IGNORECASE)
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


class HtmlError(ValueError):
    """The reason, in Telegram's words."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag whose end has not come yet."""

    name: str
    attributes: dict[str, str]
    offset: int
    position: int


def parse(source: str) -> tuple[str, list[Json]]:
    """Raise HtmlError on markup Telegram does not accept."""
    parser = _Parser(source)
    parser.run()
    return parser.text, in_order(parser.entities)


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.text = ""
        self.entities: list[Json] = []
        self.open: list[Tag] = []

    def run(self) -> None:
        position = 0
        for match in TOKEN.finditer(self.source):
            self._plain(position, match.start())
            position = match.end()
            if reference := match["entity"]:
                self.text += _character(reference) or match.group()
            elif match["end"]:
                self._close(match)
            else:
                self._open(match)
        self._plain(position, len(self.source))
        if self.open:
            msg = f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"'
            raise HtmlError(msg)

    def _plain(self, start: int, end: int) -> None:
        part = self.source[start:end]
        if "<" in part:
            at = start + part.index("<")
            kind = "end" if self.source[at + 1 : at + 2] == "/" else "start"
            msg = f"Unclosed {kind} tag at byte offset {self._bytes(at)}"
            raise HtmlError(msg)
        self.text += part

    def _open(self, match: re.Match[str]) -> None:
        name = match["name"].lower()
        if name not in KINDS:
            msg = f'Unsupported start tag "{name}" at byte offset {self._bytes(match.start())}'
            raise HtmlError(msg)
        attributes = {
            key.lower(): _unquoted(value) for key, value in ATTRIBUTE.findall(match["attributes"])
        }
        if name == "span" and attributes.get("class") != "tg-spoiler":
            at = self._bytes(match.start())
            msg = f'Tag "span" must have class "tg-spoiler" at byte offset {at}'
            raise HtmlError(msg)
        self.open.append(Tag(name, attributes, utf16_length(self.text), len(self.text)))

    def _close(self, match: re.Match[str]) -> None:
        at = self._bytes(match.start())
        if not self.open:
            msg = f"Unexpected end tag at byte offset {at}"
            raise HtmlError(msg)
        tag, name = self.open.pop(), match["name"].lower()
        if name not in ("", tag.name):
            found = f'expected "</{tag.name}>", found "</{name}>"'
            msg = f"Unmatched end tag at byte offset {at}, {found}"
            raise HtmlError(msg)
        length = utf16_length(self.text) - tag.offset
        if length > 0:
            self._add(tag, {"type": KINDS[tag.name], "offset": tag.offset, "length": length})

    def _add(self, tag: Tag, entity: Json) -> None:
        if tag.name == "a":
            entity = self._link(tag, entity)
        elif tag.name == "blockquote" and "expandable" in tag.attributes:
            entity["type"] = "expandable_blockquote"
        elif tag.name == "tg-emoji":
            entity["custom_emoji_id"] = tag.attributes.get("emoji-id", "")
        elif tag.name == "code":
            language = tag.attributes.get("class", "").removeprefix("language-")
            entity |= {"language": language} if language else {}
        elif tag.name == "pre" and self.entities and _same_place(self.entities[-1], entity):
            entity |= {"language": self.entities.pop().get("language", "")}
        if entity:
            self.entities.append(entity)

    def _link(self, tag: Tag, entity: Json) -> Json:
        url = tag.attributes.get("href") or self.text[tag.position :]
        if mention := re.fullmatch(r"tg://user\?id=(\d+)", url):
            return entity | {"type": "text_mention", "user": {"id": int(mention[1])}}
        if not re.match(r"(?:(?:https?|tg|ton)://|mailto:|tel:)|[\w-]+(?:\.[\w-]+)+", url, re.I):
            return {}
        return entity | {"url": url if ":" in url else f"http://{url}/"}

    def _bytes(self, position: int) -> int:
        return len(self.source[:position].encode("utf-8", "surrogatepass"))


def _same_place(one: Json, other: Json) -> bool:
    """Whether a <pre> holds exactly one <code> with a language: together they are one entity."""
    return (
        one["type"] == "code"
        and "language" in one
        and (one["offset"], one["length"]) == (other["offset"], other["length"])
    )


def _unquoted(value: str) -> str:
    if value[:1] not in ('"', "'"):
        return value.lower()
    return REFERENCE.sub(lambda match: _character(match[1]) or match[0], value[1:-1])


def _character(reference: str) -> str:
    """The character a reference stands for, empty when there is none."""
    if not reference.startswith("#"):
        return NAMED[reference.lower()]
    code = int(reference[2:], 16) if reference[1] in "xX" else int(reference[1:])
    return chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else ""
