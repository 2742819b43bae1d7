import pytest
from sqlalchemy import select

from moderation import database, owing, store
from moderation.tables import Case
from tests.moderation.rows import ANNA, GROUP, say


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


async def test_what_was_shown_is_owed_no_more_unless_something_was_decided_since(sessions):
    async with sessions.begin() as session:
        await store.chat(session, GROUP, "Группа", "supergroup")
        for text in ("раз", "два"):
            await say(session, ANNA, text=text)
        first, second = await session.scalars(select(Case.id).order_by(Case.id))
        assert await owing.owed(session) == []
        await owing.owe(session, second)
        await owing.owe(session, first)
    async with sessions.begin() as session:
        assert await owing.owed(session) == [(second, GROUP), (first, GROUP)]
        due = (await session.get_one(Case, first)).card_due
        await owing.owe(session, second)
        stale = (await session.get_one(Case, second)).card_due
    async with sessions.begin() as session:
        await owing.owe(session, second)  # while the card was under way
    async with sessions.begin() as session:
        await owing.shown(session, first, due)
        await owing.shown(session, second, stale)
    async with sessions() as session:
        assert await owing.owed(session) == [(second, GROUP)]
