"""Every cell of the table of docs/security.md, over HTTP."""

import importlib

import pytest
import pytest_asyncio
from aiogram.filters import Command as CommandFilter
from aiogram.filters.callback_data import CallbackQueryFilter

from tests.e2e.house import (
    ALERT,
    NEVER,
    PEOPLE,
    REPLY,
    SILENCE,
    YES,
    build,
    table,
)
from tests.e2e.probes import PROBES, Buttons, Command
from tests.e2e.stage import until

TABLE = table()
CELLS = [(row, role) for row, cells in TABLE.items() for role in cells]
REFUSED = [cell for cell in CELLS if TABLE[cell[0]][cell[1]] != YES]
ALLOWED = [cell for cell in CELLS if TABLE[cell[0]][cell[1]] == YES]
ROUTERS = (
    "verdicts", "panel", "queue", "stats", "retrain", "outcome", "models", "chats", "privacy",
    "inquiries", "reports",
)  # fmt: skip
ACTS = ("banChatMember", "restrictChatMember", "unbanChatMember", "banChatSenderChat", "leaveChat")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(stage):
    made = await build(stage)
    made.greeting = (await stage.said(made.group, "Здравствуйте"))[0]["message_id"]
    made.acts = await acts(made)
    return made


async def acts(house):
    """The ids of what the bot has done to people in the group."""
    return [
        call["n"]
        for method in ACTS
        for call in (await house.stage.people.get("calls", method=method))["calls"]
        if str(call["params"].get("chat_id")) == str(house.group)
    ]


async def tried(house, row):
    """What became of a row for all who are refused there; the database is as it was."""
    if row not in house.outcomes:
        probe, marks = PROBES[row], TABLE[row]
        roles = [role for role in marks if marks[role] != YES]
        before = house.state()
        attempt = pressed if isinstance(probe, Buttons) else written
        house.outcomes[row] = await attempt(house, probe, roles, marks)
        assert house.state() == before, row
    return house.outcomes[row]


async def pressed(house, probe, roles, marks):
    presses = [
        (role, (*probe.at(house, PEOPLE[role]), PEOPLE[role], data))
        for role in roles
        for data in probe.data(house, PEOPLE[role])
    ]
    answers = await house.answers([press for _, press in presses])
    known = house.refusals()
    found = dict.fromkeys(roles, ALERT)
    for (role, press), answer in zip(presses, answers, strict=True):
        if not answer.get("show_alert") or answer.get("text") not in known:
            found[role] = f"{press[3]}: {answer}"
    return found


async def written(house, probe, roles, marks):
    text, extra, known = probe.written(house), probe.extra(house), house.refusals()
    silent = [role for role in roles if marks[role] == SILENCE]
    found = {}
    if silent:
        people = [PEOPLE[role] for role in silent]
        quiet = await house.is_silent(probe.at(house, people[0]), people, text, **extra)
        found = dict.fromkeys(silent, SILENCE if quiet else "answered")
    for role in roles:
        if role not in silent:
            at = probe.at(house, PEOPLE[role])
            said = await house.ask(at, PEOPLE[role], text, **extra)
            found[role] = NEVER if said is None else REPLY if said in known else said
    return found


async def test_every_row_is_tried_and_every_kind_of_person_is_there():
    assert set(PROBES) == set(TABLE)
    assert all(list(cells) == list(PEOPLE) for cells in TABLE.values())
    assert {mark for cells in TABLE.values() for mark in cells.values()} == {
        YES, ALERT, REPLY, SILENCE, NEVER,
    }  # fmt: skip


async def test_every_command_and_button_of_the_bot_has_a_row():
    filters = [
        found.callback
        for name in ROUTERS
        for observer in importlib.import_module(f"bot.{name}").router().observers.values()
        for handler in observer.handlers
        for found in handler.filters
    ]
    commands = {
        f"`/{name}"
        for each in filters
        if isinstance(each, CommandFilter)
        for name in map(str, each.commands)
    }
    prefixes = {
        f"`{each.callback_data.__prefix__}`"
        for each in filters
        if isinstance(each, CallbackQueryFilter)
    }
    assert len(commands) > 12
    assert len(prefixes) > 12
    for wanted in commands | prefixes:
        assert any(wanted in row for row in TABLE), wanted


@pytest.mark.parametrize(("row", "role"), REFUSED)
async def test_refused(house, row, role):
    assert (await tried(house, row))[role] == TABLE[row][role]


async def test_those_who_were_refused_did_nothing_to_anybody(house):
    assert await acts(house) == house.acts
    assert "update failed" not in house.stage.bot.said


@pytest.mark.parametrize(("row", "role"), ALLOWED)
async def test_allowed(house, row, role):
    probe, user_id = PROBES[row], PEOPLE[role]
    before = house.state()
    if isinstance(probe, Command):
        extra, text = probe.extra(house), probe.written(house)
        said = await house.ask(probe.at(house, user_id), user_id, text, **extra)
        assert said, "an answer"
        assert said not in house.refusals()
        return
    data = await shown(house, user_id) if row.startswith("`q`") else probe.data(house, user_id)[:4]
    presses = [(*probe.at(house, user_id), user_id, one) for one in data]
    for answer in await house.answers(presses):
        assert answer.get("text") not in house.refusals()
    is_first = next(name for name, mark in TABLE[row].items() if mark == YES) == role
    if probe.changes and is_first:

        async def has_changed():
            return house.state() != before

        await until(has_changed)


async def shown(house, user_id):
    """The buttons «Готово» and «Закончить» of the case that the queue shows to somebody."""
    await house.ask(user_id, user_id, "/review")
    message = (await house.stage.people.messages(user_id))[-1]
    rows = message["reply_markup"]["inline_keyboard"]
    data = [button["callback_data"] for row in rows for button in row]
    return [one for one in data if ":flip:" in one][:1] + [one for one in data if ":done:" in one]
