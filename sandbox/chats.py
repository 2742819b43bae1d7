"""What the sandbox's Telegram is made of: users, chats and messages, and their JSON shapes."""

from dataclasses import dataclass, field

from sandbox.answers import Json
from sandbox.members import ALL_PERMISSIONS, PERMISSIONS, Member

PRIVATE = "private"
GROUP = "group"
SUPERGROUP = "supergroup"
CHANNEL = "channel"
CHAT_TYPES = (PRIVATE, GROUP, SUPERGROUP, CHANNEL)


@dataclass(slots=True)
class User:
    """An account. `has_started` and `has_blocked` are about its private chat with the bot."""

    id: int
    first_name: str
    is_bot: bool = False
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    bio: str | None = None
    can_read_all_group_messages: bool = False
    is_deleted: bool = False
    has_started: bool = False
    has_blocked: bool = False

    def shape(self) -> Json:
        shape: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        for name in ("last_name", "username", "language_code"):
            if value := getattr(self, name):
                shape[name] = value
        return shape

    def chat_shape(self) -> Json:
        shape = self.shape()
        del shape["is_bot"]
        shape.pop("language_code", None)
        return shape | {"type": PRIVATE}


# Whoever writes as a chat is shown as one of these accounts.
ANONYMOUS_ADMINISTRATOR = User(1087968824, "Group", True, username="GroupAnonymousBot")
CHANNEL_SENDER = User(136817688, "Channel", True, username="Channel_Bot")
LINKED_CHANNEL = User(777000, "Telegram")


@dataclass(slots=True)
class Message:
    """A message as the Bot API shows it, and what the Bot API never tells about it."""

    chat_id: int
    body: Json
    deleted: bool = False
    deleted_by: int | None = None
    edit_count: int = 0
    reactions: list[Json] = field(default_factory=list)
    after_message_id: int = 0

    @property
    def id(self) -> int:
        return int(self.body["message_id"])

    @property
    def date(self) -> int:
        return int(self.body["date"])

    def author_id(self) -> int | None:
        author = self.body.get("from")
        return author["id"] if author else None

    def state(self) -> Json:
        """The message with what only the control API shows."""
        return self.body | {
            "deleted": self.deleted,
            "deleted_by": self.deleted_by,
            "edit_count": self.edit_count,
            "reactions": self.reactions,
        }

    def ephemeral_state(self) -> Json:
        """An ephemeral message: whom it is for, and after which message it came."""
        empty: Json = {"text": "", "entities": [], "reply_markup": None}
        return (
            empty
            | self.body
            | {
                "id": self.body["ephemeral_message_id"],
                "receiver_user_id": self.body["receiver_user"]["id"],
                "after_message_id": self.after_message_id,
                "deleted": self.deleted,
                "edit_count": self.edit_count,
            }
        )

    def as_reply(self) -> Json:
        """A replied message is shown without what it replies to itself."""
        return {name: part for name, part in self.body.items() if name != "reply_to_message"}


@dataclass(slots=True)
class Chat:
    """A chat with its own message identifiers. A private chat has its user's identifier."""

    id: int
    type: str
    title: str | None = None
    username: str | None = None
    is_forum: bool = False
    description: str | None = None
    linked_chat_id: int | None = None
    user: User | None = None
    permissions: frozenset[str] = ALL_PERMISSIONS
    members: dict[int, Member] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    ephemeral: dict[int, Message] = field(default_factory=dict)
    topics: set[int] = field(default_factory=set)
    banned_senders: set[int] = field(default_factory=set)
    invite_links: list[Json] = field(default_factory=list)
    last_message_id: int = 0
    last_ephemeral_id: int = 0
    migrated_to: int | None = None
    is_deleted: bool = False

    def shape(self) -> Json:
        if self.user:
            return self.user.chat_shape()
        shape: Json = {"id": self.id, "type": self.type, "title": self.title}
        if self.username:
            shape["username"] = self.username
        if self.is_forum:
            shape["is_forum"] = True
        return shape

    def full_shape(self) -> Json:
        """The Bot API's ChatFullInfo."""
        shape = self.shape() | {
            "accent_color_id": abs(self.id) % 7,
            "max_reaction_count": 11,
            "accepted_gift_types": {
                "unlimited_gifts": False,
                "limited_gifts": False,
                "unique_gifts": False,
                "premium_subscription": False,
                "gifts_from_channels": False,
            },
        }
        if self.user:
            return shape | ({"bio": self.user.bio} if self.user.bio else {})
        if self.type != CHANNEL:
            shape["permissions"] = {name: name in self.permissions for name in PERMISSIONS}
        if self.description:
            shape["description"] = self.description
        if self.linked_chat_id:
            shape["linked_chat_id"] = self.linked_chat_id
        return shape

    def live_message(self, message_id: int) -> Message | None:
        message = self.messages.get(message_id)
        return message if message and not message.deleted else None

    def live_ephemeral(self, ephemeral_id: int) -> Message | None:
        message = self.ephemeral.get(ephemeral_id)
        return message if message and not message.deleted else None
