import asyncio

import pytest
from sqlalchemy import func, select

from moderation import database, people, store
from moderation.tables import Chat, Member

TOGETHER = 8


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


async def test_a_row_that_many_find_missing_at_once_is_written_once(sessions):
    looked = asyncio.Barrier(TOGETHER)

    async def handle(number):
        # Not in turn: it may be another process, too.
        async with sessions() as session, session.begin():
            assert await session.get(Chat, -1) is None
            await looked.wait()
            session.expire_all()
            chat = await store.chat(session, -1, f"Двор {number}", "supergroup")
            member = await people.member(session, -1, 7)
            return chat.preferences, chat.is_active, member.user_id

    assert await asyncio.gather(*(handle(i) for i in range(TOGETHER))) == [({}, True, 7)] * TOGETHER
    async with sessions() as session:
        for table in (Chat, Member):
            assert await session.scalar(select(func.count()).select_from(table)) == 1
