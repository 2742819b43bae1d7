import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from moderation import database, privacy, retention, store
from moderation.columns import now
from moderation.policy import Action
from moderation.states import Act, Source, UpdateState
from moderation.tables import (
    Assignment,
    Case,
    Chat,
    Enforcement,
    InboxUpdate,
    Label,
    Member,
    Prediction,
    PreferenceChange,
    Report,
    Strike,
    Table,
)

GROUP, OTHER = -1001, -1002
ANNA, BORIS, MODERATOR = 51, 52, 53
DAY = timedelta(days=1)
MOMENT = datetime(2026, 5, 1, 12, tzinfo=UTC)
numbers = itertools.count(1)


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        async with found.begin() as session:
            for chat_id in (GROUP, OTHER):
                await store.chat(session, chat_id, "Группа", "supergroup")
        yield found


async def say(session, user_id, chat_id=GROUP, created_at=None, text=None, label=True):
    """A message that was scored; with a text it has a case with a card, a quote and a label."""
    created_at = created_at or now()
    prediction = Prediction(
        chat_id=chat_id, message_id=next(numbers), revision=0, user_id=user_id, content_hash="h",
        field="text", model_version="v", scores={"rude": 0.5}, action=Action.NONE, score=0.0,
        threshold=1.0, created_at=created_at,
    )  # fmt: skip
    session.add(prediction)
    await session.flush()
    if text is None:
        return prediction
    case = Case(
        prediction_id=prediction.id, chat_id=chat_id, user_name=f"Имя {user_id}", text=text,
        text_key="key", flagged=[], card_chat_id=-7, card_message_id=prediction.id,
        resolved_by=MODERATOR, resolved_by_name="Судья", created_at=created_at,
    )  # fmt: skip
    session.add(case)
    await session.flush()
    session.add(
        Enforcement(case_id=case.id, act=Act.RESTORE, message_id=900, former={"status": "member"})
    )
    if label:
        session.add(
            Label(
                case_id=case.id, chat_id=chat_id, moderator_id=MODERATOR, source=Source.BUTTON,
                text=text, text_key="key", vector={}, model_version="v", scores={},
                created_at=created_at,
            )
        )  # fmt: skip
    return case


async def rows(sessions, table, *conditions):
    async with sessions() as session:
        key = table.__table__.primary_key.columns.values()
        return list(await session.scalars(select(table).where(*conditions).order_by(*key)))


async def written(sessions):
    """Everything that the database holds, as text."""
    async with sessions() as session:
        found = [
            await session.execute(select(table.__table__))
            for table in (mapper.class_ for mapper in Table.registry.mappers)
        ]
        return "\n".join(str(row) for result in found for row in result)


async def forget(sessions, *args):
    async with sessions.begin() as session:
        return await privacy.forget_person(session, *args)


async def test_what_is_kept_is_counted(sessions):
    async with sessions.begin() as session:
        chat = await session.get_one(Chat, OTHER)
        chat.preferences = {"retention_days": 90}
        await say(session, ANNA)
        await say(session, ANNA, text="первый", created_at=MOMENT)
        case = await say(session, ANNA, OTHER, text="второй", created_at=MOMENT - DAY)
        await say(session, ANNA, text="")
        await say(session, BORIS, text="чужой")
        session.add(Report(chat_id=GROUP, case_id=case.id, reporter_id=ANNA, reporter_name="Анна"))
        expires = now() + DAY
        session.add(Strike(chat_id=OTHER, user_id=ANNA, case_id=case.id, expires_at=expires))
    async with sessions() as session:
        kept = await privacy.kept(session, ANNA)
        nobody = await privacy.kept(session, 99)
    assert kept == privacy.Kept(4, 3, 2, MOMENT - DAY + 90 * DAY, 1, 1, expires)
    assert nobody == privacy.Kept(0, 0, 0, None, 0, 0, None)


async def test_a_person_is_forgotten_and_the_others_are_not(sessions):
    async with sessions.begin() as session:
        await say(session, ANNA)
        case = await say(session, ANNA, text="слова Анны")
        theirs = await say(session, BORIS, text="слова Бориса")
        session.add(Report(chat_id=GROUP, case_id=theirs.id, reporter_id=ANNA, reporter_name="А"))
        session.add(Report(chat_id=GROUP, case_id=case.id, reporter_id=BORIS, reporter_name="Б"))
        session.add(Member(chat_id=GROUP, user_id=ANNA, joined_at=now() - 40 * DAY))
    forgotten = await forget(sessions, ANNA)

    assert (forgotten.messages, forgotten.cases, forgotten.labels) == (2, 1, 1)
    assert (forgotten.reports, forgotten.strikes, forgotten.strikes_until) == (1, 0, None)
    assert [(x.chat_id, x.message_id) for x in forgotten.shown] == [
        (-7, case.card_message_id),
        (GROUP, 900),
    ]
    mine, other = await rows(sessions, Case)
    assert (mine.text, mine.user_name, mine.text_key) == ("", "", "")
    assert (other.text, other.user_name, other.text_key) == ("слова Бориса", "Имя 52", "key")
    assert mine.prediction.user_id == 0
    assert [(x.text, x.text_key) for x in await rows(sessions, Label)] == [
        ("", ""),
        ("слова Бориса", "key"),
    ]
    assert [(x.user_id, x.content_hash) for x in await rows(sessions, Prediction)] == [
        (0, ""),
        (0, ""),
        (BORIS, "h"),
    ]
    assert await rows(sessions, Member) == []
    assert await rows(sessions, Enforcement, Enforcement.former.is_not(None)) != []
    assert "слова Анны" not in await written(sessions)


