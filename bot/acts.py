"""Each act as a call of the Bot API."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import ChatPermissions, EphemeralMessageParameters, ReplyParameters

from bot.language import Language, language
from bot.telegram import GetRawChatMember
from moderation import sanctions
from moderation.columns import now
from moderation.database import Sessions
from moderation.preferences import Preferences, Warning
from moderation.states import Act, ActState
from moderation.tables import Case, Chat, Enforcement

_LONGEST = 3800  # characters of a text that is shown again, of 4096
MERGE_AGE = timedelta(seconds=60)  # notices to one author within this become one
_SHORTEST = timedelta(minutes=1)  # a mute of less than 30 seconds is one for ever
_ALL = ChatPermissions(**dict.fromkeys(ChatPermissions.model_fields, True))
_NOTHING = ChatPermissions(**dict.fromkeys(ChatPermissions.model_fields, False))


class InapplicableError(Exception):
    """An act that doesn't exist for this sender, or that isn't needed any more."""


@dataclass(frozen=True, slots=True)
class Call:
    """An act to attempt, and all that it needs to know."""

    bot: Bot
    sessions: Sessions
    chat: Chat
    case: Case
    row: Enforcement
    rows: Sequence[Enforcement]  # all acts of the case, those before this one with their outcome

    @property
    def preferences(self) -> Preferences:
        """Those of the case's group."""
        return Preferences.of(self.chat.preferences)

    @property
    def words(self) -> Language:
        """The group's language."""
        return language(self.preferences.language)

    @property
    def person(self) -> int:
        """The author's id; InapplicableError for a channel, and for who asked to be forgotten."""
        user_id = self.case.prediction.user_id
        if user_id < 0:
            raise InapplicableError(self.words.plain("act.channel"))
        if user_id == 0:
            raise InapplicableError(self.words.plain("act.forgotten"))
        return user_id


async def _delete(call: Call) -> None:
    if not call.case.prediction.message_id:
        raise InapplicableError(call.words.plain("act.name"))
    await call.bot.delete_message(call.case.chat_id, call.case.prediction.message_id)


async def _mute(call: Call) -> None:
    chat_id, user_id = call.case.chat_id, call.person
    if call.row.until is not None and not _lasts(call.row.until - _SHORTEST):
        raise InapplicableError(call.words.plain("act.over"))
    if call.row.former is None:
        # Written before the call: after a crash the member is restricted by ourselves.
        found = await call.bot(GetRawChatMember(chat_id=chat_id, user_id=user_id))
        async with call.sessions.begin() as session:
            row = await session.get_one(Enforcement, call.row.id)
            row.former = {name: value for name, value in found.items() if name != "user"}
    await call.bot.restrict_chat_member(
        chat_id,
        user_id,
        _NOTHING,
        use_independent_chat_permissions=True,
        until_date=call.row.until,
    )


async def _unmute(call: Call) -> None:
    user_id = call.person
    async with call.sessions() as session:
        mutes = await sanctions.mutes(session, call.case.chat_id, user_id)
    mine = [mute for mute in mutes if mute.case_id == call.case.id]
    others = [mute for mute in mutes if mute.case_id != call.case.id and not mute.is_undone]
    if not mine:
        return
    if any(mute.id > mine[-1].id and _lasts(mute.until) for mute in others):
        raise InapplicableError(call.words.plain("act.still_muted"))
    permissions, until = _former(mine[0], mutes)
    await call.bot.restrict_chat_member(
        call.case.chat_id,
        user_id,
        permissions,
        use_independent_chat_permissions=True,
        until_date=until,
    )


def _former(mute: sanctions.Mute, mutes: Sequence[sanctions.Mute]) -> tuple[ChatPermissions, Any]:
    """The permissions before a mute, and until when they hold. What was only another mute of ours
    that was taken back since is passed over."""
    former = mute.former or {}
    end = _moment(former)
    if former.get("status") != "restricted" or not _lasts(end, default=True):
        return _ALL, None
    for other in mutes:
        if other.id < mute.id and other.is_undone and other.until == end and end is not None:
            return _former(other, mutes)
    fields = ChatPermissions.model_fields
    return ChatPermissions(**{name: bool(former.get(name)) for name in fields}), end


