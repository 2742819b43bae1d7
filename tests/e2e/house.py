"""A group with all kinds of people in it, and the table of docs/security.md on what they may."""

import asyncio
import itertools
import re
import sqlite3
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from bot.language import language
from sandbox import scene
from sandbox.client import RefusedError
from tests.e2e.stage import ADMIN_RIGHTS, INSULT, Stage, prefer, until

DOC = Path(__file__).parents[2] / "docs" / "security.md"
YES, ALERT, REPLY, SILENCE, NEVER = "✅", "⛔", "💬", "🤐", "✖"
AUTHOR, BANNED = 3_100_000_021, 3_100_000_022
PEOPLE = {
    "member": 3_100_000_001,
    "moderator": 3_100_000_002,
    "moderator without the right to restrict": 3_100_000_003,
    "administrator without either right": 3_100_000_004,
    "owner": 3_100_000_005,
    "operator": 3_100_000_006,  # named in OPERATOR_IDS by the fixture `stage`
    "anonymous administrator": 3_100_000_007,
    "moderator of another group": 3_100_000_008,
    "demoted a moment ago": 3_100_000_009,
    "left": 3_100_000_010,
}
ADMINISTRATORS = {
    "moderator": ADMIN_RIGHTS,
    "moderator without the right to restrict": {"can_delete_messages": True},
    "administrator without either right": {"can_pin_messages": True},
    "anonymous administrator": ADMIN_RIGHTS | {"is_anonymous": True},
    "demoted a moment ago": ADMIN_RIGHTS,
    "left": ADMIN_RIGHTS,
}
OWNER, MODERATOR = PEOPLE["owner"], PEOPLE["moderator"]
# What a refusal says, to the one who pressed or asked.
KEYS = (
    "verdict.only_moderators", "verdict.only_restricting", "verdict.gone", "queue.gone",
    "queue.not_yours", "queue.only_moderators", "queue.no_groups", "panel.refused", "panel.private",
    "panel.groups", "panel.unknown", "stats.only_moderators", "stats.stale", "stats.where",
    "stats.check_private", "status.where", "retrain.only_operators", "retrain.where",
    "privacy.not_yours", "modchat.refused",
)  # fmt: skip
# What no refused person may change; the rest of the database grows with every message.
STATE = {
    "chat": "id, preferences, owner_id, modchat_id, is_active FROM chat WHERE id",
    "preference": "* FROM preference_change WHERE chat_id",
    "case": "id, verdict, resolved_by, person, person_by FROM `case` WHERE chat_id",
    "label": "id, moderator_id, vector, text FROM label WHERE chat_id",
    "strike": "* FROM strike WHERE chat_id",
    "report": "* FROM report WHERE chat_id",
    "blocked": "user_id, reports_blocked_until FROM member WHERE chat_id",
    "act": "e.* FROM enforcement e JOIN `case` c ON c.id = e.case_id WHERE c.chat_id",
    "assignment": "a.* FROM assignment a JOIN `case` c ON c.id = a.case_id WHERE c.chat_id",
}
EVERYWHERE = {"run": "* FROM training_run", "promotion": "* FROM promotion"}
# The queue doesn't ask twice about much the same words.
UNLIKE = {
    10: "Ты тупая овца",
    11: "Заткнись, урод",
    12: "Сам ты дебил конченый",
    13: "Пошёл нахуй отсюда",
    14: "Мразь, чтоб ты сдохла",
    15: "Какая же ты сука подлая",
}
_ids = itertools.count(-1_004_000_000_000, -1)


def table() -> dict[str, dict[str, str]]:
    """What each kind of person may, by row: «what · where»."""
    section = DOC.read_text(encoding="utf-8").split("\n## ")[1]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    head, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {f"{row[0]} · {row[1]}": dict(zip(head[2:], row[2:], strict=True)) for row in rows}


def plain(text: str) -> str:
    """A message's words without its signs of HTML."""
    return unescape(re.sub(r"<[^>]+>", "", text)).replace("\N{NO-BREAK SPACE}", " ")


