"""Bot API methods that send messages."""

from dataclasses import dataclass

from sandbox import access, html, keyboards, media, receivers
from sandbox.answers import Json, bad_request
from sandbox.chats import CHANNEL
from sandbox.entities import detect, in_order, trimmed
from sandbox.params import Params
from sandbox.telegram import Telegram

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_TEXT_BYTES = 32768


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text as people see it, with its entities."""

    text: str
    entities: list[Json]

    def parts(self, name: str, entities_name: str) -> Json:
        if not self.text:
            return {}
        parts: Json = {name: self.text}
        return parts | ({entities_name: self.entities} if self.entities else {})


def formatted(telegram: Telegram, params: Params, name: str, entities_name: str) -> Formatted:
    """The text of a parameter, parsed the way its call asks for."""
    source = params.text(name)
    if len(source.encode()) > MAX_TEXT_BYTES:
        raise bad_request("text is too long")
    text, known = _parsed(source, params, entities_name)
    text, known = trimmed(text, _with_users(telegram, known))
    return Formatted(text, detect(text, known))


def message_text(telegram: Telegram, params: Params) -> Formatted:
    if not params.text("text"):
        raise bad_request("message text is empty")
    content = formatted(telegram, params, "text", "entities")
    if not content.text:
        raise bad_request("text must be non-empty")
    return content


def send_message(telegram: Telegram, params: Params) -> Json:
    content = message_text(telegram, params)
    draft = _Draft(telegram, params)
    if len(content.text) > MAX_TEXT:
        raise bad_request("message is too long")
    body = content.parts("text", "entities")
    if options := params.object("link_preview_options"):
        body["link_preview_options"] = options
    return draft.post(body, "can_send_messages")


def send_photo(telegram: Telegram, params: Params) -> Json:
    return _send_media(telegram, params, "photo")


def send_document(telegram: Telegram, params: Params) -> Json:
    return _send_media(telegram, params, "document")


def forward_message(telegram: Telegram, params: Params) -> Json:
    draft, source = _Draft(telegram, params), _source(telegram, params, "forward")
    return draft.post(_content(source) | {"forward_origin": _origin(source)}, "can_send_messages")


def copy_message(telegram: Telegram, params: Params) -> Json:
    draft, source = _Draft(telegram, params), _source(telegram, params, "copy")
    return {"message_id": draft.post(_content(source), "can_send_messages")["message_id"]}


class _Draft:
    """A message of the bot on its way: into which chat, in reply to what, with what keyboard."""

    def __init__(self, telegram: Telegram, params: Params) -> None:
        self.telegram = telegram
        is_private = params.integer("chat_id") > 0
        markup = keyboards.parse(params.text("reply_markup"), is_private=is_private)
        self.chat = access.writable_chat(telegram, params)
        self.body: Json = self._author()
        self.receiver = receivers.receiver(telegram, self.chat, params)
        if self.receiver:
            self.body["receiver_user"] = self.receiver.shape()
        self._place(params.integer("message_thread_id"))
        self._reply(params)
        if markup:
            self.body["reply_markup"] = markup
        if params.flag("protect_content"):
            self.body["has_protected_content"] = True

    def post(self, content: Json, permission: str) -> Json:
        access.check_may_send(self.telegram, self.chat, permission)
        put = self.telegram.whisper if self.receiver else self.telegram.post
        return put(self.chat, self.body | content).body

    def _author(self) -> Json:
        if self.chat.type == CHANNEL:
            return {"sender_chat": self.chat.shape()}
        return {"from": self.telegram.bot.shape()}

    def _place(self, thread_id: int) -> None:
        if not thread_id:
            return
        if thread_id not in self.chat.topics and not self.chat.live_message(thread_id):
            raise bad_request("message thread not found")
        self.body["message_thread_id"] = thread_id
        if thread_id in self.chat.topics:
            self.body["is_topic_message"] = True

    def _reply(self, params: Params) -> None:
        reply = params.object("reply_parameters") or {
            "message_id": params.integer("reply_to_message_id"),
            "allow_sending_without_reply": params.flag("allow_sending_without_reply"),
        }
        if not reply.get("message_id"):
            return
        target = self.chat.live_message(int(reply["message_id"]))
        if target:
            self.body["reply_to_message"] = target.as_reply()
            self._quote(reply.get("quote"), target.body.get("text", ""))
        elif not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")

    def _quote(self, quote: object, text: str) -> None:
        if not quote:
            return
        position = text.find(str(quote))
        if position < 0:
            raise bad_request("QUOTE_TEXT_INVALID")
        self.body["quote"] = {"text": str(quote), "position": position, "is_manual": True}


def _send_media(telegram: Telegram, params: Params, kind: str) -> Json:
    part = media.given(telegram, params, kind)
    caption = formatted(telegram, params, "caption", "caption_entities")
    draft = _Draft(telegram, params)
    if len(caption.text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    if params.flag("has_spoiler"):
        part["has_media_spoiler"] = True
    content = part | caption.parts("caption", "caption_entities")
    return draft.post(content, media.PERMISSIONS[kind])


def _parsed(source: str, params: Params, entities_name: str) -> tuple[str, list[Json]]:
    mode = params.text("parse_mode").lower()
    if not mode:
        given = params.json(entities_name)
        return source, in_order(given) if isinstance(given, list) else []
    if mode != "html":
        raise bad_request("the sandbox parses no parse_mode but HTML")
    try:
        return html.parse(source)
    except html.HtmlError as error:
        raise bad_request(f"can't parse entities: {error}") from None


def _with_users(telegram: Telegram, entities: list[Json]) -> list[Json]:
    """Mentions by identifier become users; those of unknown ones vanish."""
    kept = []
    for entity in entities:
        if entity["type"] != "text_mention":
            kept.append(entity)
        elif user := telegram.users.get(entity["user"]["id"]):
            kept.append(entity | {"user": user.shape()})
    return kept


def _source(telegram: Telegram, params: Params, purpose: str) -> Json:
    chat = access.readable_chat(telegram, params, "from_chat_id")
    return access.message_of(chat, params, purpose).body


def _origin(source: Json) -> Json:
    origin: Json = {"type": "user", "date": source["date"], "sender_user": source.get("from")}
    if "sender_chat" in source:
        origin = {"type": "chat", "date": source["date"], "sender_chat": source["sender_chat"]}
    return dict(source.get("forward_origin", origin))


def _content(source: Json) -> Json:
    head = {"message_id", "date", "chat", "from", "sender_chat", "edit_date", "reply_to_message"}
    head |= {"reply_markup", "message_thread_id", "is_topic_message", "quote", "forward_origin"}
    return {name: part for name, part in source.items() if name not in head}
