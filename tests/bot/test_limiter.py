import asyncio
import heapq
import itertools
from dataclasses import dataclass, field

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import BanChatMember, GetMe, SendMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.limiter import OVERALL, PER_CHAT, PER_GROUP, Limiter, Limits, Urgency, urgency_of
from bot.telegram import REPEATABLE

GROUP, OTHER, PERSON = -1001, -1002, 5


@dataclass
class Handle:
    """A call to come, as an event loop gives it."""

    callback: object
    is_cancelled: bool = False

    def cancel(self):
        self.is_cancelled = True


@dataclass
class Clock:
    """A loop's time, moved by hand."""

    now: float = 0.0
    calls: list = field(default_factory=list)
    numbers: itertools.count = field(default_factory=itertools.count)

    def time(self):
        return self.now

    def call_later(self, delay, callback):
        handle = Handle(callback)
        heapq.heappush(self.calls, (self.now + delay, next(self.numbers), handle))
        return handle

    async def advance(self, seconds):
        end = self.now + seconds
        while self.calls and self.calls[0][0] <= end:
            self.now, _, handle = heapq.heappop(self.calls)
            if not handle.is_cancelled:
                handle.callback()
            await settle()
        self.now = end
        await settle()


async def settle():
    for _ in range(3):
        await asyncio.sleep(0)


@dataclass
class Line:
    """Calls in line, and the moments at which they went."""

    limiter: Limiter
    clock: Clock
    group: asyncio.TaskGroup
    went: list = field(default_factory=list)

    async def call(self, urgency, chat_id=GROUP, count=1):
        async def one():
            await self.limiter.turn(urgency, chat_id)
            self.went.append((self.clock.now, urgency, chat_id))

        tasks = [self.group.create_task(one()) for _ in range(count)]
        await settle()
        return tasks

    def moments(self, chat_id=GROUP):
        return [at for at, _, chat in self.went if chat == chat_id]


@pytest.fixture
async def line():
    clock = Clock()
    async with asyncio.TaskGroup() as group:
        made = Line(Limiter(timer=clock), clock, group)
        yield made
        await clock.advance(10_000)


async def test_a_group_gets_twenty_messages_a_minute_and_the_rest_later(line):
    await line.call(Urgency.SAY, count=45)
    assert len(line.moments()) == PER_CHAT[0]
    await line.clock.advance(59)
    assert len(line.moments()) == 20
    await line.clock.advance(60)
    assert len(line.moments()) == 40
    await line.clock.advance(60)
    assert len(line.moments()) == 45


async def test_a_private_chat_gets_a_message_a_second(line):
    await line.call(Urgency.SAY, PERSON, count=30)
    await line.clock.advance(30)
    assert len(line.moments(PERSON)) == 30
    assert max(line.moments(PERSON)) >= 24


async def test_deletions_and_answers_pass_where_messages_wait(line):
    await line.call(Urgency.SAY, count=30)
    await line.call(Urgency.ACT)
    await line.call(Urgency.ANSWER, None)
    assert [urgency for _, urgency, _ in line.went[-2:]] == [Urgency.ACT, Urgency.ANSWER]


async def test_a_busy_chat_holds_up_no_other(line):
    await line.call(Urgency.SAY, count=30)
    await line.call(Urgency.SAY, OTHER)
    assert len(line.moments(OTHER)) == 1


async def test_where_all_must_wait_the_most_urgent_goes_first(line):
    for chat_id in range(1, OVERALL[0] + 1):
        await line.call(Urgency.SAY, chat_id)
    for urgency in reversed(Urgency):
        await line.call(urgency, 1000 + urgency)
    assert len(line.went) == OVERALL[0]
    await line.clock.advance(1)
    assert [urgency for _, urgency, _ in line.went[OVERALL[0] :]] == list(Urgency)


async def test_an_edit_is_not_kept_waiting_by_newer_messages_for_ever(line):
    await line.call(Urgency.SAY, count=PER_CHAT[0])
    await line.call(Urgency.EDIT)
    for _ in range(20):
        await line.call(Urgency.SAY)
        await line.clock.advance(1)
    assert Urgency.EDIT in [urgency for _, urgency, _ in line.went]


async def test_a_hold_is_of_the_chat_and_lets_its_deletions_pass(line):
    line.limiter.hold(Urgency.SAY, GROUP, 30)
    await line.call(Urgency.SAY)
    await line.call(Urgency.EDIT)
    await line.call(Urgency.ACT)
    await line.call(Urgency.SAY, OTHER)
    assert [urgency for _, urgency, _ in line.went] == [Urgency.ACT, Urgency.SAY]
    await line.clock.advance(29)
    assert len(line.went) == 2
    await line.clock.advance(1)
    assert len(line.went) == 4


