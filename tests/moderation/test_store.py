import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from moderation import database, sanctions, store
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.policy import Action
from moderation.states import Act, ActState, Step, UpdateState, Verdict
from moderation.tables import Case, Enforcement, InboxUpdate, Label
from tests.moderation.rows import prediction


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


def a_prediction(message_id=1, revision=0, action=Action.DELETE):
    category = Category.INSULT if action else None
    given = {"revision": revision, "action": action, "category": category}
    return prediction(-1, message_id, scores={"insult": 0.9}, score=0.9, **given)


async def a_case(sessions, message_id=1, acts=(Act.DELETE,)):
    async with sessions.begin() as session:
        await store.chat(session, -1, "Группа", "supergroup")
        row = a_prediction(message_id)
        case = Case(chat_id=-1, user_name="Имя", text="текст\x7f 🙂", flagged=["insult"])
        await store.record(session, row, case, [Enforcement(act=act) for act in acts])
    async with sessions() as session:
        return await store.case_of(session, row.id)


def some_updates(*ids):
    return [{"id": i, "chat_id": -1, "payload": f"{{{i}}}"} for i in ids]


async def test_an_update_is_written_once_however_often_it_comes(sessions):
    async with sessions.begin() as session:
        assert sorted(await store.add_updates(session, some_updates(3, 1, 2))) == [1, 2, 3]
        await store.finish_updates(session, [2])
    async with sessions.begin() as session:
        again = [*some_updates(3, 1, 2), {"id": 4, "chat_id": None, "payload": "{}"}]
        # Those that wait are named again: nobody may have been told that they were written.
        assert sorted(await store.add_updates(session, again)) == [1, 3, 4]
        assert [row.id for row in await store.pending_updates(session)] == [1, 3, 4]
        assert [row.id for row in await store.pending_updates(session, 1, 1)] == [3]
        assert await store.payloads(session, [1, 2, 9]) == {1: "{1}"}


async def aged(sessions, days):
    async with sessions.begin() as session:
        values = {"received_at": now() - timedelta(days=days)}
        await session.execute(update(InboxUpdate).values(**values))


@pytest.mark.parametrize("state", [UpdateState.DONE, UpdateState.QUARANTINED])
async def test_an_id_that_was_used_days_ago_means_another_update(sessions, state):
    async with sessions.begin() as session:
        await store.add_updates(session, some_updates(1, 2))
        if state is UpdateState.DONE:
            await store.finish_updates(session, [1, 2])
        else:
            for id_ in (1, 2):
                await store.quarantine_update(session, id_, "always fails")
    async with sessions.begin() as session:
        assert await store.add_updates(session, some_updates(1)) == []
    await aged(sessions, 3)
    async with sessions.begin() as session:
        assert await store.add_updates(session, some_updates(1)) == [1]
    async with sessions() as session:
        assert await store.payloads(session, [1]) == {1: "{1}"}
        assert await store.count_updates(session, state) == 1


async def test_updates_that_wait_for_days_keep_their_order_under_ids_of_their_own(sessions):
    async with sessions.begin() as session:
        await store.add_updates(session, some_updates(7, 5))
    await aged(sessions, 3)
    for _ in range(2):  # as often as the bot starts
        async with sessions.begin() as session:
            await store.set_apart_updates(session)
    async with sessions.begin() as session:
        assert sorted(await store.add_updates(session, some_updates(5, 8))) == [5, 8]
        waiting = await store.pending_updates(session)
    assert [row.payload for row in waiting] == ["{5}", "{7}", "{5}", "{8}"]
    assert waiting[0].id < waiting[1].id < 0


async def settled(sessions, revision):
    async with sessions() as session:
        return await store.is_settled(session, -1, 1, revision)


async def test_words_that_were_changed_since_lead_to_nothing(sessions):
    async with sessions.begin() as session:
        await store.record(session, a_prediction(revision=20, action=Action.NONE), None, [])
        await store.record(session, a_prediction(message_id=2, revision=90), None, [])
    assert await settled(sessions, 0)  # a message that came behind its edit
    assert await settled(sessions, 10)
    assert not await settled(sessions, 20)
    assert not await settled(sessions, 30)


