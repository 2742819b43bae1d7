"""How membership changes: the new status, and everything that tells of it."""

from dataclasses import replace

from sandbox import state
from sandbox.answers import Json
from sandbox.chats import ANONYMOUS_ADMINISTRATOR, CHANNEL, GROUP, SUPERGROUP, Chat
from sandbox.members import CREATOR, KICKED, LEFT, MEMBER, RESTRICTED, STATUSES, Member
from sandbox.telegram import ImpossibleError, Telegram


def change(telegram: Telegram, chat: Chat, new: Member, by: int, **details: Json) -> None:
    """Give a user a new standing in a chat; nothing happens when it is the old one."""
    old = telegram.member(chat, new.user_id)
    chat.members[new.user_id] = new
    if old == new:
        return
    update: Json = {
        "chat": chat.shape(),
        "from": telegram.users[by].shape(),
        "date": telegram.clock.now(),
        "old_chat_member": telegram.member_shape(chat, old),
        "new_chat_member": telegram.member_shape(chat, new),
        **details,
    }
    if new.user_id == telegram.bot.id:
        telegram.updates.add("my_chat_member", update, lane=f"my_chat_member {chat.id}")
    elif telegram.bot_member(chat).is_administrator:
        telegram.updates.add("chat_member", update, lane=f"chat_member {new.user_id}")
    _post_service_message(telegram, chat, old, new, by)
    telegram.journal.tell("chat", chat=state.chat_state(telegram, chat))


def stand(telegram: Telegram, chat: Chat, wanted: Member, by: int | None) -> Member:
    """Give a user a new standing; without `by` the user comes or goes by itself."""
    if wanted.status not in STATUSES:
        msg = f"status is one of {', '.join(STATUSES)}"
        raise ImpossibleError(msg)
    user = telegram.user(wanted.user_id)
    if chat.user:
        return _block(telegram, chat, wanted)
    old = telegram.member(chat, user.id)
    if by is None and user.id != telegram.bot.id:
        wanted = _by_itself(old, wanted)
    change(telegram, chat, wanted, by=telegram.user(by or user.id).id)
    return wanted


def migrate(telegram: Telegram, chat: Chat, new_id: int) -> Chat:
    """Turn a group into a supergroup: a service message on either side of the move."""
    if chat.type != GROUP or chat.migrated_to:
        msg = "only a group can become a supergroup"
        raise ImpossibleError(msg)
    new = Chat(new_id, SUPERGROUP, chat.title, members=dict(chat.members))
    telegram.chats[new_id] = new
    owner = next((m.user_id for m in chat.members.values() if m.status == CREATOR), None)
    author = {"from": telegram.users[owner].shape()} if owner else {}
    telegram.post(chat, author | {"migrate_to_chat_id": new_id})
    chat.migrated_to = new_id
    sender = {"sender_chat": new.shape()}
    anonymous = {"from": ANONYMOUS_ADMINISTRATOR.shape()}
    telegram.post(new, anonymous | sender | {"migrate_from_chat_id": chat.id})
    return new


def _post_service_message(
    telegram: Telegram, chat: Chat, old: Member, new: Member, by: int
) -> None:
    if chat.type == CHANNEL or chat.user or old.is_present == new.is_present:
        return
    user = telegram.users[new.user_id].shape()
    author = telegram.users[by].shape()
    if new.is_present:
        telegram.post(chat, {"from": author, "new_chat_members": [user]})
    else:
        telegram.post(chat, {"from": author, "left_chat_member": user})


def _block(telegram: Telegram, chat: Chat, wanted: Member) -> Member:
    """In a private chat only the bot's standing changes: the user blocks it or lets it back."""
    if wanted.user_id != telegram.bot.id or chat.user is None:
        msg = "in a private chat only the bot can be blocked (kicked) or unblocked (member)"
        raise ImpossibleError(msg)
    old = telegram.bot_member(chat)
    chat.user.has_blocked = wanted.status == KICKED
    new = telegram.bot_member(chat)
    if old != new:
        update: Json = {
            "chat": chat.shape(),
            "from": chat.user.shape(),
            "date": telegram.clock.now(),
            "old_chat_member": telegram.member_shape(chat, old),
            "new_chat_member": telegram.member_shape(chat, new),
        }
        telegram.updates.add("my_chat_member", update, lane=f"my_chat_member {chat.id}")
    return new


def _by_itself(old: Member, wanted: Member) -> Member:
    """Leaving and coming back does not lift a restriction, and the banned cannot join."""
    if wanted.status == MEMBER and old.status == KICKED:
        msg = "the user is banned in this chat"
        raise ImpossibleError(msg)
    comes_back = wanted.status == MEMBER and not old.is_present
    if old.status == RESTRICTED and (comes_back or wanted.status == LEFT):
        return replace(old, is_member=comes_back)
    return wanted