async def test_where_deletions_must_wait_the_chats_messages_do_too(line):
    line.limiter.hold(Urgency.ACT, GROUP, 30)
    await line.call(Urgency.ACT)
    await line.call(Urgency.SAY)
    assert not line.went


async def test_where_several_chats_must_wait_all_do(line):
    for chat_id in (-1, -2, -3):
        line.limiter.hold(Urgency.SAY, chat_id, 10)
    await line.call(Urgency.SAY, OTHER)
    assert not line.went
    await line.clock.advance(10)
    assert line.moments(OTHER) == [10]


async def test_who_gives_up_leaves_the_line(line):
    tasks = await line.call(Urgency.SAY, count=PER_CHAT[0] + 1)
    tasks[-1].cancel()
    await settle()
    assert line.limiter.waiting == 0


async def test_idle_chats_are_forgotten(line):
    for chat_id in range(1, 21):
        await line.call(Urgency.SAY, chat_id)
    await line.clock.advance(200)
    await line.call(Urgency.SAY)
    assert line.limiter.chats == 1


async def test_a_server_of_ones_own_may_be_faster(line):
    line.limiter = Limiter(100, line.clock)
    await line.call(Urgency.SAY, count=20)
    await line.clock.advance(1)
    assert len(line.went) == 20


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(Urgency), st.sampled_from([GROUP, PERSON, 6]))))
async def test_no_order_of_calls_breaks_a_limit_or_loses_one(calls):
    clock = Clock()
    async with asyncio.TaskGroup() as group:
        line = Line(Limiter(timer=clock), clock, group)
        for urgency, chat_id in calls:
            await line.call(urgency, chat_id)
            await clock.advance(0.1)
        await clock.advance(1000)
    assert len(line.went) == len(calls)
    messages = [(at, chat) for at, urgency, chat in line.went if urgency >= Urgency.SAY]
    keeps([at for at, _, _ in line.went], *OVERALL)
    for chat in (GROUP, PERSON, 6):
        moments = [at for at, where in messages if where == chat]
        keeps(moments, *PER_CHAT)
        if chat == GROUP:
            keeps(moments, *PER_GROUP)


def keeps(moments, count, seconds):
    pairs = zip(moments, moments[count:], strict=False)
    assert all(later - first >= seconds - 1e-6 for first, later in pairs)


@pytest.mark.parametrize(
    ("name", "urgency"),
    [
        ("deleteMessages", Urgency.ACT),
        ("banChatSenderChat", Urgency.ACT),
        ("unbanChatMember", Urgency.ACT),
        ("restrictChatMember", Urgency.ACT),
        ("answerCallbackQuery", Urgency.ANSWER),
        ("sendMessage", Urgency.SAY),
        ("sendDocument", Urgency.SAY),
        ("editMessageReplyMarkup", Urgency.EDIT),
        ("getUpdates", None),
        ("getChatMember", None),
        ("setMyCommands", None),
        ("deleteMyCommands", None),
        ("deleteWebhook", None),
        ("sendChatAction", None),
    ],
)
def test_every_kind_of_call_has_its_place(name, urgency):
    assert urgency_of(name) is urgency


def test_nothing_that_sends_is_repeated():
    assert Urgency.SAY not in map(urgency_of, REPEATABLE)


@pytest.fixture
def bot():
    session = AiohttpSession(api=TelegramAPIServer.from_base("http://127.0.0.1:9"))
    return Bot("1:" + "a" * 35, session=session)


@pytest.mark.parametrize(
    ("method", "seconds", "is_repeated"),
    [
        (SendMessage(chat_id=GROUP, text="а"), 7, True),
        (BanChatMember(chat_id=GROUP, user_id=1), 7, True),
        (SendMessage(chat_id=GROUP, text="а"), 5000, False),
        (GetMe(), 7, False),
    ],
)
async def test_a_call_waits_as_long_as_telegram_asks(bot, method, seconds, is_repeated):
    clock, asked = Clock(), []
    limits = Limits(Limiter(timer=clock))

    async def make_request(bot, method):
        asked.append(clock.now)
        if len(asked) == 1:
            raise TelegramRetryAfter(method=method, message="wait", retry_after=seconds)
        return "sent"

    async with asyncio.TaskGroup() as group:
        call = group.create_task(answer(limits(make_request, bot, method)))
        await settle()
        await clock.advance(10)
    assert asked == ([0, seconds] if is_repeated else [0])
    assert (call.result() == "sent") is is_repeated


async def answer(call):
    try:
        return await call
    except TelegramRetryAfter as error:
        return error
