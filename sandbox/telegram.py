"""The sandbox's Telegram: its state, and how what happens there reaches the bot."""

from dataclasses import dataclass

from sandbox.answers import Json
from sandbox.callbacks import Callback
from sandbox.chats import CHANNEL, PRIVATE, Chat, Message, User
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.members import KICKED, MEMBER, Member
from sandbox.updates import UpdateQueue
from sandbox.webhook import Webhook

SERVICE_PARTS = frozenset(
    {
        "new_chat_members",
        "left_chat_member",
        "new_chat_title",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
        "pinned_message",
        "group_chat_created",
        "supergroup_chat_created",
        "channel_chat_created",
        "forum_topic_created",
    }
)


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file, kept in memory."""

    name: str
    content_type: str
    content: bytes


class ImpossibleError(Exception):
    """Why a person cannot do this: no client would offer it."""


class Telegram:
    """Users, chats, messages and the bot they all belong to."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.clock = Clock()
        self.updates = UpdateQueue(self.clock)
        self.webhook = Webhook()
        self.faults = Faults()
        self.journal = Journal(self.clock)
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, File] = {}
        self.callbacks: dict[str, Callback] = {}
        self.commands: dict[tuple[str, str], list[Json]] = {}
        self.default_rights: dict[str, Json] = {}
        self.features = {"ephemeral": True}
        self.last_identifier = 0
        bot_id = int(token.partition(":")[0])
        self.bot = User(bot_id, "Бот-модератор", is_bot=True, username="demo_moderator_bot")
        self.users[bot_id] = self.bot

    def next_identifier(self) -> int:
        self.last_identifier += 1
        return self.last_identifier

    def user(self, user_id: int) -> User:
        if user_id not in self.users:
            msg = f"there is no user {user_id}"
            raise ImpossibleError(msg)
        return self.users[user_id]

    def chat(self, chat_id: int) -> Chat | None:
        """The chat, or the private one of a user who has not written to the bot yet."""
        if chat_id not in self.chats and (user := self.users.get(chat_id)):
            chat = Chat(chat_id, PRIVATE, user=user)
            chat.members[user.id] = Member(user.id, MEMBER)
            chat.members[self.bot.id] = Member(self.bot.id, MEMBER)
            self.chats[chat_id] = chat
        return self.chats.get(chat_id)

    def member(self, chat: Chat, user_id: int) -> Member:
        """Whoever was never in the chat has left it, as far as the Bot API is concerned."""
        if chat.user and user_id == self.bot.id:
            return Member(user_id, KICKED if chat.user.has_blocked else MEMBER)
        member = chat.members.get(user_id, Member(user_id)).at(self.clock.now())
        if user_id in chat.members:
            chat.members[user_id] = member
        return member

    def bot_member(self, chat: Chat) -> Member:
        return self.member(chat, self.bot.id)

    def member_shape(self, chat: Chat, member: Member) -> Json:
        return member.shape(self.users[member.user_id].shape(), chat.type)

    def post(self, chat: Chat, body: Json) -> Message:
        """Put a message into a chat under the next identifier, and let the bot know."""
        chat.last_message_id += 1
        head = {"message_id": chat.last_message_id, "date": self.clock.now()}
        message = Message(chat.id, head | {"chat": chat.shape()} | body)
        chat.messages[message.id] = message
        self._deliver(chat, message, "message", "channel_post")
        self.show(message)
        return message

    def whisper(self, chat: Chat, body: Json) -> Message:
        """Put a message into a chat that only its receiver sees, outside the ordinary ones."""
        chat.last_ephemeral_id += 1
        head = {"message_id": 0, "date": self.clock.now(), "chat": chat.shape()}
        head["ephemeral_message_id"] = chat.last_ephemeral_id
        message = Message(chat.id, head | body, after_message_id=chat.last_message_id)
        chat.ephemeral[chat.last_ephemeral_id] = message
        if message.author_id() != self.bot.id:
            self.updates.add("message", dict(message.body), lane=f"chat {chat.id}")
        self.show_ephemeral(message)
        return message

    def edited(self, chat: Chat, message: Message) -> None:
        """Let the bot know of an edit that has been made."""
        message.body["edit_date"] = self.clock.now()
        message.edit_count += 1
        self._deliver(chat, message, "edited_message", "edited_channel_post")
        self.show(message)

    def delete(self, message: Message, by: int) -> None:
        """No update tells anyone of a deletion."""
        message.deleted = True
        message.deleted_by = by
        self.show(message)

    def show(self, message: Message) -> None:
        self.journal.tell("message", message=message.state())

    def show_ephemeral(self, message: Message) -> None:
        self.journal.tell("ephemeral", message=message.ephemeral_state())

    def _deliver(self, chat: Chat, message: Message, kind: str, channel_kind: str) -> None:
        if self._reaches_bot(chat, message):
            kind = channel_kind if chat.type == CHANNEL else kind
            self.updates.add(kind, dict(message.body), lane=f"chat {chat.id}")

    def _reaches_bot(self, chat: Chat, message: Message) -> bool:
        """A bot never sees its own messages, and with privacy mode on only what is meant for it."""
        body = message.body
        member = self.bot_member(chat)
        if not member.is_present:
            return False
        if message.author_id() == self.bot.id:
            # Telegram does show the bot the removals it has made itself.
            return "left_chat_member" in body and body["left_chat_member"]["id"] != self.bot.id
        if chat.user or member.is_administrator or self.bot.can_read_all_group_messages:
            return True
        return not SERVICE_PARTS.isdisjoint(body) or self._is_meant_for_bot(body)

    def _is_meant_for_bot(self, body: Json) -> bool:
        replied = body.get("reply_to_message", {}).get("from", {})
        if replied.get("id") == self.bot.id:
            return True
        command, _, addressee = body.get("text", "").partition(" ")[0].partition("@")
        return command.startswith("/") and addressee.lower() in (
            "",
            (self.bot.username or "").lower(),
        )
