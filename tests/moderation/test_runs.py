from datetime import timedelta

import pytest

from moderation import database, runs
from moderation.columns import now
from moderation.states import RunDecision, RunState
from moderation.tables import Promotion, TrainingRun
from tests.moderation.rows import rows


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as made:
        yield made


async def begin(sessions, folder="a", user=5):
    async with sessions.begin() as session:
        return await runs.claim(session, folder, user, chat_id=7, message_id=8, labels=3)


async def end(sessions, run_id, state=RunState.FINISHED, **outcome):
    async with sessions.begin() as session:
        await runs.finish(session, run_id, state, **outcome)


async def only(sessions):
    (run,) = await rows(sessions, TrainingRun)
    return run


async def test_one_training_runs_at_a_time(sessions):
    first = await begin(sessions)
    assert await begin(sessions, "b") is None
    await end(sessions, first)
    assert await begin(sessions, "b") not in (None, first)


async def test_two_who_saw_nothing_running_begin_one(sessions):
    async with sessions() as one:
        assert await runs.running(one) is None
    assert [await begin(sessions), await begin(sessions)].count(None) == 1
    run = await only(sessions)
    assert (run.state, run.host, run.share, run.is_reported) == (RunState.RUNNING, None, 0, False)


@pytest.mark.parametrize("state", [s for s in RunState if s is not RunState.RUNNING])
async def test_what_stopped_early_can_go_on(sessions, state):
    run_id = await begin(sessions)
    await end(sessions, run_id, state, detail="why")
    resumed = await runs.resume(sessions, run_id, 6)
    assert resumed == (state is not RunState.FINISHED)
    run = await only(sessions)
    if resumed:
        found = (run.state, run.started_by, run.detail, run.finished_at)
        assert found == (RunState.RUNNING, 6, None, None)


async def test_nothing_goes_on_while_another_runs(sessions):
    run_id = await begin(sessions)
    assert not await runs.resume(sessions, run_id, 6)
    await end(sessions, run_id, RunState.CANCELLED)
    await begin(sessions, "b")
    assert not await runs.resume(sessions, run_id, 6)


async def test_whoever_beats_first_follows(sessions):
    await begin(sessions)
    seen = [await only(sessions) for _ in range(2)]
    async with sessions.begin() as session:
        beat = await runs.lease(session, seen[0])
    assert beat is not None
    async with sessions.begin() as session:
        assert await runs.lease(session, seen[1]) is None
    assert (await only(sessions)).heartbeat_at == beat


async def test_a_run_is_asked_to_stop_once(sessions):
    run_id = await begin(sessions)
    async with sessions.begin() as session:
        assert await runs.cancel(session, run_id, 1)
        assert not await runs.cancel(session, run_id, 2)
    assert (await only(sessions)).cancelled_by == 1
    await end(sessions, run_id, RunState.CANCELLED)
    async with sessions.begin() as session:
        assert not await runs.cancel(session, run_id, 2)
        assert not await runs.cancel(session, 999, 2)


async def test_an_ending_is_noted_once_and_reported_once(sessions):
    run_id = await begin(sessions)
    await end(sessions, run_id, version="v2", champion="v1", promote=True)
    await end(sessions, run_id, RunState.FAILED, detail="late")
    run = await only(sessions)
    assert (run.state, run.version, run.promote, run.detail) == (
        RunState.FINISHED, "v2", True, None,
    )  # fmt: skip
    async with sessions.begin() as session:
        assert [r.id for r in await runs.unreported(session)] == [run_id]
        await runs.reported(session, run_id)
    async with sessions() as session:
        assert not await runs.unreported(session)
        assert (await runs.of_version(session, "v2")).id == run_id
        assert await runs.undecided(session) == {"v2"}
        assert await runs.folders(session) == {"a": "v2"}


async def test_the_first_decision_stands_save_that_what_was_kept_can_still_be_replaced(sessions):
    run_id = await begin(sessions)
    async with sessions.begin() as session:
        assert not await runs.decide(session, run_id, RunDecision.ENABLED, 1)
    await end(sessions, run_id, version="v2")
    for decision, user, counts in (
        (RunDecision.KEPT, 1, True),
        (RunDecision.KEPT, 2, False),
        (RunDecision.FORCED, 3, True),
        (RunDecision.ENABLED, 4, False),
        (RunDecision.KEPT, 5, False),
    ):
        async with sessions.begin() as session:
            assert await runs.decide(session, run_id, decision, user) == counts
    assert (await only(sessions)).decided_by == 3
    async with sessions() as session:
        assert await runs.undecided(session) == set()


async def test_a_promotion_is_written_before_it_is_made_and_dated_after(sessions):
    at = now()
    async with sessions.begin() as session:
        await runs.ask_promotion(session, "v2", "5", None, is_forced=True)
    async with sessions() as session:
        assert not await runs.promotions(session)
    for _ in range(2):  # the presser and the watch of the registry
        async with sessions.begin() as session:
            await runs.promoted(session, "v2", "v1", "5", at)
    (row,) = await rows(sessions, Promotion)
    assert (row.at, row.previous, row.is_forced) == (at, "v1", True)


async def test_a_promotion_that_was_asked_for_and_not_made_is_found_until_it_is(sessions):
    run_id = await begin(sessions)
    await end(sessions, run_id, version="v2")
    async with sessions.begin() as session:
        assert await runs.asked(session) is None
        assert await runs.decide(session, run_id, RunDecision.FORCED, 5)
        asked = await runs.ask_promotion(session, "v2", "5", run_id, previous="v1")
    async with sessions() as session:
        found = await runs.asked(session)
        assert (found.id, found.version, found.previous) == (asked, "v2", "v1")
    async with sessions.begin() as session:
        await runs.promoted(session, "v2", "v1", "5", now())
    async with sessions() as session:
        assert await runs.asked(session) is None


async def test_a_promotion_that_cant_be_made_leaves_the_decision_open(sessions):
    run_id = await begin(sessions)
    await end(sessions, run_id, version="v2")
    async with sessions.begin() as session:
        await runs.decide(session, run_id, RunDecision.ENABLED, 5)
        asked = await runs.ask_promotion(session, "v2", "5", run_id, previous="v1")
    async with sessions.begin() as session:
        await runs.withdraw(session, asked)
    assert not await rows(sessions, Promotion)
    assert (await only(sessions)).decision is None


async def test_promotions_by_other_programs_belong_to_the_history(sessions):
    at = now()
    for number, version in enumerate(("v2", "v3", "v3")):
        moment = at + timedelta(seconds=min(number, 1))
        async with sessions.begin() as session:
            await runs.promoted(session, version, "v1", "trainer", moment)
    async with sessions.begin() as session:
        await runs.refuse(session, at, "golden")
    async with sessions() as session:
        found = await runs.promotions(session)
    assert [(row.version, row.refusal) for row in found] == [("v3", None), ("v2", "golden")]
