"""Random updates made from the Bot API's own description: valid ones of any kind and nesting, and
broken ones."""

import copy
import gzip
import json
import random
from pathlib import Path
from typing import Any

from sandbox import scene

SCHEMA = Path(__file__).parent / "bot_api.json.gz"  # the types that an update is made of
DEEPEST = 6
BIG = (0, -1, 1, 2**31, -(2**31), 2**53 - 1, 2**63 - 1, -(2**63))
USERS = (1001, 1002, 1003, 1004, 5216034488, scene.BOT_ID, 1087968824, 136817688, 777000)
GROUPS = (scene.GROUP_ID, scene.MODERATORS_ID, -1001444555666, -987654321)
COMMANDS = (
    "start", "help", "rules", "why", "status", "report", "modchat", "settings", "stats", "queue",
    "retrain", "model", "forget", "privacy", "find",
)  # fmt: skip
PRESSES = (
    "c:1:right:0", "c:2:fix:31", "c:3:done:5", "c:1:block:0", "a:1:ban", "a:2:forgive", "d:-1001",
    "c:99999999999999999999:right:0", "q:1:1", "", "c", "x" * 64,
)  # fmt: skip
STRINGS = (
    "Доброе утро!", "Ты идиот", "сука блядь",
    "Ид͓̐͑и̺̐от" * 20, "مرحبا \u202eтоидИ", "😂😂😂🔥", "", " ", "\u200b",
    "а" * 4096, "идиот " * 680, "<b>&amp;</i>", "{name} %s {0}", "0", "null", "да\ud83d",
    "ноль\x00",
    "👨\u200d👩\u200d👧\u200d👦" * 50,
    "і\u0335д\u0336" * 300, "((((" * 400, "_*" * 900, "\n" * 300,
    "г@внюк",
    "BEGIN:VCARD\nFN:Идиот\nNOTE:x;y\nEND:VCARD", "https://example.com/?q=1", "IMG_2026.jpg",
)  # fmt: skip
_ARRAY = "Array of "
# What is more often there than others.
_LIKELY = {"text": 0.5, "from": 0.9, "title": 0.9, "caption": 0.2, "message": 0.9, "data": 0.9}
_KINDS = (
    *("message",) * 12, *("edited_message",) * 3, *("callback_query",) * 3,
    *("my_chat_member", "chat_member") * 2,
)  # fmt: skip


class Generator:
    """Makes updates; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        description = json.loads(gzip.decompress(SCHEMA.read_bytes()))
        self.types: dict[str, Any] = description["types"]
        self.kinds = [name for name in self.types["Update"]["fields"] if name != "update_id"]
        self.number = 0

    def update(self) -> dict[str, Any]:
        """An update as the description allows it."""
        self.number += 1
        pool = _KINDS if self.random.random() < 0.8 else self.kinds
        kind = self.random.choice(pool)
        type_name = self.types["Update"]["fields"][kind]["type"]
        return {"update_id": self.number, kind: self._value(type_name, 1, kind)}

    def broken(self) -> dict[str, Any]:
        """An update in which a few things aren't as described."""
        update = copy.deepcopy(self.update())
        for _ in range(self.random.randint(1, 3)):
            self._break(update)
        return update

    def _value(self, type_name: str, depth: int, name: str = "") -> Any:
        if type_name.startswith(_ARRAY):
            most = 3 if depth < DEEPEST else 1
            inner = type_name.removeprefix(_ARRAY)
            return [
                self._value(inner, depth + 1, name) for _ in range(self.random.randint(0, most))
            ]
        if type_name == "String":
            return self.random.choice(STRINGS)
        if type_name == "Integer":
            return self._integer(name)
        if type_name in ("Boolean", "True"):
            return type_name == "True" or self.random.random() < 0.5
        if type_name in ("Float", "Float number"):
            return self.random.uniform(-180, 180)
        if "any_of" in self.types[type_name]:
            return self._value(self._one_of(type_name, depth), depth + 1, name)
        made = self._object(type_name, depth)
        return self._known(type_name, made)

    def _one_of(self, type_name: str, depth: int) -> str:
        kinds: list[str] = self.types[type_name]["any_of"]
        if depth < DEEPEST:
            return self.random.choice(kinds)
        # The ones that hold nothing of their own kind.
        flat = {"RichText": "String", "RichBlock": "RichBlockDivider"}
        return flat.get(type_name, kinds[-1])

    def _object(self, type_name: str, depth: int) -> dict[str, Any]:
        share = 0.5 / depth if len(self.types[type_name]["fields"]) < 40 else 0.06 / depth
        made = {}
        for name, field in self.types[type_name]["fields"].items():
            if field.get("optional"):
                likely = _LIKELY.get(name, share)
                if depth >= DEEPEST or self.random.random() > likely:
                    continue
            if values := field.get("values"):
                made[name] = self.random.choice(values)
            elif name == "data":
                made[name] = self.random.choice(PRESSES)
            else:
                made[name] = self._value(field["type"], depth + 1, name)
        return made

    def _known(self, type_name: str, made: dict[str, Any]) -> dict[str, Any]:
        """Mostly the same few chats and people, so that updates meet one another."""
        if type_name == "Chat" and self.random.random() < 0.85:
            made |= {"id": self.random.choice(GROUPS), "type": "supergroup", "title": "Двор"}
            made.pop("is_direct_messages", None)
        elif type_name == "Chat" and made["type"] == "private":
            made["id"] = self.random.choice(USERS)
        elif type_name == "User" and self.random.random() < 0.85:
            made |= {"id": self.random.choice(USERS), "is_bot": self.random.random() < 0.1}
        elif type_name == "Message" and self.random.random() < 0.12:
            made["text"] = f"/{self.random.choice(COMMANDS)} {self.random.choice(STRINGS)}"[:4096]
        return made

    def _integer(self, name: str) -> int:
        if name.endswith(("date", "unix_time")):
            return 1_767_225_600 + self.random.randint(-10_000_000, 10_000_000)
        if self.random.random() < 0.02:
            return self.random.choice(BIG)
        return self.random.randint(0, 400)

    def _break(self, update: dict[str, Any]) -> None:
        holder: Any = update
        for _ in range(self.random.randint(1, 8)):
            inner = [v for v in _values(holder) if isinstance(v, (dict, list)) and v]
            if not inner or self.random.random() < 0.15:
                break
            holder = self.random.choice(inner)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        keys = [key for key in keys if key != "update_id"]
        if not keys:
            return
        key = self.random.choice(keys)
        if self.random.random() < 0.3 and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = self._junk(holder[key])

    def _junk(self, value: Any) -> Any:
        nested: Any = "дно"
        for _ in range(self.random.choice((3, 40, 300))):
            nested = {"text": nested} if self.random.random() < 0.5 else [nested]
        return self.random.choice(
            [None, 5, -1.5, True, "слово", [], {}, [value] * 3, {"type": "of_next_year"}, 10**30,
             nested, [{"type": "bold", "text": "а"}] * 50, {"message_id": 1, "chat": None}]
        )  # fmt: skip


def _values(holder: Any) -> list[Any]:
    return list(holder.values()) if isinstance(holder, dict) else list(holder)
