"""The queue of updates: what the bot subscribed to, and Telegram's offset rule."""

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, replace

from sandbox.answers import ApiError, Json, conflict
from sandbox.clock import Clock

KINDS = frozenset(
    {
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "business_connection",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
        "guest_message",
        "message_reaction",
        "message_reaction_count",
        "inline_query",
        "chosen_inline_result",
        "callback_query",
        "shipping_query",
        "pre_checkout_query",
        "purchased_paid_media",
        "poll",
        "poll_answer",
        "my_chat_member",
        "chat_member",
        "chat_join_request",
        "chat_boost",
        "removed_chat_boost",
        "managed_bot",
        "subscription",
        "stopped_message_generation",
    }
)
DEFAULT_KINDS = KINDS - {"chat_member", "message_reaction", "message_reaction_count"}
DAY_SECONDS = 24 * 3600
CALLBACK_SECONDS = 150
CONFLICT_PAUSE_SECONDS = 3.0
OTHER_POLLER = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)


@dataclass(frozen=True, slots=True)
class Update:
    """One event on its way to the bot. Updates of a lane are delivered one after another."""

    id: int
    body: Json
    lane: str
    expires_at: int


class UpdateQueue:
    """Updates the bot has not confirmed yet, and the one request that may wait for them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.pending: deque[Update] = deque()
        self.confirmed: deque[Update] = deque(maxlen=1000)
        self.duplicates: deque[Update] = deque()
        self.allowed = DEFAULT_KINDS
        self.confirmed_offset = 0
        self.added = asyncio.Event()
        self._next_id = random.randint(100_000_000, 900_000_000)
        self._handed_id = 0  # the newest that the bot can have seen
        self._waiting: asyncio.Future[ApiError | None] | None = None
        self._next_conflict_at = 0.0
        self._previous_poll = (0, float("-inf"))

    @property
    def next_id(self) -> int:
        """The number that the next update will have."""
        return self._next_id

    def subscribe(self, kinds: object) -> None:
        """Set allowed_updates: unknown names are skipped, and nothing known means the default."""
        if isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds):
            self.allowed = KINDS.intersection(kind.lower() for kind in kinds) or DEFAULT_KINDS

    def allowed_shape(self) -> list[str] | None:
        return None if self.allowed == DEFAULT_KINDS else sorted(self.allowed)

    def add(self, kind: str, payload: Json, lane: str) -> None:
        if kind in self.allowed:
            seconds = CALLBACK_SECONDS if kind == "callback_query" else DAY_SECONDS
            self.inject({kind: payload}, lane, self.clock.now() + seconds)

    def inject(self, body: Json, lane: str = "injected", expires_at: int | None = None) -> int:
        """Queue any JSON under the next identifier, even what no client can decode."""
        update_id, self._next_id = self._next_id, self._next_id + 1
        expires_at = expires_at or self.clock.now() + DAY_SECONDS
        self.pending.append(Update(update_id, {"update_id": update_id, **body}, lane, expires_at))
        self.wake()
        return update_id

    def redeliver(self, count: int) -> int:
        """Hand out the last confirmed updates once more, whatever the offset."""
        again = list(self.confirmed)[-count:] if count > 0 else []
        self.duplicates.extend(again)
        self.wake()
        return len(again)

    def reorder(self, chance: random.Random) -> int:
        """Mix what the bot can't have seen yet, each lane in its own order; how many there were."""
        fresh = [update for update in self.pending if update.id > self._handed_id]
        lanes: dict[str, deque[Update]] = {}
        for update in fresh:
            lanes.setdefault(update.lane, deque()).append(update)
        order = [update.lane for update in fresh]
        chance.shuffle(order)
        mixed = []
        for former, lane in zip(fresh, order, strict=True):
            update = lanes[lane].popleft()
            body = update.body | {"update_id": former.id}
            mixed.append(replace(update, id=former.id, body=body))
        seen = [update for update in self.pending if update.id <= self._handed_id]
        self.pending = deque([*seen, *mixed])
        return len(fresh)

    def hand_out(self, update: Update) -> Json:
        """What the bot is sent; from then on it keeps its place."""
        self._handed_id = max(self._handed_id, update.id)
        return update.body

    def wake(self) -> None:
        self.added.set()
        self._answer_waiting(None)

    def interrupt(self, reason: ApiError) -> None:
        self._answer_waiting(reason)

    def confirm(self, offset: int) -> None:
        """Forget what is below the offset; a negative one keeps that many of the newest."""
        if offset < 0:
            kept = min(-offset, len(self.pending))
            offset = self.pending[-kept].id if kept else self._next_id
        while self.pending and self.pending[0].id < offset:
            self._remember(self.pending.popleft())

    def delivered(self, update: Update) -> None:
        """Forget what a webhook has accepted."""
        if update in self.duplicates:
            self.duplicates.remove(update)
        elif update in self.pending:
            self.pending.remove(update)
            self._remember(update)

    def holds(self, update: Update) -> bool:
        return update in self.pending or update in self.duplicates

    def drop_pending(self) -> None:
        self.pending.clear()
        self.duplicates.clear()

    def drop_expired(self) -> None:
        now = self.clock.now()
        if any(update.expires_at <= now for update in self.pending):
            self.pending = deque(update for update in self.pending if update.expires_at > now)

    async def poll(self, offset: int, limit: int, timeout_seconds: int) -> list[Json]:
        limit, timeout_seconds = self._pace(offset, limit, timeout_seconds)
        self._answer_waiting(conflict(OTHER_POLLER))
        self.confirm(offset)
        batch = self._take(limit)
        if batch or not timeout_seconds:
            return batch
        await self._wait(timeout_seconds)
        return self._take(limit)

    async def refuse(self, reason: ApiError) -> ApiError:
        """The conflict to raise: Telegram delays those that follow one another closely."""
        now = time.monotonic()
        if now < self._next_conflict_at:
            await asyncio.sleep(CONFLICT_PAUSE_SECONDS)
        else:
            self._next_conflict_at = now + CONFLICT_PAUSE_SECONDS
        return reason

    async def _wait(self, timeout_seconds: int) -> None:
        waiting: asyncio.Future[ApiError | None] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        try:
            async with asyncio.timeout(timeout_seconds):
                reason = await waiting
        except TimeoutError:
            return
        finally:
            if self._waiting is waiting:
                self._waiting = None
        if reason:
            raise await self.refuse(reason)

    def _remember(self, update: Update) -> None:
        self.confirmed.append(update)
        self.confirmed_offset = max(self.confirmed_offset, update.id + 1)

    def _answer_waiting(self, reason: ApiError | None) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(reason)
        self._waiting = None

    def _pace(self, offset: int, limit: int, timeout_seconds: int) -> tuple[int, int]:
        """Telegram slows down a poller that asks for the same offset again and again."""
        limit = min(max(limit, 1), 100)
        timeout_seconds = min(max(timeout_seconds, 0), 50)
        previous_offset, previous_time = self._previous_poll
        since = time.monotonic() - previous_time
        if offset == previous_offset and since < 3:
            timeout_seconds = max(timeout_seconds, 3)
            limit = 1 if since < 0.5 else limit
        self._previous_poll = (offset, time.monotonic())
        return limit, timeout_seconds

    def _take(self, limit: int) -> list[Json]:
        self.drop_expired()
        again = [self.duplicates.popleft() for _ in range(min(limit, len(self.duplicates)))]
        fresh = [update for update, _ in zip(self.pending, range(limit - len(again)), strict=False)]
        return [self.hand_out(update) for update in (*again, *fresh)]
