from datetime import timedelta

import pytest

from moderation import context, database, people, store
from moderation.categories import Category
from moderation.columns import now
from moderation.policy import Action
from moderation.states import Source
from moderation.tables import Label, Prediction

CHAT, USER, KEY = -1, 5, "k" * 32


@pytest.fixture
async def session(database_url):
    async with database.opened(database_url) as sessions, sessions.begin() as found:
        yield found


async def look(session, message_id=1, user_id=USER, key=KEY, title="Двор"):
    return await context.find(session, (CHAT, title, "supergroup"), message_id, user_id, key)


def judged(message_id, revision, content_hash):
    return Prediction(
        chat_id=CHAT,
        message_id=message_id,
        revision=revision,
        user_id=USER,
        content_hash=content_hash,
        field="text",
        model_version="v1",
        scores={"insult": 0.9},
        action=Action.NONE,
        category=None,
        score=0.9,
        threshold=0.8,
    )


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


async def test_of_a_new_group_nothing_is_known_and_its_row_is_made(session):
    found = await look(session)
    assert (found.chat.id, found.chat.title, found.chat.kind) == (CHAT, "Двор", "supergroup")
    assert found == context.Context(found.chat, False, None, None, None, False)
    assert [chat.id for chat in await store.chats(session)] == [CHAT]


async def test_a_new_title_is_noted(session):
    await look(session)
    await look(session, title="Сад")
    assert [chat.title for chat in await store.chats(session)] == ["Сад"]


async def test_the_newest_revision_of_that_message_counts(session):
    await look(session)
    session.add_all([judged(1, 0, "a"), judged(1, 30, "c"), judged(1, 20, "b"), judged(2, 50, "d")])
    found = await look(session)
    assert (found.revision, found.content_hash) == (30, "c")
    found = await look(session, message_id=3)
    assert (found.revision, found.content_hash) == (None, None)


async def test_when_the_sender_joined_here(session):
    await look(session)
    joined = now() - timedelta(hours=3)
    (await people.member(session, CHAT, USER)).joined_at = joined
    (await people.member(session, -2, 6)).joined_at = joined
    assert (await look(session)).joined_at == joined
    assert (await look(session, user_id=6)).joined_at is None


async def test_labels_of_the_same_words_in_this_group_alone(session):
    await look(session)
    session.add_all([a_label(CHAT, KEY), a_label(-2, "m" * 32)])
    assert (await look(session)).has_labels
    assert not (await look(session, key="m" * 32)).has_labels


async def test_a_chat_that_other_groups_send_their_cards_to(session):
    await look(session)
    group = await store.chat(session, -7, "Группа", "supergroup")
    here = await store.chat(session, CHAT, "Двор", "supergroup")
    here.modchat_id = CHAT  # its own: that makes it no chat of moderators alone
    assert not (await look(session)).is_modchat
    group.modchat_id = CHAT
    assert (await look(session)).is_modchat
