"""Where in a message a person's words stand, and whose they are."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiogram.types import Message

from bot.fields import fields_of, spaced
from bot.rich import LONGEST, chunks
from moderation.text import normalize

MOST_PARTS = 64  # scored one by one; what comes on top of them is scored together
# Telegram's own, which stand for others; nobody may ever be punished under one of these ids.
GROUP_ANONYMOUS_BOT, CHANNEL_BOT, TELEGRAM = 1087968824, 136817688, 777000
SHARED_IDS = frozenset({GROUP_ANONYMOUS_BOT, CHANNEL_BOT, TELEGRAM})


@dataclass(frozen=True, slots=True)
class Part:
    """Words of a message, the field they stand in, and whether the sender answers for them."""

    field: str
    text: str
    authored: bool = True


@dataclass(frozen=True, slots=True)
class Sender:
    """Who answers for a message. `exempt` says why this sender is never judged."""

    id: int
    name: str
    is_channel: bool = False
    exempt: str | None = None


def texts_of(message: Message) -> list[Part]:
    """Every part of a message that holds words. Smileys and dots alone are none: the model learned
    from words, and a row of laughing faces is no ground to judge anybody.

    Who forwards something answers for it; who quotes or replies to another chat doesn't, nor for
    what an inline bot makes later of a message that was sent by it.
    """
    is_edited_by_bot = message.via_bot is not None and message.edit_date is not None
    authored = not _is_forwarded_from_here(message) and not is_edited_by_bot
    parts = [Part(field, text, authored) for field, text in fields_of(message)]
    parts += _options(message, authored)
    parts += _tasks(message, authored)
    if quote := message.quote:
        parts.append(Part("quote", quote.text, authored=False))
    if reply := message.external_reply:
        parts += [Part("external_reply", text, authored=False) for _, text in fields_of(reply)]
        items = [option.text for option in reply.poll.options] if reply.poll else []
        items += [task.text for task in reply.checklist.tasks] if reply.checklist else []
        parts += [Part("external_reply", text, authored=False) for text in items]
    return bounded(part for part in dict.fromkeys(parts) if _has_words(part.text))


def names_of(message: Message) -> list[Part]:
    """What people, channels and things are called in a message: shown to moderators at most."""
    sender, user = sender_of(message), message.from_user
    found = [("name", sender.name if sender else None), ("tag", message.sender_tag)]
    if sender and user and user.id == sender.id and user.username:
        found.append(("username", spaced(user.username)))
    if origin := message.forward_origin:
        chat = getattr(origin, "chat", None) or getattr(origin, "sender_chat", None)
        found += [
            ("forward", chat.title if chat else None),
            ("forward", getattr(origin, "sender_user_name", None)),
            ("forward", getattr(origin, "author_signature", None)),
            ("forward", getattr(getattr(origin, "sender_user", None), "full_name", None)),
        ]
    if story := message.story:
        found.append(("forward", story.chat.title))
    if bot := message.via_bot:
        found.append(("bot", bot.full_name))
    if (sticker := message.sticker) and sticker.set_name:
        found.append(("sticker", spaced(sticker.set_name)))
    parts = [Part(field, text, authored=False) for field, text in found if text]
    return [part for part in dict.fromkeys(parts) if _has_words(part.text)]


def bounded(parts: Iterable[Part]) -> list[Part]:
    """Parts of a bounded number and length, so that no message costs more than a few long ones."""
    kept: list[Part] = []
    rest: dict[bool, list[Part]] = {True: [], False: []}
    left = LONGEST
    for part in parts:
        text = part.text[:left]
        left -= len(text)
        if not text:
            break
        if len(kept) < MOST_PARTS:
            kept.append(Part(part.field, text, part.authored))
        else:
            rest[part.authored].append(Part(part.field, text, part.authored))
    for authored, others in rest.items():
        if others:
            joined = chunks("\n".join(part.text for part in others))
            kept += [Part(others[0].field, text, authored) for text in joined]
    return kept


def sender_of(message: Message) -> Sender | None:
    """Who answers for a message, or None if nobody is named."""
    channel, user = message.sender_chat, message.from_user
    # What a guest bot says, it says for who called it.
    if message.guest_bot_caller_chat or message.guest_bot_caller_user:
        channel, user = message.guest_bot_caller_chat, message.guest_bot_caller_user
    if channel and channel.id == message.chat.id:
        return Sender(channel.id, channel.title or "", exempt="anonymous_admin")
    if channel:
        exempt = "linked_channel" if message.is_automatic_forward else None
        return Sender(channel.id, channel.title or "", is_channel=True, exempt=exempt)
    if user is None:
        return None
    if user.id in SHARED_IDS:
        return Sender(user.id, user.full_name, exempt="shared_id")
    return Sender(user.id, user.full_name, exempt="bot" if user.is_bot else None)


def is_ignored(message: Message, bot_id: int) -> str | None:
    """Why a message isn't looked at at all; None for those that are."""
    if message.from_user and message.from_user.id == bot_id:
        return "own"
    if message.business_connection_id:
        return "business"
    if message.chat.is_direct_messages:
        return "direct_messages"
    if not message.message_id:
        return "ephemeral"  # the bot alone sees it
    return "nobody" if sender_of(message) is None else None


def _options(message: Message, authored: bool) -> list[Part]:
    """A poll's options: who sent the poll doesn't answer for those that others added."""
    sender = sender_of(message)
    found = []
    for option in message.poll.options if message.poll else ():
        by = option.added_by_chat or option.added_by_user
        own = by is None or (sender is not None and by.id == sender.id)
        found.append(Part("poll_option", option.text, authored and own))
    return found


def _tasks(message: Message, authored: bool) -> list[Part]:
    """The tasks of a list: in one that others may add to, nobody knows later whose they are."""
    checklist = message.checklist
    if checklist is None:
        return []
    others = bool(checklist.others_can_add_tasks) and message.edit_date is not None
    return [Part("checklist", task.text, authored and not others) for task in checklist.tasks]


def _is_forwarded_from_here(message: Message) -> bool:
    """Whether it is what an anonymous administrator of this very chat has said."""
    chat = getattr(message.forward_origin, "sender_chat", None)
    return chat is not None and bool(chat.id == message.chat.id)


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text)) or any(map(str.isalnum, normalize(text)))  # Ⓦⓞⓡⓓⓢ
