"""What happened, for those who look on: the Bot API calls in order, and live events."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from sandbox.answers import ApiError, Json
from sandbox.clock import Clock

KEPT_CALLS = 20_000


@dataclass(slots=True)
class Call:
    """One request of the bot; `status` is None while it is being answered or was cut off."""

    n: int
    time: float
    method: str
    params: Json
    status: int | None = None
    ok: bool | None = None
    description: str | None = None
    fault: str | None = None

    def shape(self) -> Json:
        return asdict(self)


class Journal:
    """Keeps the calls and passes each event on to whoever listens."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._count = 0
        self._listeners: set[asyncio.Queue[Json | None]] = set()

    def begin(self, method: str, params: Json) -> Call:
        self._count += 1
        call = Call(self._count, self.clock.time(), method, params)
        self.calls.append(call)
        return call

    def finish(self, call: Call, outcome: object) -> None:
        error = outcome if isinstance(outcome, ApiError) else None
        call.ok = error is None
        call.status = error.code if error else 200
        call.description = error.description if error else None
        self.tell("call", call=call.shape())

    def tell(self, kind: str, **payload: object) -> None:
        for listener in self._listeners:
            listener.put_nowait({"kind": kind, **payload})

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Json | None]]:
        """A queue of the events from now on; None means that the sandbox is closing."""
        listener: asyncio.Queue[Json | None] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        for listener in self._listeners:
            listener.put_nowait(None)
