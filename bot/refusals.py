"""Telegram's refusals: what they mean for the bot, and in words for people."""

from aiogram.exceptions import AiogramError
from aiohttp import ClientConnectorError

from bot.language import Language
from bot.telegram import LOST, reason_of

# What a refusal says, by the key of what it means in words; the first that fits counts.
_REASONS = {
    "not enough rights to send": "no_write",
    "no write access to the chat": "no_write",
    "CHAT_WRITE_FORBIDDEN": "no_write",
    "not enough rights": "no_rights",
    "CHAT_ADMIN_REQUIRED": "not_administrator",
    "message can't be deleted": "undeletable",
    "user is an administrator": "administrator",
    "USER_ADMIN_INVALID": "administrator",
    "can't remove chat owner": "owner",
    "can't restrict self": "self",
    "method is available only for supergroups": "supergroups_only",
    "method is available for supergroup and channel": "supergroups_only",
    "bot was kicked": "kicked",
    "bot is not a member": "not_member",
    "the group chat was deleted": "group_gone",
    "upgraded to a supergroup": "moved",
    "bot was blocked by the user": "blocked",
    "initiate conversation": "not_started",
    "user is deactivated": "unknown_person",
    "PARTICIPANT_ID_INVALID": "unknown_person",
    "PEER_ID_INVALID": "unknown_person",
    "USER_NOT_PARTICIPANT": "unknown_person",
    "member not found": "unknown_person",
    "user not found": "unknown_person",
    "invalid user_id": "unknown_person",
    "chat not found": "not_started",
    "message thread not found": "topic_gone",
    "message to be replied not found": "message_gone",
    "message to edit not found": "message_gone",
    "message to delete not found": "message_gone",
    "MESSAGE_ID_INVALID": "message_gone",
    "message is too long": "too_long",
    "MESSAGE_TOO_LONG": "too_long",
    "text is too long": "too_long",
    "too many requests": "busy",
    "internal server error": "no_answer",
    "bad gateway": "no_answer",
}
_LACKS = ("no_rights", "not_administrator", "undeletable")
_GONE = ("kicked", "not_member", "group_gone", "not_started")


def in_words(words: Language, reason: str) -> str:
    """A refusal of Telegram as people say it; one that isn't known as it is."""
    key = _meaning(reason)
    return words.plain(f"reason.{key}") if key else reason


def of_act(words: Language, error: AiogramError, *, is_repeatable: bool) -> str:
    """Why an act in a group failed, or that nobody knows whether it did."""
    if isinstance(error, LOST):
        left = not isinstance(error.__cause__, ClientConnectorError)
        lost = left and not is_repeatable
        return words.plain("act.unanswered" if lost else "reason.no_answer")
    reason = reason_of(error)
    # What in private means that somebody never wrote to the bot means in a group that it is gone.
    is_gone = _meaning(reason) == "not_started"
    return words.plain("reason.group_gone") if is_gone else in_words(words, reason)


def is_lack(error: AiogramError) -> bool:
    """Whether the bot may lack a right. A message that it must not delete can be too old as well;
    the words are the same."""
    return _meaning(reason_of(error)) in _LACKS


def is_outside(error: AiogramError) -> bool:
    """Whether the bot isn't in the group any more, or the group is no more."""
    return _meaning(reason_of(error)) in _GONE


def _meaning(reason: str) -> str | None:
    found = (key for text, key in _REASONS.items() if text.lower() in reason.lower())
    return next(found, None)