@pytest.mark.parametrize(
    ("act", "state", "is_settled"),
    [
        (Act.DELETE, ActState.PENDING, True),
        (Act.DELETE, ActState.DONE, True),
        (Act.DELETE, ActState.FAILED, False),
        (Act.DELETE, ActState.SKIPPED, False),
        (Act.NOTICE, ActState.DONE, False),
    ],
)
async def test_a_message_that_falls_is_not_punished_for_other_words(
    sessions, act, state, is_settled
):
    async with sessions.begin() as session:
        case = Case(chat_id=-1, user_name="И", text="т", flagged=["insult"])
        await store.record(session, a_prediction(), case, [Enforcement(act=act, state=state)])
    assert await settled(sessions, 10) is is_settled
    assert not await settled(sessions, 0)  # the same words again


async def test_attempts_are_counted(sessions):
    async with sessions.begin() as session:
        await store.add_updates(session, some_updates(1, 2))
        assert await store.count_attempt(session, [1], "why") == {1: 1}
        assert await store.count_attempt(session, [1, 2], "why") == {1: 2, 2: 1}


async def test_a_case_comes_back_as_it_was_recorded(sessions):
    case = await a_case(sessions, acts=(Act.DELETE, Act.NOTICE))
    assert (case.text, case.flagged, case.verdict) == ("текст\x7f 🙂", ["insult"], None)
    assert case.prediction.action is Action.DELETE
    assert case.created_at.tzinfo is not None
    async with sessions() as session:
        acts = await sanctions.enforcements(session, case.id)
        assert [act.act for act in acts] == [Act.DELETE, Act.NOTICE]
        assert {act.state for act in acts} == {ActState.PENDING}


async def test_an_act_is_planned_once_in_each_step(sessions):
    case = await a_case(sessions)
    async with sessions.begin() as session:
        await sanctions.plan(session, case.id, [Act.DELETE, Act.RESTORE], Step.VERDICT)
        await sanctions.plan(session, case.id, [Act.RESTORE], Step.VERDICT)
        acts = await sanctions.enforcements(session, case.id)
    assert [act.act for act in acts] == [Act.DELETE, Act.DELETE, Act.RESTORE]


async def test_only_the_first_of_many_claims_wins(sessions):
    case = await a_case(sessions)

    async def claim(moderator_id):
        async with sessions.begin() as session:
            return await store.claim(session, case.id, Verdict.CLEAN, moderator_id, "М")

    claims = await asyncio.gather(*map(claim, range(1, 9)))
    assert claims.count(True) == 1
    async with sessions() as session:
        assert (await session.get_one(Case, case.id)).resolved_by == claims.index(True) + 1


async def test_a_label_keeps_the_complete_vector(sessions):
    case = await a_case(sessions)
    vector = dict.fromkeys(TOXIC) | {Category.INSULT: 1, Category.NON_TOXIC: 0}
    async with sessions.begin() as session:
        await store.add_label(session, case, 7, vector)
    async with sessions() as session:
        label = await session.get_one(Label, 1)
    assert set(label.vector) == {category.value for category in Category}
    assert (label.vector["insult"], label.vector["threat"]) == (1, None)
    assert (label.text, label.moderator_id, label.model_version) == (case.text, 7, "v1")


async def test_the_newest_revision_is_the_latest(sessions):
    async with sessions.begin() as session:
        for revision in (0, 30, 20):
            await store.record(session, a_prediction(revision=revision), None, [])
    async with sessions() as session:
        assert (await store.latest_prediction(session, -1, 1)).revision == 30
        assert await store.prediction(session, -1, 1, 20) is not None
        assert await store.prediction(session, -1, 2, 0) is None


async def test_notices_expire(sessions):
    case = await a_case(sessions, acts=(Act.NOTICE,))
    async with sessions.begin() as session:
        (act,) = await sanctions.enforcements(session, case.id)
        await sanctions.set_act(session, act.id, ActState.DONE, message_id=99)
        assert await sanctions.expired_notices(session, timedelta(minutes=1)) == []
        assert await sanctions.expired_notices(session, timedelta(0)) == [(act.id, -1, 99)]
