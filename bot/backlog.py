"""What waits to be handled, chat by chat, and which of it comes next."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any

from moderation.columns import HUGE

CHUNK = 64  # updates of one chat that are scored together
IN_HAND = 1024  # updates of all chats together that are decoded at once
SUSPECT = 3  # ends of the process during an update after which it is handled apart

# After these, the same chat is another one, or the bot another in it: nothing overtakes them.
_WALLS = ("my_chat_member",)
_WALL_FIELDS = ("migrate_to_chat_id", "migrate_from_chat_id")


@dataclass(frozen=True, slots=True)
class Waiting:
    """All of an update that its order depends on. What it says is in the database."""

    id: int
    chat_id: int | None
    received_at: datetime
    message_id: int | None = None
    people: frozenset[int] = frozenset()  # whom it is by and about
    is_words: bool = False  # what a member wrote in a group, and nothing but that
    is_wall: bool = False
    is_left: bool = False  # by a process that ended
    attempts: int = 0

    @property
    def is_suspect(self) -> bool:
        """Whether the process ended so often during it that it may be the cause."""
        return self.is_left and self.attempts >= SUSPECT


@dataclass(slots=True)
class _Queue:
    waiting: list[Waiting] = field(default_factory=list)
    is_newest_next: bool = True


class Backlog:
    """The updates that wait, the oldest first in each chat.

    Where a chat has more than a chunk of them, every other chunk is made of the newest words that
    members wrote: an insult of a moment ago is deleted before most have read it, one of an hour ago
    hurts no more. Everything else keeps its order, and no words overtake what they depend on.
    """

    def __init__(self) -> None:
        self._queues: dict[int | None, _Queue] = {}
        self._all: dict[int, Waiting] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, update_id: int) -> bool:
        return update_id in self._all

    @property
    def oldest(self) -> Waiting | None:
        """The update that has waited longest."""
        return next(iter(self._all.values()), None)

    def chats(self) -> list[int | None]:
        """The chats in which something waits."""
        return list(self._queues)

    def add(self, waiting: Waiting) -> bool:
        """Put an update behind those of its chat; true if it is the first there."""
        self._all[waiting.id] = waiting
        is_first = waiting.chat_id not in self._queues
        self._queues.setdefault(waiting.chat_id, _Queue()).waiting.append(waiting)
        return is_first

    def take(self, chat_id: int | None) -> list[Waiting]:
        """The chat's updates that are handled next, in this order; none: the chat has no more."""
        queue = self._queues[chat_id]
        if not queue.waiting:
            del self._queues[chat_id]
            return []
        size = min(CHUNK, max(IN_HAND // len(self._queues), 4))
        chunk = []
        if len(queue.waiting) > size:
            chunk = _free(queue.waiting)[-size:] if queue.is_newest_next else []
            queue.is_newest_next = not queue.is_newest_next
        chunk = chunk or _oldest(queue.waiting, size)
        taken = {waiting.id for waiting in chunk}
        queue.waiting = [waiting for waiting in queue.waiting if waiting.id not in taken]
        return chunk

    def done(self, waiting: Waiting) -> None:
        """An update waits no longer."""
        del self._all[waiting.id]


def _oldest(queue: list[Waiting], size: int) -> list[Waiting]:
    """From the front; one that may end the process stands alone, so that no other pays for it."""
    if queue[0].is_suspect:
        return queue[:1]
    return list(takewhile(lambda waiting: not waiting.is_suspect, queue[:size]))


def _free(queue: Iterable[Waiting]) -> list[Waiting]:
    """The words that may come before all that waits: no edit overtakes its message, and nobody's
    words overtake his joining, his command or his press."""
    free: list[Waiting] = []
    held: set[int] = set()
    messages: set[int | None] = set()
    for waiting in queue:
        if waiting.is_wall:
            break
        if not waiting.is_words or waiting.is_suspect:
            held |= waiting.people
        elif waiting.message_id not in messages and not waiting.people & held:
            free.append(waiting)
        messages.add(waiting.message_id)
    return free


def waiting_of(raw: dict[str, Any], received_at: datetime, **more: Any) -> Waiting:
    """What an update's order depends on; whatever its kind, and however odd it is."""
    kind, content = _content(raw)
    message = content.get("message") if kind == "callback_query" else content
    message = message if isinstance(message, dict) else {}
    number = message.get("message_id")
    return Waiting(
        id=raw["update_id"],
        chat_id=chat_of(raw),
        received_at=received_at,
        message_id=number if isinstance(number, int) else None,
        people=frozenset(_people(content)),
        is_words=kind in ("message", "edited_message") and _is_words(message),
        is_wall=kind in _WALLS or any(name in message for name in _WALL_FIELDS),
        **more,
    )


def chat_of(raw: dict[str, Any]) -> int | None:
    """The chat that an update belongs to, whatever kind it is; None if it has none."""
    for value in raw.values():
        if isinstance(value, dict):
            inner = value.get("message") if "chat" not in value else value
            if isinstance(inner, dict) and isinstance(inner.get("chat"), dict):
                chat_id = inner["chat"].get("id")
                is_one = isinstance(chat_id, int) and -HUGE <= chat_id < HUGE
                return chat_id if is_one else None
    return None


def _content(raw: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return next(((kind, value) for kind, value in raw.items() if isinstance(value, dict)), ("", {}))


def _is_words(message: dict[str, Any]) -> bool:
    """Text or a caption in a group that is neither a command nor an answer to a bot."""
    chat, words = message.get("chat"), message.get("text", message.get("caption"))
    answered = message.get("reply_to_message")
    author = answered.get("from") if isinstance(answered, dict) else None
    return (
        isinstance(chat, dict)
        and chat.get("type") in ("group", "supergroup")
        and isinstance(words, str)
        and not words.startswith("/")
        and not (isinstance(author, dict) and author.get("is_bot"))
    )


def _people(content: dict[str, Any]) -> Iterable[int]:
    """Who an update is by, and whose membership it tells of."""
    member = content.get("new_chat_member")
    found = [content.get("from"), content.get("sender_chat"), content.get("left_chat_member")]
    found.append(member.get("user", member) if isinstance(member, dict) else None)
    came = content.get("new_chat_members")
    found += came if isinstance(came, list) else []
    for person in found:
        if isinstance(person, dict) and isinstance(person.get("id"), int):
            yield person["id"]
