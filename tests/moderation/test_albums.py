from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from moderation import albums, database
from moderation.columns import now
from moderation.tables import AlbumItem


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


async def test_items_know_one_another_within_their_chat(sessions):
    async with sessions.begin() as session:
        for chat_id, message_id, album in ((-1, 1, "a"), (-1, 2, "a"), (-1, 3, "b"), (-2, 4, "a")):
            assert not await albums.add(session, chat_id, message_id, album)
            assert not await albums.add(session, chat_id, message_id, album)  # delivered twice
        assert await albums.others(session, -1, [1]) == {2: 1}
        assert await albums.others(session, -1, [3]) == {}


async def test_what_cannot_be_deleted_any_more_is_forgotten(sessions):
    async with sessions.begin() as session:
        await albums.add(session, -1, 1, "a")
        old = now() - albums.KEPT - timedelta(minutes=1)
        await session.execute(update(AlbumItem).values(created_at=old))
        await albums.add(session, -1, 2, "a")
        assert await session.scalar(select(func.count()).select_from(AlbumItem)) == 1
