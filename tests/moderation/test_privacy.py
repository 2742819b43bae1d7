from datetime import UTC, datetime

import pytest

from moderation import database, privacy, retention, store
from moderation.columns import now
from moderation.states import UpdateState
from moderation.tables import (
    Case,
    Chat,
    Enforcement,
    InboxUpdate,
    Label,
    Member,
    Prediction,
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
    assert [update.id for update in await rows(sessions, InboxUpdate)] == [3]  # it waits


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
