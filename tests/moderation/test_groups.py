import pytest

from moderation import database, groups, people, store
from moderation.categories import Category
from moderation.columns import Table, now
from moderation.policy import Action
from moderation.states import Act, RunDecision, RunState
from moderation.tables import (
    Case,
    Chat,
    Enforcement,
    InboxUpdate,
    Member,
    Note,
    Prediction,
    PreferenceChange,
    Report,
    Strike,
    TrainingRun,
)
from tests.moderation.rows import prediction, rows

OLD, NEW, MODCHAT = -5, -1005, -7


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


@pytest.fixture
async def filled(sessions):
    """A group with one row in every table that knows groups."""
    async with sessions.begin() as session:
        chat = await store.chat(session, OLD, "Двор", "group")
        chat.preferences, chat.modchat_id = {"preset": "strict"}, MODCHAT
        case = Case(chat_id=OLD, user_name="Имя", text="текст", flagged=[])
        await store.record(session, prediction(OLD, 1, action=Action.REVIEW), case, [])
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
            await store.record(session, prediction(NEW, 1, action=Action.REVIEW), None, [])
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


async def moved(sessions, **run):
    """What became of the acts and the trainings of a group that moved."""
    async with sessions.begin() as session:
        case = await session.scalar(Case.__table__.select())
        session.add(Enforcement(case_id=case, act=Act.NOTICE, message_id=4))
        session.add(Note(chat_id=OLD, message_id=5, expires_at=now()))
        session.add(InboxUpdate(id=1, chat_id=OLD, payload=""))
        told = {"message_id": 6, "verdict_id": 7, "thread_id": 8, "is_reported": True}
        for number in (1, 2):
            values = {"folder": str(number), "chat_id": OLD, "state": RunState.FINISHED}
            session.add(TrainingRun(**values | told | run))
    async with sessions.begin() as session:
        assert await groups.rekey(session, OLD, NEW)
    return await rows(sessions, Enforcement), await rows(sessions, TrainingRun)


async def test_no_column_names_the_old_group_any_more(sessions, filled):
    await moved(sessions)
    for table in Table.metadata.tables.values():
        for column in (c for c in table.c if c.name.endswith("chat_id")):
            async with sessions() as session:
                found = await session.execute(table.select().where(column == OLD))
            assert not found.all(), column


async def test_messages_of_the_bot_stay_behind(sessions, filled):
    (act,), trainings = await moved(sessions)
    assert act.message_id is None
    for run in trainings:
        assert run.chat_id == NEW
        assert (run.message_id, run.thread_id, run.verdict_id) == (None, None, None)


@pytest.mark.parametrize(
    ("run", "told"),
    [
        ({"version": "v2"}, [True, False]),
        ({"version": "v2", "decision": RunDecision.KEPT}, [True, True]),
        ({"version": None, "state": RunState.CANCELLED}, [True, True]),
    ],
)
async def test_a_verdict_that_is_still_open_is_shown_again(sessions, filled, run, told):
    _, trainings = await moved(sessions, **run)
    assert [each.is_reported for each in trainings] == told
