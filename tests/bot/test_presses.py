"""Any sequence of presses, by any mix of people, on the cards' real handlers and a real sandbox."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import pytest
from aiogram import Bot, Dispatcher
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import CallbackQuery, Chat, Message, Update, User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot import verdicts
from bot.members import Members
from bot.outbox import Outbox
from moderation import database, owing, sanctions, store
from moderation.categories import Category
from moderation.columns import now
from moderation.policy import Action
from moderation.states import Act, ActState, PersonDecision, Step, Verdict
from moderation.tables import Case, Enforcement, Label, Prediction
from sandbox import scene
from sandbox.client import Client
from sandbox.server import serve

OWNER, MODERATOR, DELETER, MEMBER, STRANGER, ELSEWHERE = (
    scene.OWNER_ID, scene.MODERATOR_ID, scene.MEMBER_B_ID, scene.MEMBER_A_ID,
    scene.PASSER_BY_ID, scene.MEMBER_C_ID,
)  # fmt: skip
DECIDES = {OWNER, MODERATOR, DELETER}
RESTRICTS = {OWNER, MODERATOR}
PUNISHING = {PersonDecision.MUTE_HOUR, PersonDecision.MUTE_DAY, PersonDecision.BAN}

presses = st.tuples(
    st.sampled_from([OWNER, MODERATOR, DELETER, MEMBER, STRANGER, ELSEWHERE]),
    st.one_of(
        st.sampled_from(["c:1:right:0", "c:1:clean:0", "c:1:fix:3", "c:1:block:0", "c:2:clean:0"]),
        st.integers(0, 40).map(lambda chosen: f"c:1:done:{chosen}"),
        st.sampled_from(list(PersonDecision)).map(lambda d: f"a:1:{d.value}"),
        st.sampled_from(["a:1:kill", "c:1", "", "a:9:ban", "c:1:done:-7"]),
    ),
)


@asynccontextmanager
async def stage():
    """A card of an insult that the bot deleted, and the dispatcher of the cards' buttons."""
    with TemporaryDirectory() as folder:
        async with serve() as sandbox, aiohttp.ClientSession() as http:
            people = Client(sandbox.url, http)
            admin = {"chat_id": scene.GROUP_ID, "status": "administrator"}
            await people.post("members", user_id=DELETER, **admin, can_delete_messages=True)
            await people.post(
                "chats", id=-100555, title="Другая", members=[
                    {"user_id": ELSEWHERE, "status": "creator"},
                ],
            )  # fmt: skip
            session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.url))
            html = DefaultBotProperties(parse_mode="HTML")
            url = f"sqlite+aiosqlite:///{Path(folder)}/bot.sqlite3"
            async with (
                Bot(sandbox.token, session=session, default=html) as bot,
                database.opened(url) as sessions,
            ):
                await a_case(bot, sessions, people)
                outbox = Outbox(bot, sessions, None)  # the case has its marks: nothing is scored
                dispatcher = Dispatcher(
                    sessions=sessions, members=Members(bot), outbox=outbox, disable_fsm=True
                )
                dispatcher.include_router(verdicts.router())
                async with asyncio.TaskGroup() as group:
                    working = group.create_task(outbox.run())
                    yield bot, sessions, people, dispatcher
                    working.cancel()


async def a_case(bot, sessions, people):
    message_id = await people.write(scene.GROUP_ID, MEMBER, "Ты идиот")
    card = await bot.send_message(scene.MODERATORS_ID, "Карточка")
    prediction = Prediction(
        chat_id=scene.GROUP_ID, message_id=message_id, revision=0, user_id=MEMBER,
        content_hash="", field="text", model_version="v", scores={"insult": 0.97},
        action=Action.DELETE, category=Category.INSULT, score=0.97, threshold=0.75,
    )  # fmt: skip
    case = Case(
        chat_id=scene.GROUP_ID, user_name="Имя", text="Ты идиот", flagged=["insult"],
        card_chat_id=scene.MODERATORS_ID, card_message_id=card.message_id, marks=[],
    )  # fmt: skip
    async with sessions.begin() as session:
        chat = await store.chat(session, scene.GROUP_ID, "Соседи", "supergroup")
        chat.modchat_id = scene.MODERATORS_ID
        deleted = Enforcement(act=Act.DELETE, step=Step.DECISION, state=ActState.DONE)
        await store.record(session, prediction, case, [deleted])


