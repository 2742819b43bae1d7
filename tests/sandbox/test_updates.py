import asyncio
import random

import pytest

from sandbox import scene
from sandbox.answers import ApiError, conflict
from sandbox.clock import Clock
from sandbox.updates import DEFAULT_KINDS, OTHER_POLLER, UpdateQueue


@pytest.fixture
def queue():
    return UpdateQueue(Clock())


def fill(queue, count):
    return [queue.inject({"message": {}}) for _ in range(count)]


def ids(batch):
    return [update["update_id"] for update in batch]


async def test_updates_stay_until_the_offset_passes_them(queue):
    first, second, third = fill(queue, 3)

    assert ids(await queue.poll(0, 100, 0)) == [first, second, third]
    assert ids(await queue.poll(second, 100, 0)) == [second, third]
    assert ids(await queue.poll(third + 1, 100, 0)) == []
    assert queue.confirmed_offset == third + 1


async def test_a_negative_offset_keeps_only_the_newest(queue):
    _, second, third = fill(queue, 3)

    assert ids(await queue.poll(-2, 100, 0)) == [second, third]
    assert ids(await queue.poll(-5, 100, 0)) == [second, third]


async def test_a_negative_offset_on_an_empty_queue_finds_nothing(queue):
    assert await queue.poll(-1, 100, 0) == []


@pytest.mark.parametrize(("limit", "count"), [(0, 1), (2, 2), (500, 100)])
async def test_the_limit_is_clamped(queue, limit, count):
    fill(queue, 120)

    assert len(await queue.poll(0, limit, 0)) == count


async def test_the_same_offset_at_once_gives_a_single_update(queue):
    fill(queue, 3)

    assert len(await queue.poll(0, 100, 0)) == 3
    assert len(await queue.poll(0, 100, 0)) == 1


async def test_the_same_offset_with_nothing_new_is_held(queue):
    await queue.poll(0, 100, 0)

    async with asyncio.TaskGroup() as group:
        poll = group.create_task(queue.poll(0, 100, 0))
        await asyncio.sleep(0.05)
        assert not poll.done()
        fill(queue, 1)
    assert len(poll.result()) == 1


async def test_a_long_poll_returns_as_soon_as_something_happens(queue):
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(queue.poll(0, 100, 50))
        await asyncio.sleep(0)
        [update_id] = fill(queue, 1)
    assert ids(poll.result()) == [update_id]


async def test_a_long_poll_returns_empty_when_the_time_is_over(queue):
    assert await queue.poll(0, 100, 1) == []


async def test_a_second_poller_ends_the_waiting_request(client):
    async with asyncio.TaskGroup() as group:
        first = group.create_task(client.call("getUpdates", offset=-1, timeout=0))
        await first
        waiting = group.create_task(client.call("getUpdates", offset=2_000_000_000, timeout=30))
        await asyncio.sleep(0.05)
        second = group.create_task(client.call("getUpdates", offset=2_000_000_001, timeout=30))
        answer = await waiting
        await client.write(scene.MEMBER_A_ID, "слова")
    assert answer["error_code"] == 409
    assert answer["description"] == f"Conflict: {OTHER_POLLER}"
    assert second.result()["ok"] is True


async def test_conflicts_in_a_row_are_delayed(queue, monkeypatch):
    monkeypatch.setattr("sandbox.updates.CONFLICT_PAUSE_SECONDS", 0.1)
    reason = conflict("a")
    await queue.refuse(reason)
    started = asyncio.get_running_loop().time()

    assert await queue.refuse(reason) is reason
    assert asyncio.get_running_loop().time() - started >= 0.09


async def test_a_waiting_poll_can_be_interrupted(queue):
    async def interrupt():
        queue.interrupt(conflict("terminated by setWebhook request"))

    outcome, _ = await asyncio.gather(queue.poll(0, 100, 50), interrupt(), return_exceptions=True)

    assert isinstance(outcome, ApiError)
    assert outcome.description == "Conflict: terminated by setWebhook request"


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        (["MESSAGE", "chat_member"], {"message", "chat_member"}),
        (["message", "nonsense"], {"message"}),
        (["nonsense"], DEFAULT_KINDS),
        ([], DEFAULT_KINDS),
    ],
)
def test_a_subscription_takes_known_names_in_any_case(queue, given, allowed):
    queue.subscribe(given)

    assert queue.allowed == allowed


@pytest.mark.parametrize("given", [None, "message", [1]])
def test_an_unparsable_subscription_changes_nothing(queue, given):
    queue.subscribe(["message"])
    queue.subscribe(given)

    assert queue.allowed == {"message"}


def test_what_the_bot_did_not_subscribe_to_is_never_queued(queue):
    queue.subscribe(["callback_query"])
    queue.add("message", {}, "chat 1")
    queue.subscribe(["message"])

    assert not queue.pending


async def test_presses_expire_sooner_than_messages(queue):
    queue.add("callback_query", {}, "callback_query 1")
    queue.add("message", {}, "chat 1")
    queue.clock.advance(151)
    [left] = await queue.poll(0, 100, 0)
    queue.clock.advance(24 * 3600)

    assert "message" in left
    assert await queue.poll(1, 100, 0) == []


async def test_confirmed_updates_can_come_again(queue):
    _, second = fill(queue, 2)
    await queue.poll(second + 1, 100, 0)

    assert queue.redeliver(1) == 1
    assert ids(await queue.poll(second + 1, 100, 3)) == [second]
    [fresh] = fill(queue, 1)
    assert ids(await queue.poll(second + 1, 100, 0)) == [fresh]


async def test_chats_overtake_one_another_but_none_itself_nor_what_was_seen(queue):
    for n in range(40):
        queue.inject({"message": {"lane": n % 4, "n": n}}, lane=str(n % 4))
    seen = await queue.poll(0, 10, 0)

    assert queue.reorder(random.Random(1)) == 30

    batch = await queue.poll(seen[0]["update_id"], 100, 0)
    assert batch[:10] == seen
    assert ids(batch) == sorted(ids(batch))
    messages = [update["message"] for update in batch]
    assert [message["n"] for message in messages] != list(range(40))
    for lane in range(4):
        numbers = [message["n"] for message in messages if message["lane"] == lane]
        assert numbers == sorted(numbers)
