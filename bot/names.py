"""What people and channels call themselves: moderators see a name that is toxic, once. A surname
can be one letter away from a curse, so nobody is punished and nothing deleted for a name."""

import hashlib
from collections.abc import Sequence

from aiogram import Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.types import Chat as TelegramChat
from aiogram.types import ChatMemberUpdated, Message
from cachetools import LRUCache

from bot.content import Part, Sender, names_of, sender_of
from bot.evidence import Scored, evidence_of, prediction_row, secret
from bot.members import Members, rights_of
from bot.outbox import Outbox
from bot.places import in_groups
from moderation import store
from moderation.batcher import Batcher, Prediction
from moderation.categories import TOXIC
from moderation.columns import now
from moderation.database import Sessions
from moderation.policy import Decision, decide
from moderation.preferences import NARROWEST, Preferences
from moderation.settings import Settings
from moderation.tables import Case

OF_THE_SENDER = ("name", "username", "tag")  # others name a thing, which many people may show
NO_MESSAGE = 0  # stands for the id of a message where a case is about a name
_KNOWN = 20_000


class Names:
    """Scores names as they come, each once, and makes a case of a toxic one."""

    def __init__(
        self,
        sessions: Sessions,
        members: Members,
        batcher: Batcher,
        outbox: Outbox,
        settings: Settings,
    ) -> None:
        self._sessions = sessions
        self._members = members
        self._batcher = batcher
        self._outbox = outbox
        self._secret = secret(settings)
        self._known: LRUCache[tuple[str, str], Prediction] = LRUCache(_KNOWN)

    async def look(self, chat: TelegramChat, sender: Sender, names: Sequence[Part]) -> None:
        """Let moderators know of those names that the group's policy doesn't allow and that they
        haven't seen yet."""
        if sender.exempt is not None:
            return
        for part in names:
            found = await self._predict(part.text)
            if max((found.scores.get(category, 0.0) for category in TOXIC), default=0) >= NARROWEST:
                await self._report(chat, sender, Scored(part, found))

    async def _predict(self, name: str) -> Prediction:
        key = (self._batcher.classifier.version, name)
        if key not in self._known:
            self._known[key] = await self._batcher.predict(name)
        return self._known[key]

    async def _report(self, chat: TelegramChat, sender: Sender, scored: Scored) -> None:
        async with self._sessions.begin() as session:
            if await store.moderated_from(session, chat.id):
                return
            known = await store.chat(session, chat.id, chat.title or "", chat.type)
        if known.moved_to is not None:
            return
        preferences = Preferences.of(known.preferences)
        decision = decide(scored.prediction.scores, preferences.policy(now()), authored=False)
        if not decision.over or sender.id in preferences.exempt:
            return
        spares = self._members.is_administrator if sender.id > 0 else self._members.is_linked
        if await spares(chat.id, sender.id):
            return
        await self._record(chat.id, sender, scored, decision)

    async def _record(
        self, chat_id: int, sender: Sender, scored: Scored, decision: Decision
    ) -> None:
        number = self._number(chat_id, sender, scored.part)
        evidence = evidence_of([scored], None)
        row = prediction_row(chat_id, NO_MESSAGE, number, sender, evidence, decision)
        row.content_hash, row.field, row.exempt = "", scored.part.field, "name"
        row.model_version = scored.prediction.model_version
        case = Case(
            chat_id=chat_id,
            user_name=sender.name,
            text=scored.part.text,
            flagged=[category.value for category in decision.over],
            card_due=now(),
        )
        async with self._sessions.begin() as session:
            if await store.prediction(session, chat_id, NO_MESSAGE, number) is not None:
                return
            await store.record(session, row, case, [])
        self._outbox.put(case)

    def _number(self, chat_id: int, sender: Sender, part: Part) -> int:
        """Takes the place of a revision, so that each name is reported once: of a person by
        person, of a thing by group."""
        whose = sender.id if part.field in OF_THE_SENDER else 0
        said = f"{chat_id}\0{part.field}\0{whose}\0{part.text}".encode()
        digest = hashlib.blake2b(said, key=self._secret, digest_size=8).digest()
        return int.from_bytes(digest) >> 1


def router() -> Router:
    """The handlers of those who come; they leave the update to the others."""
    found = Router(name="names")
    found.chat_member.register(on_chat_member, in_groups)
    found.message.register(on_new_members, in_groups, has_new_members)
    return found


async def on_chat_member(event: ChatMemberUpdated, names: Names) -> None:
    """Somebody came, or got another tag."""
    member = event.new_chat_member
    if rights_of(member.model_dump()) is not None and not member.user.is_bot:
        user = member.user
        parts = [Part("name", user.full_name, authored=False)]
        if tag := getattr(member, "tag", None):
            parts.append(Part("tag", tag, authored=False))
        await names.look(event.chat, Sender(user.id, user.full_name), parts)
    raise SkipHandler


async def has_new_members(message: Message) -> bool:
    """A service message that somebody came."""
    return bool(message.new_chat_members)


async def on_new_members(message: Message, names: Names) -> None:
    """A service message that names those who came: each answers for their own name."""
    for user in message.new_chat_members or ():
        if not user.is_bot:
            part = Part("name", user.full_name, authored=False)
            await names.look(message.chat, Sender(user.id, user.full_name), [part])
    raise SkipHandler


async def look_at(message: Message, names: Names) -> None:
    """The names that a message shows."""
    if (sender := sender_of(message)) is not None:
        await names.look(message.chat, sender, names_of(message))
