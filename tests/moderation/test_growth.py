from datetime import UTC, datetime, timedelta

import pytest

from moderation import database, registry, runs
from moderation.categories import Category
from moderation.columns import now
from moderation.growth import count_since, growth, known_until
from moderation.states import RunState, Source
from moderation.tables import Label

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
async def sessions(tmp_path):
    async with database.opened(f"sqlite+aiosqlite:///{tmp_path}/bot.sqlite3") as made:
        yield made


def label(text, moderator_id=-1, value=1, **values):
    return Label(
        moderator_id=moderator_id, source=Source.IMPORT, text=text, model_version="", scores={},
        vector={"insult": value, "non_toxic": 1 - value}, **values,
    )  # fmt: skip


async def add(sessions, *labels):
    async with sessions.begin() as session:
        session.add_all(labels)


async def test_a_text_that_several_labelled_counts_once_for_what_most_said(sessions):
    given = [label("a", -1), label("a", -2), label("a", -3, 0), label("b", -1, 0), label("")]
    await add(sessions, *given)
    async with sessions() as session:
        found = await growth(session, LONG_AGO)
    assert (found.texts, found.moderators) == (2, 3)
    assert found.categories == {Category.INSULT: 1, Category.NON_TOXIC: 1}
    assert found.agreement[Category.INSULT].units == 1


async def test_only_what_came_later_is_new(sessions):
    before = now() - timedelta(days=1)
    await add(sessions, label("a", created_at=before), *(label(str(n)) for n in range(20)))
    async with sessions() as session:
        found = await growth(session, before)
        assert (found.texts, found.held_out) == (20, 3)
        assert await count_since(session, before) == 20


async def test_a_model_knows_labels_up_to_the_start_of_its_training(sessions):
    embedded = registry.card(registry.EMBEDDED)
    imported = embedded.model_copy(update={"metrics": {"labels": {}}, "version": "imported"})
    trained = imported.model_copy(update={"version": "trained"})
    async with sessions.begin() as session:
        run_id = await runs.claim(session, "a", None)
        await runs.finish(session, run_id, RunState.FINISHED, version="trained")
    async with sessions() as session:
        assert await known_until(session, embedded) == LONG_AGO
        assert await known_until(session, imported) == embedded.created
        assert await known_until(session, trained) == (await runs.newest(session)).started_at
