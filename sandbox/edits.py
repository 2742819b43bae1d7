"""Bot API methods that change or delete messages."""

from sandbox import access, keyboards, media, messages
from sandbox.answers import ApiError, Json, bad_request
from sandbox.chats import CHANNEL, GROUP, PRIVATE, Chat, Message
from sandbox.params import Params
from sandbox.telegram import SERVICE_PARTS, Telegram

DELETABLE_SECONDS = 2 * 86400
MAX_DELETED_AT_ONCE = 100
MEDIA = ("photo", "document", "video", "animation", "audio")
MEDIA_OPTIONS = ("has_media_spoiler", "show_caption_above_media", "link_preview_options")
CONTENT = ("text", "entities", "caption", "caption_entities", *MEDIA, *MEDIA_OPTIONS)
UNDELETABLE_PARTS = frozenset(
    {
        "group_chat_created",
        "supergroup_chat_created",
        "channel_chat_created",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
    }
)
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def edit_message_text(telegram: Telegram, params: Params) -> Json:
    content = messages.message_text(telegram, params)
    edit = _Edit(telegram, params)
    if "text" not in edit.message.body:
        raise bad_request("there is no text in the message to edit")
    if len(content.text) > messages.MAX_TEXT:
        raise bad_request("MESSAGE_TOO_LONG")
    return edit.apply(content.parts("text", "entities"), "text", "entities")


def edit_message_caption(telegram: Telegram, params: Params) -> Json:
    content = messages.formatted(telegram, params, "caption", "caption_entities")
    edit = _Edit(telegram, params)
    if edit.message.body.keys().isdisjoint(MEDIA):
        raise bad_request("there is no caption in the message to edit")
    if len(content.text) > messages.MAX_CAPTION:
        raise bad_request("MEDIA_CAPTION_TOO_LONG")
    parts = content.parts("caption", "caption_entities")
    return edit.apply(parts, "caption", "caption_entities")


def edit_message_media(telegram: Telegram, params: Params) -> Json:
    """Text, media and caption all give way to the new ones."""
    given, part = media.attached(telegram, params)
    caption = messages.formatted(telegram, Params.of(given), "caption", "caption_entities")
    edit = _Edit(telegram, params)
    if edit.message.body.keys().isdisjoint(("text", *MEDIA)):
        raise bad_request("there is no media in the message to edit")
    if len(caption.text) > messages.MAX_CAPTION:
        raise bad_request("MEDIA_CAPTION_TOO_LONG")
    return edit.apply(part | caption.parts("caption", "caption_entities"), *CONTENT)


def edit_message_reply_markup(telegram: Telegram, params: Params) -> Json:
    return _Edit(telegram, params).apply({})


def changed(body: Json, content: Json, markup: Json | None, *replaced: str) -> Json:
    """A body with the content in place of the replaced parts, and with this keyboard or none."""
    kept = {name: part for name, part in body.items() if name not in replaced}
    kept.pop("reply_markup", None)
    new = kept | content | ({"reply_markup": markup} if markup else {})
    if new == body:
        raise bad_request(NOT_MODIFIED)
    return new


def delete_message(telegram: Telegram, params: Params) -> bool:
    chat = access.readable_chat(telegram, params)
    message = access.message_of(chat, params, "delete")
    if not _may_delete(telegram, chat, message):
        raise _undeletable(chat)
    telegram.delete(message, by=telegram.bot.id)
    return True


def delete_messages(telegram: Telegram, params: Params) -> bool:
    """Those already gone are skipped; one that cannot be deleted keeps them all."""
    ids = _message_ids(params)
    chat = access.readable_chat(telegram, params)
    found = [message for id_ in ids if (message := chat.live_message(id_))]
    for message in found:
        if not _may_delete(telegram, chat, message):
            raise _undeletable(chat)
    for message in found:
        telegram.delete(message, by=telegram.bot.id)
    return True


def set_message_reaction(telegram: Telegram, params: Params) -> bool:
    reaction = params.json("reaction")
    chat = access.readable_chat(telegram, params)
    message = access.message_of(chat, params, "react")
    message.reactions = reaction if isinstance(reaction, list) else []
    telegram.show(message)
    return True


class _Edit:
    """A change of one of the bot's own messages."""

    def __init__(self, telegram: Telegram, params: Params) -> None:
        self.telegram = telegram
        is_private = params.integer("chat_id") > 0
        self.markup = keyboards.parse(params.text("reply_markup"), is_private=is_private)
        self.chat = access.writable_chat(telegram, params)
        self.message = access.message_of(self.chat, params, "edit")
        if not self._is_own() or not SERVICE_PARTS.isdisjoint(self.message.body):
            raise bad_request("message can't be edited")

    def apply(self, content: Json, *replaced: str) -> Json:
        """Put the content in place of the replaced parts; without a markup the keyboard goes."""
        self.message.body = changed(self.message.body, content, self.markup, *replaced)
        self.telegram.edited(self.chat, self.message)
        return self.message.body

    def _is_own(self) -> bool:
        if self.chat.type == CHANNEL:
            return self.telegram.bot_member(self.chat).has_right("can_edit_messages")
        return self.message.author_id() == self.telegram.bot.id


def _message_ids(params: Params) -> list[int]:
    ids = params.json("message_ids")
    if not isinstance(ids, list) or not ids:
        raise bad_request("message identifiers are not specified")
    if len(ids) > MAX_DELETED_AT_ONCE:
        raise bad_request("too many message identifiers specified")
    if not all(str(id_).isdecimal() and int(id_) > 0 for id_ in ids):
        raise bad_request("invalid message identifier specified")
    return [int(id_) for id_ in ids]


def _may_delete(telegram: Telegram, chat: Chat, message: Message) -> bool:
    if not UNDELETABLE_PARTS.isdisjoint(message.body):
        return False
    if chat.type != CHANNEL and telegram.clock.now() - message.date > DELETABLE_SECONDS:
        return False
    own = message.author_id() == telegram.bot.id or chat.type == PRIVATE
    return own or telegram.bot_member(chat).has_right("can_delete_messages")


def _undeletable(chat: Chat) -> ApiError:
    everyone = " for everyone" if chat.type in (PRIVATE, GROUP) else ""
    return bad_request(f"message can't be deleted{everyone}")