def _moment(former: Mapping[str, Any]) -> datetime | None:
    seconds = former.get("until_date")
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _lasts(until: datetime | None, *, default: bool = False) -> bool:
    return default if until is None else until > now()


async def _ban(call: Call) -> None:
    chat_id, sender_id = call.case.chat_id, call.case.prediction.user_id
    if sender_id < 0:
        await call.bot.ban_chat_sender_chat(chat_id, sender_id)
    else:
        await call.bot.ban_chat_member(chat_id, call.person)


async def _unban(call: Call) -> None:
    chat_id, sender_id = call.case.chat_id, call.case.prediction.user_id
    if sender_id < 0:
        await call.bot.unban_chat_sender_chat(chat_id, sender_id)
    else:
        # Without only_if_banned this kicks a member who came back meanwhile.
        await call.bot.unban_chat_member(chat_id, call.person, only_if_banned=True)


async def _notice(call: Call) -> int | None:
    case, preferences = call.case, call.preferences
    deleted = any(row.act is Act.DELETE and row.state is ActState.DONE for row in call.rows)
    words = notice(call.words, case.user_name, case.flagged, deleted=deleted)
    if preferences.warning is Warning.PRIVATE and case.prediction.user_id > 0:
        try:
            return await _whisper(call, words)
        except TelegramBadRequest as error:
            if "USER_NOT_PARTICIPANT" in str(error):
                raise InapplicableError(call.words.plain("act.author_left")) from error
    async with call.sessions() as session:
        since = now() - MERGE_AGE
        earlier = await sanctions.notices_to(session, case.chat_id, case.prediction.user_id, since)
    if earlier and await _merged(call, earlier):
        return None
    return await _say(call, words, None if deleted else case.prediction.message_id)


async def _whisper(call: Call, words: str) -> int | None:
    """A message that the author alone sees. A server that doesn't know such messages sends an
    ordinary one, which is then removed as any notice."""
    user_id = call.case.prediction.user_id
    sent = await call.bot.send_message(
        call.case.chat_id,
        words,
        message_thread_id=call.case.thread_id,
        receiver_user_id=user_id,
        ephemeral_message_parameters=EphemeralMessageParameters(receiver_user_id=user_id),
        disable_notification=True,
    )
    return sent.message_id or None


async def _merged(call: Call, earlier: Sequence[Enforcement]) -> bool:
    """Whether one notice that still stands could take the place of many."""
    standing = next((row for row in earlier if row.message_id), None)
    if standing is None:
        return False
    name = call.case.user_name
    words = call.words.plural("notice.many", len(earlier) + 1, name=name)
    try:
        await call.bot.edit_message_text(
            words, chat_id=call.case.chat_id, message_id=standing.message_id
        )
    except TelegramBadRequest:
        return False
    return True


async def _restore(call: Call) -> int:
    if not call.case.text:
        raise InapplicableError(call.words.plain("act.no_text"))
    case = call.case
    return await _say(
        call, call.words("notice.restored", name=case.user_name, text=_fitting(case.text))
    )


def _fitting(text: str) -> str:
    """As much of a text as a message holds beside a name and a sentence."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


async def _say(call: Call, words: str, answered: int | None = None) -> int:
    reply = (
        ReplyParameters(message_id=answered, allow_sending_without_reply=True) if answered else None
    )
    sent = await call.bot.send_message(
        call.case.chat_id,
        words,
        message_thread_id=call.case.thread_id,
        reply_parameters=reply,
        disable_notification=True,
    )
    return sent.message_id


def notice(words: Language, name: str, flagged: Sequence[str], *, deleted: bool) -> str:
    """The short word to an author."""
    titles = ", ".join(words.category(category).lower() for category in flagged)
    key = "notice.deleted" if deleted else "notice.warned"
    if not titles:
        return words(f"{key}_plainly", name=name)
    return words(key, name=name, titles=titles)


CALLS: dict[Act, Callable[[Call], Awaitable[int | None]]] = {
    Act.DELETE: _delete,
    Act.MUTE: _mute,
    Act.BAN: _ban,
    Act.UNMUTE: _unmute,
    Act.UNBAN: _unban,
    Act.NOTICE: _notice,
    Act.RESTORE: _restore,
}