async def press(bot, dispatcher, user_id, data, number):
    chat = Chat(id=scene.MODERATORS_ID, type="supergroup")
    query = CallbackQuery(
        id=str(number), chat_instance="1", data=data,
        from_user=User(id=user_id, is_bot=False, first_name=f"Имя {user_id}", language_code="ru"),
        message=Message(message_id=1, date=now(), chat=chat),
    )  # fmt: skip
    await dispatcher.feed_update(bot, Update(update_id=number, callback_query=query))


async def read(sessions):
    """What stands once nothing is owed any more."""
    while True:
        async with sessions() as session:
            if not await owing.owed(session):
                break
        await asyncio.sleep(0.01)
    async with sessions() as session:
        case = await session.get_one(Case, 1)
        labels = list(await session.scalars(select(Label)))
        acts = await sanctions.enforcements(session, 1)
    return case, labels, acts


async def play(steps):
    async with stage() as (bot, sessions, people, dispatcher):
        before, _, _ = await read(sessions)
        for number, (user_id, data) in enumerate(steps, 1):
            await press(bot, dispatcher, user_id, data, number)
            case, labels, acts = await read(sessions)
            check(before, case, labels, acts, user_id)
            before = case
        chat = await people.chat(scene.GROUP_ID)
        status = next(m["status"] for m in chat["members"] if m["user_id"] == MEMBER)
        check_outcome(before, acts if steps else [], status)


def check(before, case, labels, acts, user_id):
    """What one press may change, and who may."""
    assert len(labels) == (case.verdict is not None)
    if case.verdict is not before.verdict:
        assert before.verdict is None
        assert case.resolved_by == user_id
        assert user_id in DECIDES
    if case.person is not before.person:
        assert case.verdict in (Verdict.CONFIRMED, Verdict.CORRECTED)
        assert before.person is None or case.person is PersonDecision.FORGIVE
        assert before.person is not PersonDecision.FORGIVE
        assert case.person_by == user_id
        hard = case.person in PUNISHING or before.person in PUNISHING
        assert user_id in (RESTRICTS if hard else DECIDES)
    assert len({(row.step, row.act) for row in acts}) == len(acts)
    assert all(row.state is not ActState.PENDING for row in acts)


def check_outcome(case, acts, status):
    """What stands in the group is what was decided last."""
    done = {row.act for row in acts if row.state is ActState.DONE}
    if case.person in PUNISHING:
        assert status == ("kicked" if case.person is PersonDecision.BAN else "restricted")
    else:
        assert status in ("member", "left")
    if case.verdict is Verdict.CLEAN:
        assert Act.RESTORE in done
        assert not done & {Act.MUTE, Act.BAN}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(presses, max_size=8))
def test_no_presses_lead_to_two_states_or_to_what_nobody_may(steps):
    asyncio.run(play(steps))


@pytest.mark.parametrize(
    "steps",
    [
        [
            (MODERATOR, "c:1:right:0"),
            (OWNER, "a:1:ban"),
            (DELETER, "a:1:forgive"),
            (OWNER, "a:1:forgive"),
        ],
        [(MODERATOR, "c:1:done:2"), (DELETER, "a:1:ban"), (MODERATOR, "a:1:mute_hour")],
        [(STRANGER, "c:1:right:0"), (ELSEWHERE, "a:1:ban"), (OWNER, "c:1:clean:0")],
    ],
)
def test_the_usual_ways_through_a_card(steps):
    asyncio.run(play(steps))


def test_of_many_presses_at_once_one_counts():
    async def race():
        async with stage() as (bot, sessions, _, dispatcher):
            hasty = [(OWNER, "c:1:right:0"), (MODERATOR, "c:1:clean:0"), (DELETER, "c:1:done:1")]
            await asyncio.gather(
                *(press(bot, dispatcher, user, data, i) for i, (user, data) in enumerate(hasty, 1))
            )
            case, labels, _ = await read(sessions)
            assert len(labels) == 1
            assert labels[0].moderator_id == case.resolved_by

    asyncio.run(race())
