"""Raw updates, and an inbox that takes them, over a real database."""

import asyncio
import json
from contextlib import asynccontextmanager

from sqlalchemy import event, select

from bot.backlog import chat_of
from bot.inbox import Inbox
from moderation import store
from moderation.tables import InboxUpdate

ANNA = 5


def an_update(update_id, chat_id=-1, text="т", kind="message", user_id=ANNA, **more):
    chat = {"id": chat_id, "type": "supergroup", "title": "Г"}
    user = {"id": user_id, "is_bot": False, "first_name": "А"}
    message = {"message_id": update_id, "date": 1, "chat": chat, "from": user, "text": text}
    return {"update_id": update_id, kind: message | more}


class Handled(list):
    """Handles updates: notes their ids, and fails as `problems` says, by id."""

    def __init__(self, problems=None):
        self.problems = problems or {}

    async def prepare(self, update):
        await asyncio.sleep(0)
        return update.update_id

    async def handle(self, update, ready):
        assert ready == update.update_id
        await asyncio.sleep(0)
        self.append(update.update_id)
        problems = self.problems.get(update.update_id)
        if problems:
            raise problems.pop(0)


def inbox_of(bot, sessions, handled, operators=()):
    return Inbox(bot, sessions, handled.prepare, handled.handle, operators)


@asynccontextmanager
async def running(inbox, *, polls=False, drain_seconds=10.0):
    """An inbox that takes updates; at the end it is stopped as by SIGTERM."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(inbox.run(stop, drain_seconds, polls=polls))
        await until(lambda: inbox._takes or task.done())
        try:
            yield inbox
        finally:
            stop.set()


async def leave(sessions, updates, attempts=0, received_at=None):
    """Updates that a process wrote down before it ended."""
    rows = [
        {"id": u["update_id"], "chat_id": chat_of(u), "payload": json.dumps(u)} for u in updates
    ]
    async with sessions.begin() as session:
        await store.add_updates(session, rows)
        for row in await session.scalars(select(InboxUpdate)):
            row.attempts = attempts
            row.received_at = received_at or row.received_at


async def stored(sessions):
    async with sessions() as session:
        rows = await session.scalars(select(InboxUpdate).order_by(InboxUpdate.id))
        return {row.id: row for row in rows}


async def states(sessions):
    return {id_: row.state for id_, row in (await stored(sessions)).items()}


async def until(check, seconds=15):
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.005)


async def make_impatient(sessions):
    """Wait for a lock only as long as a test can."""
    engine = sessions.kw["bind"]
    await engine.dispose()
    event.listen(
        engine.sync_engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=100")
    )


async def put(people, *updates):
    """Updates of any shape, under the sandbox's ids."""
    given = []
    for update in updates:
        content = {key: value for key, value in update.items() if key != "update_id"}
        given.append((await people.post("updates", update=content))["update_id"])
    return given
