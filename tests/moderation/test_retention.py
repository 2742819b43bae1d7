from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, update

from moderation import database, retention, store
from moderation.tables import (
    Assignment,
    Case,
    Chat,
    InboxUpdate,
    Label,
    Member,
    Prediction,
    PreferenceChange,
    Report,
    Strike,
)
from tests.moderation.rows import ANNA, BORIS, DAY, GROUP, MODERATOR, OTHER, rows, say, written

MOMENT = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        async with found.begin() as session:
            for chat_id in (GROUP, OTHER):
                await store.chat(session, chat_id, "Группа", "supergroup")
        yield found


async def expire(sessions, moment=MOMENT, **how):
    return dict(await retention.expire_all(sessions, moment=moment, **how))


async def test_each_group_keeps_texts_for_its_own_days(sessions):
    async with sessions.begin() as session:
        (await session.get_one(Chat, OTHER)).preferences = {"retention_days": 5}
        for chat_id in (GROUP, OTHER):
            for age in (1, 6, 31):
                text = f"{age} дней"
                await say(session, ANNA, chat_id, created_at=MOMENT - age * DAY, text=text)
    assert await expire(sessions) == {"cases": 3}
    cases = await rows(sessions, Case)
    assert [case.text for case in cases] == ["1 дней", "6 дней", "", "1 дней", "", ""]
    gone = cases[2]
    assert (gone.user_name, gone.text_key, gone.resolved_by_name) == ("", "", "")
    # A ban can still be lifted, and the model still learns.
    assert gone.prediction.user_id == ANNA
    assert [label.text for label in await rows(sessions, Label)][2] == "31 дней"
    assert await expire(sessions) == {}


async def test_whose_an_old_message_was_goes_where_no_case_needs_it(sessions):
    async with sessions.begin() as session:
        for user_id in (ANNA, -10055):
            await say(session, user_id, created_at=MOMENT - 31 * DAY)
            await say(session, user_id, created_at=MOMENT - 29 * DAY)
    assert await expire(sessions) == {"people": 1, "channels": 1}
    found = await rows(sessions, Prediction)
    assert [row.user_id for row in found] == [0, ANNA, 0, -10055]
    assert found[0].content_hash == ""
    assert found[0].scores == {"rude": 0.5}


async def test_labels_keep_texts_for_the_operators_days(sessions):
    async with sessions.begin() as session:
        for age in (99, 101):
            await say(session, ANNA, created_at=MOMENT - age * DAY, text="слова")
    assert (await expire(sessions, label_days=100))["labels"] == 1
    assert [(row.text, row.text_key) for row in await rows(sessions, Label)] == [
        ("слова", "key"),
        ("", ""),
    ]


async def test_spent_strikes_reports_and_memberships_go(sessions):
    async with sessions.begin() as session:
        for days in (-31, 1):
            case = await say(session, ANNA, created_at=MOMENT + days * DAY, text="слова")
            session.add(
                Strike(chat_id=GROUP, user_id=ANNA, case_id=case.id, expires_at=MOMENT + days * DAY)
            )
            session.add(
                Report(
                    chat_id=GROUP, case_id=case.id, reporter_id=BORIS, reporter_name="Б",
                    created_at=MOMENT + days * DAY,
                )
            )  # fmt: skip
            session.add(Member(chat_id=days, user_id=1, joined_at=MOMENT + days * DAY))
            session.add(Member(chat_id=days, user_id=2, reports_blocked_until=MOMENT + days * DAY))
    done = await expire(sessions)
    assert done == {"cases": 1, "reports": 1, "strikes": 1, "members": 2}
    assert len(await rows(sessions, Strike)) == len(await rows(sessions, Report)) == 1
    assert {member.chat_id for member in await rows(sessions, Member)} == {1}


async def leave(sessions, days, **values):
    async with sessions.begin() as session:
        left = {"is_active": False, "removed_at": MOMENT - days * DAY} | values
        await session.execute(update(Chat).where(Chat.id == GROUP).values(**left))


async def crowd(sessions):
    """Something of everything, in both groups."""
    async with sessions.begin() as session:
        for chat_id in (GROUP, OTHER):
            for _ in range(3):
                await say(session, ANNA, chat_id, created_at=MOMENT)
                case = await say(session, ANNA, chat_id, created_at=MOMENT, text=f"слова{chat_id}")
                session.add(
                    Strike(chat_id=chat_id, user_id=ANNA, case_id=case.id, expires_at=MOMENT + DAY)
                )
                session.add(
                    Report(
                        chat_id=chat_id, case_id=case.id, reporter_id=BORIS, reporter_name="Б",
                        created_at=MOMENT,
                    )
                )  # fmt: skip
                session.add(Assignment(case_id=case.id, moderator_id=MODERATOR))
            session.add(Member(chat_id=chat_id, user_id=ANNA, joined_at=MOMENT))
            session.add(
                PreferenceChange(
                    chat_id=chat_id,
                    user_id=MODERATOR,
                    field="preset",
                    before="soft",
                    after="strict",
                )
            )
            session.add(InboxUpdate(id=-chat_id, chat_id=chat_id, payload="", state="done"))
        (await session.get_one(Chat, OTHER)).modchat_id = GROUP


async def test_a_group_that_was_left_goes_altogether(sessions):
    await crowd(sessions)
    await leave(sessions, 31)
    done = await expire(sessions, batch=2)
    assert done == {"removed_cases": 3, "removed_scores": 6, "removed_chats": 1}
    said = await written(sessions)
    assert str(GROUP) not in said
    assert said.count(f"слова{OTHER}") == 6
    (chat,) = await rows(sessions, Chat)
    assert (chat.id, chat.modchat_id) == (OTHER, None)
    assert await expire(sessions) == {}


@pytest.mark.parametrize(("days", "values"), [(29, {}), (31, {"is_active": True})])
async def test_a_group_that_may_come_back_or_did_stays(sessions, days, values):
    await crowd(sessions)
    await leave(sessions, days, **values)
    assert await expire(sessions) == {}
    assert len(await rows(sessions, Chat)) == 2


async def test_an_update_that_waits_is_handled_before_its_group_goes(sessions):
    await leave(sessions, 31)
    async with sessions.begin() as session:
        session.add(InboxUpdate(id=1, chat_id=GROUP, payload="{}"))
    assert await expire(sessions) == {}
    async with sessions.begin() as session:
        await store.finish_updates(session, [1])
    assert await expire(sessions) == {"removed_chats": 1}


async def test_many_old_cases_go_batch_by_batch(sessions):
    async with sessions.begin() as session:
        for _ in range(7):
            await say(session, ANNA, created_at=MOMENT - 31 * DAY, text="слова")
    assert await expire(sessions, batch=3) == {"cases": 7}
    async with sessions() as session:
        left = select(func.count(Case.id)).where(Case.text != "")
        assert await session.scalar(left) == 0


async def test_what_was_handled_goes_after_two_days_and_what_could_not_be_after_seven(sessions):
    ages = {1: ("done", 1), 2: ("done", 3), 3: ("quarantined", 6), 4: ("quarantined", 8)}
    async with sessions.begin() as session:
        for id_, (state, days) in {**ages, 5: ("pending", 30)}.items():
            at = MOMENT - days * DAY
            session.add(InboxUpdate(id=id_, payload="слова", state=state, received_at=at))
    assert await expire(sessions, batch=1) == {"updates": 2}
    assert [row.id for row in await rows(sessions, InboxUpdate)] == [1, 3, 5]
