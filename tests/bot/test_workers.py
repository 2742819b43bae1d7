import asyncio
import sqlite3

import pytest
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import GetMe
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from bot.backlog import SUSPECT
from bot.workers import MAX_ATTEMPTS, MAX_ENDS, MAX_LOST
from moderation import store
from moderation.states import UpdateState
from tests.bot.updates import (
    Handled,
    an_update,
    inbox_of,
    leave,
    running,
    states,
    stored,
    until,
)

DONE, QUARANTINED, PENDING = UpdateState.DONE, UpdateState.QUARANTINED, UpdateState.PENDING


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr("bot.workers.RETRY_SECONDS", 0.0)
    monkeypatch.setattr("bot.watch.RETRY_SECONDS", 0.0)


async def work_through(bot, sessions, updates, problems=None):
    handled = Handled(problems)
    async with running(inbox_of(bot, sessions, handled)) as inbox:
        await inbox.accept(updates)
        await until(lambda: not inbox.waiting)
    return handled, inbox


async def test_each_chat_is_handled_in_order_with_what_was_prepared(bot, sessions):
    updates = [an_update(i, -1 - i % 3) for i in range(1, 10)]
    handled, inbox = await work_through(bot, sessions, updates)
    assert len(handled) == inbox.handled == inbox.received == 9
    for chat in range(3):
        ids = [update_id for update_id in handled if update_id % 3 == chat]
        assert ids == sorted(ids)
    rows = await stored(sessions)
    assert {(row.state, row.payload) for row in rows.values()} == {(DONE, "")}


async def test_what_many_chats_did_at_once_is_noted_together(bot, sessions):
    said = []
    engine = sessions.kw["bind"].sync_engine
    event.listen(engine, "before_cursor_execute", lambda _c, _u, words, *_: said.append(words))
    updates = [an_update(i, -i) for i in range(1, 41)]
    await work_through(bot, sessions, updates)
    assert set((await states(sessions)).values()) == {DONE}
    assert 0 < sum(words.startswith("UPDATE inbox_update") for words in said) < 20


async def test_an_update_that_always_fails_is_set_aside_and_its_chat_goes_on(bot, sessions):
    problems = {2: [RuntimeError("тайна") for _ in range(9)]}
    updates = [an_update(i) for i in (1, 2, 3)]
    handled, inbox = await work_through(bot, sessions, updates, problems)
    assert handled == [1, *[2] * MAX_ATTEMPTS, 3]
    assert await states(sessions) == {1: DONE, 2: QUARANTINED, 3: DONE}
    assert (inbox.handled, inbox.failed, inbox.quarantined) == (2, MAX_ATTEMPTS, 1)
    error = (await stored(sessions))[2].error
    assert "RuntimeError" in error
    assert "тайна" not in error


async def test_a_message_that_cannot_be_scored_passes_and_is_counted(bot, sessions, monkeypatch):
    handled = Handled()
    prepare = handled.prepare

    async def score(update):
        if update.update_id == 2:
            raise RuntimeError("CUDA error")
        return await prepare(update)

    monkeypatch.setattr(handled, "prepare", score)
    async with running(inbox_of(bot, sessions, handled)) as inbox:
        await inbox.accept([an_update(i) for i in (1, 2, 3)])
        await until(lambda: not inbox.waiting)
    assert handled == [1, 3]
    assert await states(sessions) == {1: DONE, 2: QUARANTINED, 3: DONE}
    assert (inbox.failed, inbox.quarantined) == (MAX_ATTEMPTS, 1)


def locked():
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("UPDATE", {}, error)


@pytest.mark.parametrize(
    "problem", [locked, ConnectionResetError, lambda: TelegramNetworkError(GetMe(), "silent")]
)
async def test_what_the_update_is_not_to_blame_for_is_outlasted(bot, sessions, problem):
    problems = {1: [problem() for _ in range(3 * MAX_ATTEMPTS)]}
    handled, inbox = await work_through(bot, sessions, [an_update(1), an_update(2)], problems)
    assert handled == [*[1] * (3 * MAX_ATTEMPTS + 1), 2]
    assert await states(sessions) == {1: DONE, 2: DONE}
    assert inbox.failed == 0


def misspelt():
    return OperationalError("SELEC", {}, sqlite3.OperationalError("syntax error"))


@pytest.mark.parametrize("problem", [misspelt, lambda: FileNotFoundError(2, "gone", "a file")])
async def test_what_looks_like_an_absent_database_and_is_none_is_counted(bot, sessions, problem):
    problems = {1: [problem() for _ in range(9)]}
    await work_through(bot, sessions, [an_update(1), an_update(2)], problems)
    assert await states(sessions) == {1: QUARANTINED, 2: DONE}


