"""Acts and cards in the background, against the sandbox and a real database."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
import stamina
from sqlalchemy import select

from bot.outbox import Outbox
from bot.telegram import make_bot
from moderation import owing, sanctions, store
from moderation.categories import Category
from moderation.columns import now
from moderation.policy import Action
from moderation.settings import Settings
from moderation.states import Act, ActState, Verdict
from moderation.tables import Case, Chat, Enforcement, Prediction
from sandbox import scene
from sandbox.client import Client
from sandbox.server import serve

GROUP, OWNER, AUTHOR = scene.GROUP_ID, scene.OWNER_ID, scene.MEMBER_A_ID


@pytest.fixture
async def stage(sessions):
    """A bot whose cards go to a group's owner, the sessions of a database, and the people."""
    async with serve() as sandbox, aiohttp.ClientSession() as http:
        settings = Settings(
            bot_token=sandbox.token, telegram_api_url=sandbox.url, telegram_pace=1000
        )
        async with make_bot(settings) as bot:
            async with sessions.begin() as session:
                chat = await store.chat(session, GROUP, "Соседи", "supergroup")
                chat.owner_id = OWNER
            people = Client(sandbox.url, http)
            await people.write(OWNER, OWNER, "/start")
            yield bot, sessions, people


@pytest.fixture
async def recorded(stage):
    """Records cases of messages that were written, with acts to be done."""
    _, sessions, people = stage

    async def record(number, *acts):
        ids = [await people.write(GROUP, AUTHOR, f"слово {i}") for i in range(number)]
        async with sessions.begin() as session:
            for message_id in ids:
                case = case_of(message_id)
                rows = [Enforcement(act=act) for act in acts]
                await store.record(session, case.prediction, case, rows)
        async with sessions() as session:
            return [await session.get_one(Case, i + 1) for i in range(number)]

    return record


def case_of(message_id):
    prediction = Prediction(
        chat_id=GROUP,
        message_id=message_id,
        revision=0,
        user_id=AUTHOR,
        content_hash="",
        field="text",
        model_version="v1",
        scores={Category.INSULT.value: 0.97},
        action=Action.DELETE,
        category=Category.INSULT,
        score=0.97,
        threshold=0.85,
    )
    return Case(
        chat_id=GROUP, user_name="Имя", text=f"слово {message_id}", flagged=["insult"],
        marks=[], prediction=prediction, card_due=now(),
    )  # fmt: skip


@asynccontextmanager
async def running(stage):
    """An outbox at work. Its cases have their marks, so nothing is asked of the model."""
    bot, sessions, _ = stage
    outbox = Outbox(bot, sessions, None, retry_seconds=0.01)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(outbox.run())
        yield outbox
        await outbox.drain()
        task.cancel()


async def settled(sessions):
    """The cases, once none is owed a card."""
    async with asyncio.timeout(20):
        while True:
            async with sessions() as session:
                if not await owing.owed(session):
                    return list(await session.scalars(select(Case).order_by(Case.id)))
            await asyncio.sleep(0.02)


async def calls(people, *methods):
    found = (await people.get("calls"))["calls"]
    return [call for call in found if call["method"] in methods and call["ok"]]


async def test_all_that_wait_are_deleted_together_and_each_gets_a_card(stage, recorded):
    _, sessions, people = stage
    cases = await recorded(12, Act.DELETE)
    async with running(stage) as outbox:
        for case in cases:
            outbox.put(case)
        shown = await settled(sessions)
    assert [call["method"] for call in await calls(people, "deleteMessage", "deleteMessages")] == [
        "deleteMessages"
    ]
    assert len({case.card_message_id for case in shown}) == 12
    cards = await people.messages(OWNER, scene.BOT_ID)
    assert all("Сообщение удалено" in card["text"] for card in cards)


async def test_what_was_owed_before_a_restart_is_done_then(stage, recorded):
    _, sessions, people = stage
    await recorded(3, Act.DELETE)
    async with running(stage):
        shown = await settled(sessions)
    assert all(case.card_message_id for case in shown)
    assert len(await people.messages(OWNER, scene.BOT_ID)) == 3


async def test_what_a_moderator_decides_comes_before_the_cards_of_others(stage, recorded):
    _, sessions, people = stage
    cases = await recorded(6, Act.DELETE)
    async with running(stage) as outbox:
        await settled(sessions)
        for case in cases:
            async with sessions.begin() as session:
                await owing.owe(session, case.id)
                await store.claim(session, case.id, Verdict.CONFIRMED, OWNER, "Анна")
        before = len(await calls(people, "editMessageText"))
        last = (await reread(sessions, cases[-1])).card_message_id
        for case in cases[:-1]:
            outbox.put(case)
        await outbox.follow(cases[-1], (OWNER, last))
        await settled(sessions)
    edits = [call["params"]["message_id"] for call in await calls(people, "editMessageText")]
    assert int(edits[before]) == last


async def reread(sessions, case):
    async with sessions() as session:
        return await session.get_one(Case, case.id)


async def test_who_decided_waits_for_the_acts(stage, recorded):
    _, sessions, _ = stage
    (case,) = await recorded(1, Act.BAN)
    async with running(stage) as outbox:
        await outbox.follow(case)
        async with sessions() as session:
            (row,) = await sanctions.enforcements(session, case.id)
        assert row.state is ActState.DONE
        await settled(sessions)


