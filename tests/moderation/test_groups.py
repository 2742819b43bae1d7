import pytest

from moderation import database, groups, people, store
from moderation.categories import Category
from moderation.columns import now
from moderation.policy import Action
from moderation.tables import Case, Chat, Member, Prediction, PreferenceChange, Report, Strike

OLD, NEW, MODCHAT = -5, -1005, -7


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


def a_prediction(chat_id, message_id=1):
    return Prediction(
        chat_id=chat_id, message_id=message_id, revision=0, user_id=5, content_hash="0",
        field="text", model_version="v1", scores={}, action=Action.REVIEW, score=0.5,
        threshold=0.5,
    )  # fmt: skip


@pytest.fixture
async def filled(sessions):
    """A group with one row in every table that knows groups."""
    async with sessions.begin() as session:
        chat = await store.chat(session, OLD, "Двор", "group")
        chat.preferences, chat.modchat_id = {"preset": "strict"}, MODCHAT
        case = Case(chat_id=OLD, user_name="Имя", text="текст", flagged=[])
        await store.record(session, a_prediction(OLD), case, [])
        await people.strike(session, case, days=7)
        (await people.member(session, OLD, 5)).joined_at = now()
        session.add(Report(chat_id=OLD, case_id=case.id, reporter_id=6, reporter_name="И"))
        change = PreferenceChange(chat_id=OLD, user_id=1, field="preset", before="a", after="b")
        session.add(change)
        await store.add_label(session, case, 7, dict.fromkeys(Category))


async def everything(sessions, chat_id):
    async with sessions() as session:
        tables = (Prediction, Case, Strike, Member, Report, PreferenceChange)
        return [
            len((await session.execute(table.__table__.select().where(
                table.__table__.c.chat_id == chat_id))).all())
            for table in tables
        ]  # fmt: skip


@pytest.mark.parametrize("new_came_first", [True, False])
async def test_all_that_is_stored_moves_in_one_go(sessions, filled, new_came_first):
    if new_came_first:
        async with sessions.begin() as session:
            await store.chat(session, NEW, "Двор", "supergroup")
            await store.record(session, a_prediction(NEW, 1), None, [])
    async with sessions.begin() as session:
        assert await groups.rekey(session, OLD, NEW)
    assert await everything(sessions, OLD) == [0] * 6
    assert await everything(sessions, NEW) == [1 + new_came_first, 1, 1, 1, 1, 1]
    async with sessions.begin() as session:
        assert (await session.get_one(Chat, OLD)).moved_to == NEW
        chat = await session.get_one(Chat, NEW)
        assert (chat.preferences, chat.modchat_id) == ({"preset": "strict"}, MODCHAT)
        assert not await groups.rekey(session, OLD, NEW)


async def test_numbers_of_old_messages_meet_no_new_message(sessions, filled):
    async with sessions.begin() as session:
        await groups.rekey(session, OLD, NEW)
    async with sessions() as session:
        assert await store.latest_prediction(session, NEW, 1) is None
        assert await store.latest_prediction(session, NEW, -1) is not None


async def test_a_moderators_chat_that_moves_is_followed(sessions, filled):
    async with sessions.begin() as session:
        await store.chat(session, MODCHAT, "Модераторы", "group")
        assert await groups.rekey(session, MODCHAT, -1007)
    async with sessions() as session:
        assert (await session.get_one(Chat, OLD)).modchat_id == -1007
        assert [chat.id for chat in await groups.sharing(session, -1007)] == [OLD]


async def test_a_late_message_of_the_old_group_undoes_nothing(sessions, filled):
    async with sessions.begin() as session:
        await groups.rekey(session, OLD, NEW)
    async with sessions.begin() as session:
        late = await store.chat(session, OLD, "Двор", "group")
        assert late.moved_to == NEW
        assert not await groups.rekey(session, OLD, NEW)
        assert (await session.get_one(Chat, NEW)).preferences == {"preset": "strict"}
