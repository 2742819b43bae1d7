"""Who writes in the soak and what: mostly harmless words, some abuse, edits, albums, mishaps."""

import contextlib
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import Any

from sandbox import control, people
from sandbox.chats import Chat, Message
from sandbox.telegram import ImpossibleError, Telegram

Key = tuple[int, int, int]  # chat, message, revision

OWNER, MEMBERS, OFFENDERS = 1001, range(20_001, 20_041), range(30_001, 30_016)
FIRST_GROUP, FIRST_MODCHAT = -1_002_000_000_000, -1_003_000_000_000
RIGHTS = {"can_delete_messages": True, "can_restrict_members": True}
LAST_EDITABLE = 2000
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 90, "height": 90}]

# The embedded model gives the clean lines, and any four of them together, at most .11.
CLEAN = (
    "Доброе утро, соседи!",
    "Собрание завтра в семь у второго подъезда.",
    "Кто-нибудь знает, когда включат воду?",
    "Спасибо большое, очень помогли.",
    "Потерялся серый кот, отзывается на Тишу.",
    "Сегодня обещают дождь, возьмите зонт.",
    "Детская площадка уже готова, приходите.",
    "Продам велосипед, почти новый.",
    "Лифт снова работает.",
    "Мастер придёт в среду после обеда.",
    "Подскажите хорошего врача, пожалуйста.",
    "Хлеб в магазине на углу сегодня свежий.",
    "Ключи нашлись, лежат у консьержа.",
    "Показания счётчиков сдаём до двадцатого.",
    "Поздравляю с праздником, здоровья всем!",
    "Книги можно оставить на полке у входа.",
    "Снег почистили, дорожка свободна.",
    "Кафе напротив открылось, кофе вкусный.",
    "Напомните, пожалуйста, номер управляющей.",
    "Концерт в парке начнётся в шесть.",
    "Свет на лестнице починили, спасибо.",
    "Дети рисуют мелом, очень красиво.",
    "Электричка опаздывает на десять минут.",
)
# And each of these with any of the tails at least .85 of what the standard preset deletes.
ABUSIVE = (
    "Какой же ты идиот, тварь безмозглая!",
    "Заткнись, дебил конченый",
    "Ты просто тупая мразь",
    "Да пошёл ты нахуй, урод",
    "Сука, какой же ты долбоёб",
    "Закрой рот, ублюдок",
    "Вот же ебанутая тварь",
    "Пиздец ты тупой, дебил",
    "Иди на хуй отсюда, мразь",
    "Урод моральный, чтоб ты сдох",
)
TAILS = ("", " Ну и ну", " Сколько можно", " Опять", " Всё", " Надоел")


@dataclass(slots=True)
class Written:
    """What was written, each revision with its moment, by what has to come of it."""

    clean: dict[Key, float] = field(default_factory=dict)
    abusive: dict[Key, float] = field(default_factory=dict)
    # Without words, or older than a revision that came before it: may be judged, not acted on.
    optional: set[Key] = field(default_factory=set)
    messages: int = 0
    poison: int = 0
    gaps: int = 0
    redelivered: int = 0
    reordered: int = 0
    edits_first: int = 0

    @property
    def revisions(self) -> dict[Key, float]:
        """All that has to be judged."""
        return self.clean | self.abusive


