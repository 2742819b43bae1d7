from datetime import timedelta

import pytest

from moderation import database, people, store
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.policy import Action
from moderation.states import Origin, Verdict
from moderation.tables import Case, Label, Prediction, Report

CHAT, USER = -1, 5


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


async def a_case(sessions, message_id=1, verdict=None, origin=Origin.DECISION, key="", revision=0):
    async with sessions.begin() as session:
        await store.chat(session, CHAT, "Группа", "supergroup")
        row = Prediction(
            chat_id=CHAT, message_id=message_id, revision=revision, user_id=USER, content_hash="0",
            field="text", model_version="v1", scores={"insult": 0.9}, action=Action.DELETE,
            category=Category.INSULT, score=0.9, threshold=0.8,
        )  # fmt: skip
        case = Case(
            chat_id=CHAT, user_name="Имя", text="текст", flagged=["insult"], origin=origin,
            verdict=verdict, text_key=key,
        )  # fmt: skip
        await store.record(session, row, case, [])
    async with sessions() as session:
        return await store.case_of(session, row.id)


async def test_strikes_count_until_they_expire_or_are_withdrawn(sessions):
    first, second = await a_case(sessions, 1), await a_case(sessions, 2)
    async with sessions.begin() as session:
        await people.strike(session, first, days=1)
        await people.strike(session, first, days=1)
        await people.strike(session, second, days=7)
    async with sessions.begin() as session:
        assert await people.count_strikes(session, CHAT, USER, now()) == 2
        later = now() + timedelta(days=2)
        assert await people.count_strikes(session, CHAT, USER, later) == 1
        assert await people.count_strikes(session, -2, USER, now()) == 0
        await people.withdraw_strike(session, second.id)
        assert [s.case_id for s in await people.strikes(session, CHAT, USER, now())] == [first.id]


async def test_a_second_moderator_who_disagrees_leaves_it_to_the_model(sessions):
    case = await a_case(sessions, key="k" * 32)
    clean = dict.fromkeys(Category, 0) | {Category.NON_TOXIC: 1}
    toxic = dict.fromkeys(Category, 0) | {Category.THREAT: 1}
    since = now() - timedelta(days=1)
    for moderator, vector, expected in ((7, clean, 0), (8, toxic, None), (9, clean, 0)):
        async with sessions.begin() as session:
            await store.add_label(session, case, moderator, vector)
        async with sessions() as session:
            found = await people.remembered(session, CHAT, "k" * 32, since)
        assert found.get("threat") == expected
        assert found["insult"] == 0


async def test_the_last_verdict_on_the_same_words_is_remembered_for_a_while(sessions):
    case = await a_case(sessions, key="k" * 32)
    vectors = [
        dict.fromkeys(Category, 0) | {Category.NON_TOXIC: 1},
        dict.fromkeys(TOXIC) | {Category.THREAT: 1, Category.NON_TOXIC: 0},
    ]
    for vector in vectors:
        async with sessions.begin() as session:
            await store.add_label(session, case, 7, vector)
    async with sessions() as session:
        since = now() - timedelta(days=1)
        found = await people.remembered(session, CHAT, "k" * 32, since)
        assert found == {"threat": 1, "non_toxic": 0}
        assert await people.remembered(session, CHAT, "", since) is None
        assert await people.remembered(session, -2, "k" * 32, since) is None
        assert await people.remembered(session, CHAT, "k" * 32, now()) is None


async def test_what_the_bot_decided_is_never_remembered(sessions):
    await a_case(sessions, key="k" * 32)
    async with sessions() as session:
        assert await people.remembered(session, CHAT, "k" * 32, now() - timedelta(1)) is None


async def test_a_history_counts_messages_cases_and_confirmations(sessions):
    await a_case(sessions, 1, Verdict.CONFIRMED)
    await a_case(sessions, 2, Verdict.CLEAN)
    await a_case(sessions, 3)
    await a_case(sessions, 4, origin=Origin.AUDIT)
    async with sessions() as session:
        found = await people.history(session, CHAT, USER, now())
        assert found == people.History(messages=4, cases=3, confirmed=1, strikes=0)
        assert await people.history(session, CHAT, 0, now()) == people.History(0, 0, 0, 0)
        cases = await people.cases_of(session, USER, None, 10)
        assert Origin.AUDIT not in {case.origin for case in cases}
        assert await people.cases_of(session, USER, [-2], 10) == []


async def test_reports_are_counted_by_reporter_and_hour(sessions):
    case = await a_case(sessions)
    async with sessions.begin() as session:
        session.add(Report(chat_id=CHAT, case_id=case.id, reporter_id=8, reporter_name="Имя"))
    async with sessions() as session:
        hour = now() - timedelta(hours=1)
        assert await people.count_reports(session, CHAT, 8, hour) == 1
        assert await people.count_reports(session, CHAT, 9, hour) == 0
        assert await people.count_reports(session, CHAT, 8, now()) == 0


async def test_who_comes_back_is_a_newcomer_again(sessions):
    async with sessions.begin() as session:
        (await people.member(session, CHAT, USER)).joined_at = now()
    async with sessions.begin() as session:
        await people.left(session, CHAT, USER)
    async with sessions.begin() as session:
        assert (await people.member(session, CHAT, USER)).joined_at is None


async def test_a_block_of_reports_outlives_leaving(sessions):
    async with sessions.begin() as session:
        (await people.member(session, CHAT, USER)).reports_blocked_until = now()
    async with sessions.begin() as session:
        await people.left(session, CHAT, USER)
        assert (await people.member(session, CHAT, USER)).reports_blocked_until is not None


async def test_imported_labels_of_no_group_are_remembered_nowhere(sessions):
    async with sessions.begin() as session:
        session.add(
            Label(
                moderator_id=-1,
                source="import",
                text="т",
                text_key="k" * 32,
                model_version="v",
                vector={"insult": 1},
                scores={},
            )
        )
    async with sessions() as session:
        assert await people.remembered(session, CHAT, "k" * 32, now() - timedelta(1)) is None


async def test_the_revisions_of_a_message_share_a_strike(sessions):
    first, other = await a_case(sessions, 1), await a_case(sessions, 2)
    edited = await a_case(sessions, 1, revision=30)
    async with sessions.begin() as session:
        struck = [await people.strike(session, case, days=7) for case in (first, edited, other)]
        assert struck[0] == struck[1] != struck[2]
        assert await people.count_strikes(session, CHAT, USER, now()) == 2
        assert await people.count_strikes(session, CHAT, USER, now(), struck[0]) == 1
        await people.forgive(session, edited)
        assert [s.case_id for s in await people.strikes(session, CHAT, USER, now())] == [other.id]
        assert await people.strike(session, edited, days=7) > struck[2]


async def test_names_have_no_message_that_they_share(sessions):
    first, other = await a_case(sessions, 0), await a_case(sessions, 0, revision=30)
    async with sessions.begin() as session:
        for case in (first, other):
            await people.strike(session, case, days=7)
        await people.forgive(session, other)
        assert [s.case_id for s in await people.strikes(session, CHAT, USER, now())] == [first.id]
