import asyncio
import time

from sandbox.clock import Clock


def test_the_clock_shows_real_time_until_it_is_moved():
    clock = Clock()
    assert abs(clock.time() - time.time()) < 1

    clock.advance(3600)
    assert abs(clock.time() - time.time() - 3600) < 1


async def test_moving_the_clock_wakes_sleepers_whose_time_has_come():
    clock = Clock()
    async with asyncio.TaskGroup() as group:
        sleeper = group.create_task(clock.sleep_until(clock.time() + 100))
        await asyncio.sleep(0)
        clock.advance(50)
        await asyncio.sleep(0.01)
        assert not sleeper.done()
        clock.advance(51)


async def test_the_past_is_not_waited_for():
    clock = Clock()

    await clock.sleep_until(clock.time() - 1)