class People:
    """The members of all groups; the same seed writes the same, save for who is muted when."""

    def __init__(self, telegram: Telegram, chats: int, seed: int) -> None:
        self.written = Written()
        self.groups = {FIRST_GROUP - i: FIRST_MODCHAT - i for i in range(chats)}
        self._telegram = telegram
        self._chance = random.Random(seed)
        self._editable: deque[Message] = deque(maxlen=LAST_EDITABLE)
        self._albums = 0
        # How often each step is taken, in a thousand.
        self._steps: dict[Callable[[], None], float] = {
            self._chat_on: 940,
            self._abuse: 14,
            self._edit_harmlessly: 20,
            self._edit_no_word: 5,
            self._turn_abusive: 2,
            self._send_album: 10,
            self._be_late: 1,
            self._send_poison: 0.2,
            self._redeliver: 2,
            self._reorder: 2,
        }

    def settle(self) -> None:
        """Make the people, the groups and their moderators' chats."""
        names = {OWNER: "Хозяйка", **{id_: f"Участник {id_}" for id_ in (*MEMBERS, *OFFENDERS)}}
        for user_id, name in names.items():
            control.add_user(self._telegram, {"id": user_id, "first_name": name})
        people.write(self._telegram, self._chat(OWNER), OWNER, {"text": "/start"})
        bot = {"user_id": self._telegram.bot.id, "status": "administrator"}
        owner = {"user_id": OWNER, "status": "creator"}
        members = [{"user_id": id_, "status": "member"} for id_ in (*MEMBERS, *OFFENDERS)]
        for i, (group, modchat) in enumerate(self.groups.items()):
            body = {"id": group, "title": f"Двор {i}", "members": [owner, *members, bot | RIGHTS]}
            control.add_chat(self._telegram, body)
            body = {"id": modchat, "title": f"Модераторы {i}", "members": [owner, bot]}
            control.add_chat(self._telegram, body)

    def connect(self, group: int) -> None:
        """Ask that a group's cards come to its moderators' chat."""
        words = f"/start@{self._telegram.bot.username} modchat_{group}"
        people.write(self._telegram, self._chat(self.groups[group]), OWNER, {"text": words})

    def step(self) -> None:
        """Do one thing that people or Telegram do."""
        (step,) = self._chance.choices(list(self._steps), list(self._steps.values()))
        step()

    def _chat(self, chat_id: int) -> Chat:
        chat = self._telegram.chat(chat_id)
        assert chat is not None
        return chat

    def _group(self) -> Chat:
        return self._chat(self._chance.choice(list(self.groups)))

    def _harmless(self) -> str:
        return " ".join(self._chance.sample(CLEAN, self._chance.randint(1, 4)))

    def _abusive(self) -> str:
        return self._chance.choice(ABUSIVE) + self._chance.choice(TAILS)

    def _write(self, chat: Chat, user_id: int, **extra: Any) -> Message:
        message = people.write(self._telegram, chat, user_id, extra)
        self.written.messages += 1
        return message

    def _one_of(self, user_ids: range, chat: Chat, **extra: Any) -> Message:
        """Somebody writes who isn't muted there; ImpossibleError if all are."""
        for user_id in self._chance.sample(user_ids, len(user_ids)):
            with contextlib.suppress(ImpossibleError):
                return self._write(chat, user_id, **extra)
        msg = f"everybody is muted in {chat.id}"
        raise ImpossibleError(msg)

    def _edit(self, message: Message, text: str) -> Key:
        people.edit(self._telegram, self._chat(message.chat_id), message.id, {"text": text})
        return message.chat_id, message.id, int(message.body["edit_date"])

    def _old_message(self) -> Message | None:
        """A harmless message that nobody has edited; it never comes again."""
        if not self._editable:
            return None
        index = self._chance.randrange(len(self._editable))
        message = self._editable[index]
        del self._editable[index]
        return message

    def _chat_on(self) -> None:
        self._editable.append(self._say_harmless())

    def _say_harmless(self) -> Message:
        # Members are muted, too, after what they turned into abuse.
        message = self._one_of(MEMBERS, self._group(), text=self._harmless())
        self.written.clean[message.chat_id, message.id, 0] = time()
        return message

    def _abuse(self) -> None:
        """In a text or under a photo; by nobody where all offenders are muted."""
        group, words = self._group(), self._abusive()
        with_photo = self._chance.random() < 0.2
        extra = {"photo": PHOTO, "caption": words} if with_photo else {"text": words}
        with contextlib.suppress(ImpossibleError):
            message = self._one_of(OFFENDERS, group, **extra)
            self.written.abusive[message.chat_id, message.id, 0] = time()

    def _edit_harmlessly(self) -> None:
        if message := self._old_message():
            self.written.clean[self._edit(message, f"{self._harmless()} Исправлено.")] = time()

    def _edit_no_word(self) -> None:
        """What Telegram tells of changes that nobody sees: it is no revision to judge."""
        if message := self._old_message():
            self._edit(message, message.body["text"])

    def _turn_abusive(self) -> None:
        if message := self._old_message():
            self.written.abusive[self._edit(message, self._abusive())] = time()

    def _send_album(self) -> None:
        group = self._group()
        self._albums += 1
        album = {"photo": PHOTO, "media_group_id": str(self._albums)}
        first = self._one_of(MEMBERS, group, caption=self._harmless(), **album)
        self.written.clean[first.chat_id, first.id, 0] = time()
        for _ in range(self._chance.randint(1, 3)):
            other = self._write(group, first.body["from"]["id"], **album)
            self.written.optional.add((other.chat_id, other.id, 0))

    def _be_late(self) -> None:
        """An edit that comes before its message, whose own update has another number by then."""
        message = self._say_harmless()
        original = message.chat_id, message.id, 0
        self.written.optional.add(original)
        del self.written.clean[original]
        update = self._telegram.updates.pending.pop()
        self.written.gaps += 1
        self.written.edits_first += 1
        words, judged = self._harmless(), self.written.clean
        if self._chance.random() < 0.5:
            words, judged = self._abusive(), self.written.abusive
        judged[self._edit(message, words)] = time()
        body = {name: part for name, part in update.body.items() if name != "update_id"}
        self._telegram.updates.inject(body, update.lane)

    def _send_poison(self) -> None:
        """An update that no client can decode."""
        chat = {"id": self._group().id, "type": "supergroup"}
        self._telegram.updates.inject({"message": {"chat": chat, "text": 5}})
        self.written.poison += 1

    def _redeliver(self) -> None:
        count = self._chance.randint(1, 30)
        self.written.redelivered += self._telegram.updates.redeliver(count)

    def _reorder(self) -> None:
        self.written.reordered += self._telegram.updates.reorder(self._chance)
