"""What is tried for each row of the table of docs/security.md."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.panel_data import CHOICES, SCREENS, Draft, Open, Put
from tests.e2e.house import AUTHOR, PEOPLE, House

Data = Callable[[House, int], Sequence[str]]
FOREIGN = PEOPLE["moderator of another group"]


@dataclass(frozen=True)
class Command:
    """A command in a chat; `reply`: as a reply to a message."""

    text: str
    where: str
    reply: bool = False

    def at(self, house: House, user_id: int) -> int:
        places = {"group": house.group, "moderators' chat": house.modchat}
        return places.get(self.where, user_id)

    def written(self, house: House) -> str:
        return self.text.replace("<group>", str(house.group))

    def extra(self, house: House) -> dict:
        return {"reply_to_message_id": house.clean} if self.reply else {}


@dataclass(frozen=True)
class Buttons:
    """Button data; `case`: on the card of that case, and then of another one when it is allowed.

    `changes`: whether the first who may press changes something in the database."""

    where: str
    data: Data
    case: int = 0
    changes: bool = False

    def at(self, house: House, user_id: int) -> tuple[int, int]:
        if self.where == "card":
            case = house.cases[self.case]
            return case.card_chat_id, case.card_message_id
        if self.where == "group":
            return house.group, house.greeting
        return user_id, house.panels[user_id]


def _card(data: str, case: int = 0, *, changes: bool = True) -> Buttons:
    def made(house: House, user_id: int) -> list[str]:
        return [data.format(case=house.cases[case].id)]

    return Buttons("card", made, case, changes)


def _fixed(where: str, *data: str, changes: bool = False) -> Buttons:
    def made(house: House, user_id: int) -> list[str]:
        return [
            one.format(group=house.group, other=house.other, own=user_id, author=AUTHOR)
            for one in data
        ]

    return Buttons(where, made, changes=changes)


def _screens(house: House, user_id: int) -> list[str]:
    return [Open(chat=house.group, screen=name).pack() for name in sorted(SCREENS - {"groups"})]


def _settings(house: House, user_id: int) -> list[str]:
    fields = sorted(CHOICES, key=lambda name: name != "strike_days")
    values = [
        Put(chat=house.group, field=name, value=list(CHOICES[name])[-1]).pack() for name in fields
    ]
    return [*values, Put(chat=house.group, field="exempt", value=AUTHOR).pack()]


def _rules(house: House, user_id: int) -> list[str]:
    shown = Draft(chat=house.group, category=0, threshold=40, action=2)
    return [shown.model_copy(update={"save": True}).pack(), shown.pack()]


def _queue(house: House, user_id: int) -> list[str]:
    buttons = ("flip", "done", "clean", "skip", "stop")
    return [f"q:{house.cases[0].id}:{user_id}:{name}:1" for name in buttons]


def _others_queue(house: House, user_id: int) -> list[str]:
    return [f"q:{house.cases[0].id}:{AUTHOR}:{name}:1" for name in ("done", "clean", "skip")]


def _commands(where: str, *names: str) -> dict[str, Command]:
    words = {"/check": "/check слово"}
    return {
        f"`{name}` · {where}": Command(
            words.get(name, name), where, reply=name in ("/report", "/exempt")
        )
        for name in names
    }


PROBES: dict[str, Command | Buttons] = {
    **_commands(
        "group", "/rules", "/help", "/why", "/report", "/settings", "/preset", "/status", "/stats",
        "/review", "/modchat", "/exempt", "/retrain", "/model", "/check", "/forget", "/start",
    ),
    "`/start modchat_<group>` · moderators' chat": Command(
        "/start@demo_moderator_bot modchat_<group>", "moderators' chat"
    ),
    **_commands("moderators' chat", "/review", "/retrain", "/model"),
    **_commands(
        "private", "/start", "/help", "/check", "/why", "/forget", "/settings", "/review", "/stats",
        "/status", "/retrain", "/model",
    ),
    "`/start settings_<group>` · private": Command("/start settings_<group>", "private"),
    "`/start review` · private": Command("/start review", "private"),
    "`q` review: answer, skip, stop · private": Buttons("private", _queue),
    "`q` of a queue that another opened · private": Buttons("private", _others_queue),
    "`c` «Верно» · card": _card("c:{case}:right:0", 1),
    "`c` «Не токсично» · card": _card("c:{case}:clean:0", 2),
    "`c` «Исправить» and its switches · card": _card("c:{case}:fix:3", changes=False),
    "`c` «Готово» · card": _card("c:{case}:done:3", 3),
    "`c` block the reporters · card": _card("c:{case}:block:0", changes=False),
    "`a` warn · card": _card("a:{case}:warn", 4),
    "`a` mute for an hour · card": _card("a:{case}:mute_hour", 5),
    "`a` mute for a day · card": _card("a:{case}:mute_day", 6),
    "`a` ban · card": _card("a:{case}:ban", 7),
    "`a` forgive · card": _card("a:{case}:forgive", 8),
    "`a` forgive who was banned · card": _card("a:{case}:forgive", -1),
    "`so` every screen of a group's panel · private": Buttons("private", _screens),
    "`so` the list of one's own groups · private": _fixed("private", "so:{group}:groups"),
    "`sp` every setting · private": Buttons("private", _settings, changes=True),
    "`sd` the rule of a category · private": Buttons("private", _rules, changes=True),
    "`so` `sp` `sd` anything of a panel · group": _fixed(
        "group", "so:{group}:main", "sp:{group}:restores:0:1", "sd:{group}:0:40:2:1"
    ),
    "`st` the figures of a group · group": _fixed("group", "st:{group}:days:week"),
    "`st` the figures of another chat · group": _fixed(
        "group", "st:{other}:days:week", "st:0:days:week"
    ),
    "`st` the figures of all groups · private": _fixed("private", "st:0:days:week"),
    "`ta` train, or don't · private": _fixed("private", "ta:0:train", "ta:0:drop"),
    "`tr` stop or resume a training · private": _fixed("private", "tr:1:stop", "tr:1:resume"),
    "`tv` put a new model into service, or don't · private": _fixed(
        "private", "tv:1:on", "tv:1:keep", "tv:1:force", "tv:1:sure", "tv:1:back"
    ),
    "`tm` versions, reports, going back · private": _fixed(
        "private", "tm:list::", "tm:report:x:", "tm:back:x:y", "tm:sure:x:y"
    ),
    "`forget` oneself · private": _fixed("private", "forget:{own}:no"),
    "`forget` somebody else · private": _fixed("private", "forget:{author}:yes"),
    "`d` disconnect the moderators' chat · group": _fixed("group", "d:{group}", changes=True),
}  # fmt: skip