async def test_repeating_it_does_nothing_and_0_is_nobody(sessions):
    async with sessions.begin() as session:
        await say(session, ANNA, text="слова")
    await forget(sessions, ANNA)
    before = await written(sessions)
    again = await forget(sessions, ANNA)
    assert again == privacy.Forgotten(0, 0, 0, 0, 0, None, ())
    assert await written(sessions) == before
    with pytest.raises(ValueError, match="forgotten"):
        await forget(sessions, 0)


async def test_in_one_group_the_others_stay(sessions):
    async with sessions.begin() as session:
        await say(session, ANNA, GROUP, text="здесь")
        await say(session, ANNA, OTHER, text="там")
    assert (await forget(sessions, ANNA, GROUP)).cases == 1
    assert [case.text for case in await rows(sessions, Case)] == ["", "там"]


async def test_what_still_limits_a_person_stays_until_it_is_over(sessions):
    async with sessions.begin() as session:
        cases = [await say(session, ANNA, text="слова") for _ in range(3)]
        for case, expires, withdrawn in zip(
            cases, (now() + DAY, now() - DAY, now() + DAY), (None, None, now()), strict=True
        ):
            session.add(
                Strike(
                    chat_id=GROUP, user_id=ANNA, case_id=case.id, expires_at=expires,
                    withdrawn_at=withdrawn,
                )
            )  # fmt: skip
        session.add(Member(chat_id=GROUP, user_id=ANNA, reports_blocked_until=now() + DAY))
        session.add(Member(chat_id=OTHER, user_id=ANNA, joined_at=now()))
    forgotten = await forget(sessions, ANNA)
    assert forgotten.strikes == 1
    assert forgotten.strikes_until > now()
    assert [strike.case_id for strike in await rows(sessions, Strike)] == [cases[0].id]
    assert len(await rows(sessions, Member)) == 2

    await retention.expire_all(sessions, moment=now() + 40 * DAY)
    assert await rows(sessions, Strike) == []
    assert await rows(sessions, Member) == []
    assert f" {ANNA}," not in await written(sessions)


async def test_reports_of_the_last_day_count_on_without_a_name(sessions):
    async with sessions.begin() as session:
        for created_at in (now() - 2 * DAY, now()):
            case = await say(session, BORIS, text="слова")
            session.add(
                Report(
                    chat_id=GROUP, case_id=case.id, reporter_id=ANNA, reporter_name="Анна",
                    created_at=created_at,
                )
            )  # fmt: skip
    assert (await forget(sessions, ANNA)).reports == 2
    assert [report.reporter_name for report in await rows(sessions, Report)] == [""]


async def test_a_moderators_name_goes_from_what_they_decided(sessions):
    async with sessions.begin() as session:
        await say(session, BORIS, text="слова")
    await forget(sessions, MODERATOR)
    (case,) = await rows(sessions, Case)
    assert (case.resolved_by, case.resolved_by_name, case.text) == (MODERATOR, "", "слова")


async def test_raw_updates_that_were_handled_lose_their_words(sessions):
    def payload(user_id):
        return f'{{"message": {{"from": {{"id": {user_id}, "first_name": "N"}}}}}}'

    updates = [
        (1, GROUP, payload(ANNA), UpdateState.QUARANTINED),
        (2, GROUP, payload(ANNA), UpdateState.DONE),
        (3, GROUP, payload(ANNA), UpdateState.PENDING),
        (4, GROUP, payload(BORIS), UpdateState.QUARANTINED),
        (5, GROUP, payload(ANNA * 10 + 1), UpdateState.QUARANTINED),
        (6, ANNA, "", UpdateState.DONE),
        (7, None, '{"from": {"id": 51}}', UpdateState.QUARANTINED),
    ]
    async with sessions.begin() as session:
        session.add_all(
            InboxUpdate(id=i, chat_id=chat, payload=words, state=state)
            for i, chat, words, state in updates
        )
    await forget(sessions, ANNA)
    found = await rows(sessions, InboxUpdate)
    assert [bool(update.payload) for update in found] == [0, 0, 1, 1, 1, 0, 0]
    assert found[5].chat_id is None
    await retention.expire_all(sessions, moment=now() + 8 * DAY)
    assert [bool(update.payload) for update in await rows(sessions, InboxUpdate)] == [
        0, 0, 1, 0, 0, 0, 0,
    ]  # fmt: skip


async def test_cards_are_known_until_they_are_hidden(sessions):
    async with sessions.begin() as session:
        await say(session, ANNA, text="слова")
        chat = await session.get_one(Chat, GROUP)
        chat.preferences = {"language": "en"}
    shown = (await forget(sessions, ANNA)).shown
    assert {message.language for message in shown} == {"en"}
    async with sessions.begin() as session:
        assert await privacy.shown(session) == shown
        for message in shown:
            await privacy.hidden(session, message)
    async with sessions() as session:
        assert await privacy.shown(session) == ()


async def test_many_messages_are_forgotten(sessions):
    count = privacy.CHUNK + 1
    async with sessions.begin() as session:
        for _ in range(count):
            await say(session, ANNA)
    assert (await forget(sessions, ANNA)).messages == count
    assert await rows(sessions, Prediction, Prediction.user_id == ANNA) == []


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
        await store.finish_update(session, 1, UpdateState.DONE)
    assert await expire(sessions) == {"removed_chats": 1}


async def test_many_old_cases_go_batch_by_batch(sessions):
    async with sessions.begin() as session:
        for _ in range(7):
            await say(session, ANNA, created_at=MOMENT - 31 * DAY, text="слова")
    assert await expire(sessions, batch=3) == {"cases": 7}
    async with sessions() as session:
        left = select(func.count(Case.id)).where(Case.text != "")
        assert await session.scalar(left) == 0
