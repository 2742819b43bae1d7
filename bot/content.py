"""Where in a message a person's words stand, and whose they are."""

from dataclasses import dataclass

from aiogram.types import Message


@dataclass(frozen=True, slots=True)
class Part:
    """Words of a message, the field they stand in, and whether the sender wrote them."""

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
    from words, and a row of laughing faces is no ground to judge anybody."""
    found = [("text", message.text), ("caption", message.caption)]
    if poll := message.poll:
        found += [("poll", poll.question), ("poll", poll.description), ("poll", poll.explanation)]
        found += [("poll", option.text) for option in poll.options]
    if checklist := message.checklist:
        found.append(("checklist", checklist.title))
        found += [("checklist", task.text) for task in checklist.tasks]
    if contact := message.contact:
        found.append(("contact", " ".join(filter(None, (contact.first_name, contact.last_name)))))
    parts = [Part(field, text) for field, text in found if text and _has_words(text)]
    if (quote := message.quote) and _has_words(quote.text):
        parts.append(Part("quote", quote.text, authored=False))
    return parts


def _has_words(text: str) -> bool:
    return any(char.isalnum() for char in text)


def sender_of(message: Message) -> Sender | None:
    """Who answers for a message, or None if nobody is named."""
    channel, user = message.sender_chat, message.from_user
    if channel and channel.id == message.chat.id:
        return Sender(channel.id, channel.title or "", exempt="anonymous_admin")
    if channel:
        exempt = "linked_channel" if message.is_automatic_forward else None
        return Sender(channel.id, channel.title or "", is_channel=True, exempt=exempt)
    if user is None:
        return None
    return Sender(user.id, user.full_name, exempt="bot" if user.is_bot else None)