async def test_what_telegram_refuses_to_answer_is_set_aside_when_it_answers_all_else(bot, sessions):
    inbox = None

    class Silent(Handled):
        async def handle(self, update, ready):
            self.append(update.update_id)
            await inbox.accept([])  # Telegram was heard meanwhile
            raise TelegramNetworkError(GetMe(), "silent")

    handled = Silent()
    inbox = inbox_of(bot, sessions, handled)
    async with running(inbox):
        await inbox.accept([an_update(1)])
        await until(lambda: not inbox.waiting)
    assert len(handled) == MAX_LOST
    assert await states(sessions) == {1: QUARANTINED}


async def test_an_undecodable_update_is_set_aside(bot, sessions):
    broken = {"update_id": 1, "message": {"chat": {"id": -1}}}
    deep = {"update_id": 3, "message": nested(400) | {"chat": {"id": -1}}}
    handled, _ = await work_through(bot, sessions, [broken, an_update(2), deep, an_update(4)])
    assert handled == [2, 4]
    found = await states(sessions)
    assert (found[1], found[3]) == (QUARANTINED, QUARANTINED)


def nested(depth):
    return {"reply_to_message": nested(depth - 1)} if depth else {}


async def test_one_that_ends_the_process_each_time_is_set_aside_and_nobody_else(bot, sessions):
    await leave(sessions, [an_update(1), an_update(2), an_update(3, -2)], attempts=MAX_ENDS)
    async with sessions.begin() as session:
        for row in (await stored(sessions)).values():
            (await session.merge(row)).attempts -= row.id != 1
    handled = Handled()
    async with running(inbox_of(bot, sessions, handled)) as inbox:
        await until(lambda: not inbox.waiting)
    assert sorted(handled) == [2, 3]
    assert await states(sessions) == {1: QUARANTINED, 2: DONE, 3: DONE}


async def test_suspects_are_tried_one_at_a_time_over_all_chats(bot, sessions):
    await leave(sessions, [an_update(i, -i) for i in range(1, 6)], attempts=SUSPECT)
    under_way = []

    class Alone(Handled):
        async def handle(self, update, ready):
            under_way.append(update.update_id)
            await asyncio.sleep(0.002)
            assert under_way == [update.update_id]
            under_way.clear()
            self.append(update.update_id)

    handled = Alone()
    async with running(inbox_of(bot, sessions, handled)) as inbox:
        await until(lambda: not inbox.waiting)
    assert sorted(handled) == [1, 2, 3, 4, 5]
    assert {row.attempts for row in (await stored(sessions)).values()} == {SUSPECT + 1}


async def test_what_another_process_handled_meanwhile_is_left_alone(bot, sessions):
    class Other(Handled):
        async def prepare(self, update):
            async with sessions.begin() as session:
                await store.finish_updates(session, [2])
            return update.update_id

    await leave(sessions, [an_update(1), an_update(2)], attempts=SUSPECT)
    handled = Other()
    async with running(inbox_of(bot, sessions, handled)) as inbox:
        await until(lambda: not inbox.waiting)
    assert handled == [1]
    assert await states(sessions) == {1: DONE, 2: DONE}


async def test_stopping_finishes_what_was_begun_and_leaves_the_rest(bot, sessions):
    class Slow(Handled):
        async def handle(self, update, ready):
            await asyncio.sleep(0.05)
            self.append(update.update_id)

    handled = Slow()
    async with running(inbox_of(bot, sessions, handled), drain_seconds=0.4) as inbox:
        await inbox.accept([an_update(i, -1 - i % 2) for i in range(40)])
    found = await states(sessions)
    assert 2 <= len(handled) < 40
    assert sorted(handled) == sorted(i for i, state in found.items() if state is DONE)
    assert inbox.waiting == 40 - len(handled)

    again = Handled()
    async with running(inbox_of(bot, sessions, again)) as inbox:
        await until(lambda: not inbox.waiting)
    assert sorted([*handled, *again]) == list(range(40))


async def test_stopping_lasts_no_longer_than_allowed(bot, sessions):
    class Stuck(Handled):
        async def handle(self, update, ready):
            await asyncio.Event().wait()

    async with asyncio.timeout(10):
        async with running(inbox_of(bot, sessions, Stuck()), drain_seconds=0.1) as inbox:
            await inbox.accept([an_update(1)])
    assert await states(sessions) == {1: PENDING}


async def test_what_could_not_be_noted_is_handled_again_and_noted_once(bot, sessions, monkeypatch):
    finish, problems = store.finish_updates, [misspelt()]

    async def fail_once(session, ids):
        if problems:
            raise problems.pop()
        await finish(session, ids)

    monkeypatch.setattr(store, "finish_updates", fail_once)
    handled, inbox = await work_through(bot, sessions, [an_update(i, -i) for i in range(1, 11)])
    assert sorted(handled) == sorted([*range(1, 11), handled[0]])
    assert set((await states(sessions)).values()) == {DONE}
    assert (inbox.handled, inbox.failed) == (10, 1)
