"""The sandbox's time: the real one plus what the control API has advanced it by."""

import asyncio
import time


class Clock:
    """Seconds since the epoch; moving it forward wakes everyone who sleeps by it."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0
        self._moved = asyncio.Event()

    def time(self) -> float:
        return time.time() + self.offset_seconds

    def now(self) -> int:
        return int(self.time())

    def advance(self, seconds: float) -> None:
        self.offset_seconds += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep_until(self, moment: float) -> None:
        while (left := moment - self.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._moved.wait()
            except TimeoutError:
                return
