import asyncio
import json

import pytest

from bot.inbox import Inbox, chat_of
from moderation import database, store
from moderation.states import UpdateState
from moderation.tables import InboxUpdate


@pytest.fixture
async def sessions(tmp_path):
    async with database.opened(f"sqlite+aiosqlite:///{tmp_path}/bot.sqlite3") as found:
        yield found


def an_update(update_id, chat_id, text="т"):
    chat = {"id": chat_id, "type": "supergroup", "title": "Г"}
    message = {"message_id": update_id, "date": 1, "chat": chat, "text": text}
    return {"update_id": update_id, "message": message}


async def work_through(bot, sessions, updates, handle, monkeypatch):
    """What was left from before is handled at the start; nothing is received."""
    monkeypatch.setattr("bot.inbox.RETRY_SECONDS", 0.0)
    rows = [
        {"id": u["update_id"], "chat_id": chat_of(u), "payload": json.dumps(u)} for u in updates
    ]
    async with sessions.begin() as session:
        await store.add_updates(session, rows)

    async def prepare(update):
        await asyncio.sleep(0.01 if update.update_id % 2 else 0)
        return update.update_id

    stop = asyncio.Event()
    stop.set()
    await Inbox(bot, sessions, prepare, handle).run(stop)


async def states(sessions):
    async with sessions() as session:
        rows = [await session.get(InboxUpdate, i) for i in range(1, 10)]
    return {row.id: row.state for row in rows if row}


async def test_each_chat_is_handled_in_order_with_what_was_prepared(bot, sessions, monkeypatch):
    handled = []

    async def handle(update, ready):
        await asyncio.sleep(0)
        assert ready == update.update_id
        handled.append((update.message.chat.id, update.update_id))

    updates = [an_update(i, -1 - i % 3) for i in range(1, 10)]
    await work_through(bot, sessions, updates, handle, monkeypatch)
    assert len(handled) == 9
    for chat_id in (-1, -2, -3):
        ids = [update_id for chat, update_id in handled if chat == chat_id]
        assert ids == sorted(ids)
    assert set((await states(sessions)).values()) == {UpdateState.DONE}


async def test_an_update_that_always_fails_is_set_aside_and_its_chat_goes_on(
    bot, sessions, monkeypatch
):
    attempts = []

    async def handle(update, ready):
        attempts.append(update.update_id)
        if update.update_id == 2:
            raise RuntimeError("тайна")

    updates = [an_update(i, -1) for i in (1, 2, 3)]
    await work_through(bot, sessions, updates, handle, monkeypatch)
    assert attempts == [1, 2, 2, 2, 3]
    assert await states(sessions) == {
        1: UpdateState.DONE, 2: UpdateState.QUARANTINED, 3: UpdateState.DONE,
    }  # fmt: skip
    async with sessions() as session:
        error = (await session.get_one(InboxUpdate, 2)).error
    assert "RuntimeError" in error
    assert "тайна" not in error


async def test_a_passing_failure_is_overcome(bot, sessions, monkeypatch):
    failures = [1, 1]

    async def handle(update, ready):
        if failures:
            failures.pop()
            raise OSError("busy")

    await work_through(bot, sessions, [an_update(1, -1)], handle, monkeypatch)
    assert await states(sessions) == {1: UpdateState.DONE}


async def test_an_undecodable_update_is_set_aside(bot, sessions, monkeypatch):
    handled = []

    async def handle(update, ready):
        handled.append(update.update_id)

    broken = {"update_id": 1, "message": {"chat": {"id": -1}}}
    await work_through(bot, sessions, [broken, an_update(2, -1)], handle, monkeypatch)
    assert handled == [2]
    assert (await states(sessions))[1] is UpdateState.QUARANTINED


@pytest.mark.parametrize(
    ("update", "chat_id"),
    [
        (an_update(1, -5), -5),
        ({"update_id": 1, "callback_query": {"message": {"chat": {"id": -6}}}}, -6),
        ({"update_id": 1, "my_chat_member": {"chat": {"id": -7}}}, -7),
        ({"update_id": 1, "callback_query": {"id": "1"}}, None),
        ({"update_id": 1, "message": {"chat": "x"}}, None),
        ({"update_id": 1, "poll": {}}, None),
    ],
)
def test_the_chat_of_any_kind_of_update_is_found(update, chat_id):
    assert chat_of(update) == chat_id