@dataclass
class House:
    """The group, its moderators' chat, and what happened there."""

    stage: Stage
    group: int = 0
    modchat: int = 0
    other: int = 0
    clean: int = 0  # a message of the author that stands in the group
    cases: list = field(default_factory=list)
    panels: dict[int, int] = field(default_factory=dict)  # a message of the bot to each
    outcomes: dict[str, dict[str, str]] = field(default_factory=dict)

    def refusals(self) -> set[str]:
        """Everything that a refusal can say."""
        titles = ("Дом", "Другой дом", "Модераторы дома")
        said = [language("ru").plain(key, title=title) for key in KEYS for title in titles]
        return set(map(plain, said))

    def state(self) -> dict[str, list]:
        """What stands in the database of all that moderators and operators decide."""
        with sqlite3.connect(f"file:{self.stage.folder}/bot.sqlite3?mode=ro", uri=True) as base:
            chats = f"({self.group}, {self.modchat}, {self.other})"
            found = {
                k: base.execute(f"SELECT {what} IN {chats}").fetchall() for k, what in STATE.items()
            }
            for name, what in EVERYWHERE.items():
                found[name] = base.execute(f"SELECT {what}").fetchall()
        base.close()
        return found

    async def answers(self, presses: list[tuple[int, int, int, str]]) -> list[dict]:
        """The bot's answers to presses of (chat, message, person, data), all sent at once."""
        people = self.stage.people
        queries = [await people.press(c, m, user, data=data) for c, m, user, data in presses]

        async def answered():
            known = {c["id"]: c["answer"] for c in (await people.get("callbacks"))["callbacks"]}
            found = [known[query] for query in queries]
            return found if None not in found else None

        return await until(answered) if queries else []

    async def heard(self, chat_id: int, user_id: int) -> dict[tuple, dict]:
        """What the bot said in a chat to everybody, and to one person alone."""
        chat = await self.stage.people.chat(chat_id)
        said = [m for m in chat["messages"] if m["from"]["id"] == scene.BOT_ID]
        alone = [m for m in chat["ephemeral"] if m["receiver_user_id"] == user_id]
        return {(m["message_id"], m.get("ephemeral_message_id")): m for m in said + alone}

    async def ask(self, chat_id: int, user_id: int, text: str, **extra) -> str | None:
        """What the bot answers to a command; None if Telegram doesn't let this person write."""
        before = await self.heard(chat_id, user_id)
        try:
            await self.stage.people.write(chat_id, user_id, text, **extra)
        except RefusedError:
            return None

        async def answered():
            found = await self.heard(chat_id, user_id)
            return [found[key] for key in found.keys() - before.keys()]

        (said, *_) = await until(answered)
        return plain(said.get("text") or said.get("caption") or "")

    async def is_silent(self, chat_id: int, people: list[int], text: str, **extra) -> bool:
        """Whether nobody hears anything when these people write a command."""
        asked = {user_id: len(await self.heard(chat_id, user_id)) for user_id in people}
        for user_id in people:
            await self.stage.people.write(chat_id, user_id, text, **extra)
        await self.ask(chat_id, AUTHOR, "/rules")  # handled after all of these
        now = {user_id: len(await self.heard(chat_id, user_id)) for user_id in people}
        return now == asked

    async def insult(self, author: int, number: int):
        await self.stage.people.write(self.group, author, UNLIKE.get(number, f"{INSULT} {number}"))

        async def shown():
            found = await self.stage.cases(self.group)
            return len(found) == number + 1 and found[-1].card_message_id and found[-1]

        return await until(shown)


async def build(stage: Stage, insults: int = 16) -> House:
    """The group with everybody in it; two who may everything, until they may nothing."""
    house, people = House(stage, next(_ids), next(_ids), next(_ids)), stage.people
    for name, number in {**PEOPLE, "author": AUTHOR, "banned": BANNED}.items():
        await people.post("users", id=number, first_name=name, language_code="ru")
    members = [{"user_id": user, "status": "member"} for user in (AUTHOR, BANNED)]
    for name, number in PEOPLE.items():
        rights = ADMINISTRATORS.get(name)
        status = "creator" if name == "owner" else "administrator" if rights else "member"
        members.append({"user_id": number, "status": status} | (rights or {}))
    bot = {"user_id": scene.BOT_ID, "status": "administrator"}
    foreign = [{"user_id": PEOPLE["moderator of another group"], "status": "creator"}]
    for chat_id, title, inside, rights in (
        (house.group, "Дом", members, ADMIN_RIGHTS),
        (house.modchat, "Модераторы дома", members, {}),
        (house.other, "Другой дом", foreign, ADMIN_RIGHTS),
    ):
        inside = [*inside, bot | rights]
        await people.post("chats", id=chat_id, type="supergroup", title=title, members=inside)
        await until(lambda chat_id=chat_id: people.messages(chat_id, scene.BOT_ID))
    for number in PEOPLE.values():
        await house.ask(number, number, "/start")
        house.panels[number] = (await people.messages(number, scene.BOT_ID))[0]["message_id"]
    await people.write(house.modchat, OWNER, f"/start@demo_moderator_bot modchat_{house.group}")
    await until(lambda: stage.said(house.modchat, "карточки группы"))
    await prefer(stage, house.group, warning="none", audit_share=0, mute_after=0, ban_after=0)
    house.clean = await people.write(house.group, AUTHOR, "Доброе утро! В десять собрание.")
    house.cases = [await house.insult(AUTHOR, number) for number in range(insults)]
    if insults > 9:
        await _decide(house)
        await _demote(house)
    return house


async def _decide(house: House) -> None:
    """The owner calls some texts toxic, and bans an author."""
    banned = await house.insult(BANNED, len(house.cases))
    house.cases.append(banned)
    cards = [house.cases[number] for number in (4, 5, 6, 7, 8, -1)]
    at = [(case.card_chat_id, case.card_message_id, OWNER) for case in cards]
    await house.answers([(*a, f"c:{c.id}:right:0") for a, c in zip(at, cards, strict=True)])
    await house.answers([(*at[-1], f"a:{banned.id}:ban")])

    async def is_banned():
        chat = await house.stage.people.chat(house.group)
        return [m for m in chat["members"] if (m["user"]["id"], m["status"]) == (BANNED, "kicked")]

    await until(is_banned)


async def _demote(house: House) -> None:
    """The bot has just seen these two use their rights when they lose them."""
    for name, status in (("demoted a moment ago", "member"), ("left", "left")):
        user_id = PEOPLE[name]
        press = (user_id, house.panels[user_id], user_id, f"so:{house.group}:main")
        (answer,) = await house.answers([press])
        assert not answer.get("show_alert"), answer
        for chat_id in (house.group, house.modchat):
            at = {"chat_id": chat_id, "user_id": user_id, "status": status}
            await asyncio.gather(house.stage.people.post("members", **at))