@pytest.mark.parametrize(
    ("kind", "cards"), [("500", 1), ("502html", 1), ("drop", 1), ("drop_after_apply", 3)]
)
async def test_a_card_whose_answer_was_lost_is_posted_again(stage, recorded, kind, cards):
    _, sessions, people = stage
    await people.post("faults", method="sendMessage", kind=kind, count=2)
    await recorded(1, Act.DELETE)
    async with running(stage):
        (case,) = await settled(sessions)
    assert case.card_message_id is not None
    assert len(await people.messages(OWNER, scene.BOT_ID)) == cards


async def test_a_notice_whose_answer_was_lost_is_not_sent_again(stage, recorded):
    _, sessions, people = stage
    await people.post("faults", method="sendMessage", kind="drop_after_apply", count=1)
    await recorded(1, Act.NOTICE)
    async with running(stage):
        (case,) = await settled(sessions)
    async with sessions() as session:
        (row,) = await sanctions.enforcements(session, case.id)
    assert row.state is ActState.FAILED
    assert "неизвестно, дошло ли" in row.detail
    assert len(await people.ephemeral(GROUP)) == 1
    (card,) = await people.messages(OWNER, scene.BOT_ID)
    assert "неизвестно, дошло ли" in card["text"]


async def test_a_case_that_always_fails_holds_up_no_other_and_stays_owed(stage, recorded):
    _, sessions, _ = stage
    first, second = await recorded(2, Act.DELETE)
    async with sessions.begin() as session:
        (await session.get_one(Case, first.id)).chat_id = -1  # a group that isn't there
    async with running(stage) as outbox:
        with pytest.raises(Exception, match="No row"):
            await outbox.follow(first)
        await outbox.follow(second)
        await asyncio.sleep(0)
    async with sessions() as session:
        assert [case_id for case_id, _ in await owing.owed(session)] == [first.id]


@pytest.mark.parametrize("kind", ["500", "502html", "drop", "429"])
@pytest.mark.parametrize("method", ["sendMessage", "getChatAdministrators"])
async def test_what_failed_is_tried_again_after_a_while(stage, recorded, monkeypatch, method, kind):
    monkeypatch.setattr("bot.outbox.RESUME_SECONDS", 0.05)
    monkeypatch.setattr("bot.outbox.MAX_ATTEMPTS", 1)
    _, sessions, people = stage
    await people.post("faults", method=method, kind=kind, count=2, retry_after=1000)
    await recorded(1, Act.DELETE)
    with stamina.set_testing(True, attempts=1):
        async with running(stage):
            (case,) = await settled(sessions)
    assert case.card_message_id is not None
    assert len(await people.messages(OWNER, scene.BOT_ID)) == 1


@pytest.mark.parametrize("kind", ["500", "429"])
async def test_acts_are_owed_until_telegram_is_reached_and_the_card_says_so(
    stage, recorded, monkeypatch, kind
):
    monkeypatch.setattr("bot.outbox.RESUME_SECONDS", 0.3)
    _, sessions, people = stage
    for method in ("deleteMessages", "deleteMessage"):
        await people.post("faults", method=method, kind=kind, count=10_000, retry_after=1000)
    await recorded(2, Act.DELETE, Act.NOTICE)
    with stamina.set_testing(True, attempts=1):
        async with running(stage):
            async with asyncio.timeout(20):
                while len(cards := await people.messages(OWNER, scene.BOT_ID)) < 2:
                    await asyncio.sleep(0.02)
            assert all("даляю сообщение… (Telegram" in card["text"] for card in cards)
            assert not await people.ephemeral(GROUP)
            await people.http.delete(f"{people.url}sandbox/faults")
            await settled(sessions)
    cards = await people.messages(OWNER, scene.BOT_ID)
    assert ["Сообщение удалено" in card["text"] for card in cards] == [True, True]
    assert len(await people.ephemeral(GROUP)) == 2


async def test_a_change_of_a_card_is_owed_too(stage, recorded):
    _, sessions, people = stage
    (case,) = await recorded(1, Act.DELETE)
    with stamina.set_testing(True, attempts=1):
        async with running(stage) as outbox:
            await settled(sessions)
            await people.post("faults", method="editMessageText", kind="500", count=2)
            async with sessions.begin() as session:
                await owing.owe(session, case.id)
                await store.claim(session, case.id, Verdict.CONFIRMED, OWNER, "Анна")
            outbox.put(case)
            await settled(sessions)
    (card,) = await people.messages(OWNER, scene.BOT_ID)
    assert "Анна" in card["text"]


async def test_a_case_that_was_forgotten_meanwhile_is_passed_over(stage):
    async with running(stage) as outbox:
        await outbox.follow(Case(id=99, chat_id=GROUP))


async def test_a_card_that_reaches_nobody_is_noted_and_not_tried_for_ever(stage, recorded):
    _, sessions, _ = stage
    async with sessions.begin() as session:
        chat = await session.get_one(Chat, GROUP)
        chat.owner_id, chat.modchat_id = None, -100_123
    await recorded(1, Act.DELETE)
    async with running(stage):
        (case,) = await settled(sessions)
    async with sessions() as session:
        assert (await session.get_one(Chat, GROUP)).card_error == "chat not found"
    assert case.card_message_id is None
