from datetime import timedelta

import pytest

from moderation import context, database, people, store
from moderation.categories import Category
from moderation.columns import now
from moderation.states import Source
from moderation.tables import Chat, Label
from tests.moderation.rows import prediction

CHAT, USER, KEY = -1, 5, "k" * 32


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


async def look(sessions, message_id=1, user_id=USER, key=KEY, title="Двор"):
    return await context.find(sessions, (CHAT, title, "supergroup"), message_id, user_id, key)


def judged(message_id, revision, content_hash):
    return prediction(CHAT, message_id, revision=revision, content_hash=content_hash)


def a_label(chat_id, key):
    return Label(
        chat_id=chat_id,
        text_key=key,
        moderator_id=9,
        source=Source.BUTTON,
        text="слово",
        vector={category.value: 0 for category in Category},
        model_version="v1",
        scores={},
    )


async def titles(sessions):
    async with sessions() as session:
        return [chat.title for chat in await store.chats(session)]


async def test_of_a_new_group_nothing_is_known_and_its_row_is_made(sessions):
    found = await look(sessions)
    assert (found.chat.id, found.chat.title, found.chat.kind) == (CHAT, "Двор", "supergroup")
    assert found == context.Context(found.chat, False, None, None, None, False)
    assert await titles(sessions) == ["Двор"]


async def test_a_new_title_is_noted(sessions):
    await look(sessions)
    assert (await look(sessions, title="Сад")).chat.title == "Сад"
    assert await titles(sessions) == ["Сад"]


async def test_the_newest_revision_of_that_message_counts(sessions):
    async with sessions.begin() as session:
        session.add_all(
            [judged(1, 0, "a"), judged(1, 30, "c"), judged(1, 20, "b"), judged(2, 50, "d")]
        )
    found = await look(sessions)
    assert (found.revision, found.content_hash) == (30, "c")
    found = await look(sessions, message_id=3)
    assert (found.revision, found.content_hash) == (None, None)


async def test_when_the_sender_joined_here(sessions):
    joined = now() - timedelta(hours=3)
    async with sessions.begin() as session:
        (await people.member(session, CHAT, USER)).joined_at = joined
        (await people.member(session, -2, 6)).joined_at = joined
    assert (await look(sessions)).joined_at == joined
    assert (await look(sessions, user_id=6)).joined_at is None


async def test_labels_of_the_same_words_in_this_group_alone(sessions):
    async with sessions.begin() as session:
        session.add_all([a_label(CHAT, KEY), a_label(-2, "m" * 32)])
    assert (await look(sessions)).has_labels
    assert not (await look(sessions, key="m" * 32)).has_labels


async def test_a_chat_that_other_groups_send_their_cards_to(sessions):
    async with sessions.begin() as session:
        await store.chat(session, -7, "Группа", "supergroup")
        here = await store.chat(session, CHAT, "Двор", "supergroup")
        here.modchat_id = CHAT  # its own: that makes it no chat of moderators alone
    assert not (await look(sessions)).is_modchat
    async with sessions.begin() as session:
        (await session.get_one(Chat, -7)).modchat_id = CHAT
    assert (await look(sessions)).is_modchat
