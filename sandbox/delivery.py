"""Webhook delivery: one update at a time on each lane, retried until it is accepted."""

import asyncio
from collections.abc import Iterator
from itertools import chain, repeat

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from sandbox import calls, params
from sandbox.answers import ApiError
from sandbox.telegram import Telegram
from sandbox.updates import Update

ANSWER_SECONDS = 60
LONGEST_PAUSE_SECONDS = 60
LONGEST_RETRY_AFTER_SECONDS = 3600
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
# What a webhook's answer may not call.
FORBIDDEN_IN_ANSWERS = ("get", "setwebhook", "deletewebhook")


class Delivery:
    """Pushes the queue to the webhook while one is set."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram
        self.updates = telegram.updates
        self.busy_lanes: set[str] = set()

    async def run(self) -> None:
        timeout = ClientTimeout(total=ANSWER_SECONDS)
        async with ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            while True:
                self.updates.added.clear()
                for update in self._ready():
                    self.busy_lanes.add(update.lane)
                    group.create_task(self._deliver(session, update))
                await self.updates.added.wait()

    def _ready(self) -> Iterator[Update]:
        """The first update of each lane that has none in flight."""
        self.updates.drop_expired()
        for update in [*self.updates.duplicates, *self.updates.pending]:
            if not self._is_open():
                return
            if update.lane not in self.busy_lanes:
                yield update

    def _is_open(self) -> bool:
        webhook = self.telegram.webhook
        return bool(webhook.url) and len(self.busy_lanes) < webhook.max_connections

    def _is_wanted(self, update: Update) -> bool:
        return bool(self.telegram.webhook.url) and self.updates.holds(update)

    async def _deliver(self, session: ClientSession, update: Update) -> None:
        clock, asked_pause = self.telegram.clock, 0.0
        try:
            for pause in _pauses():
                await clock.sleep_until(clock.time() + max(pause, asked_pause))
                if self._is_wanted(update):
                    asked_pause = await self._attempt(session, update)
                if not self._is_wanted(update):
                    return
        finally:
            self.busy_lanes.discard(update.lane)
            self.updates.added.set()

    async def _attempt(self, session: ClientSession, update: Update) -> float:
        """Seconds the webhook asks to wait for before the next attempt."""
        try:
            return await self._post(session, update)
        except (ClientError, TimeoutError) as error:
            self._fail(str(error) or "Read timeout expired")
            return 0.0

    async def _post(self, session: ClientSession, update: Update) -> float:
        webhook = self.telegram.webhook
        headers = {SECRET_HEADER: webhook.secret_token} if webhook.secret_token else {}
        body = self.updates.hand_out(update)
        async with session.post(webhook.url, json=body, headers=headers) as response:
            if not 200 <= response.status < 300:
                status = f"{response.status} {response.reason}"
                self._fail(f"Wrong response from the webhook: {status}")
                return _retry_after(response)
            self.updates.delivered(update)
            await self._call_in_answer(response)
            return 0.0

    async def _call_in_answer(self, response: ClientResponse) -> None:
        """An accepting answer may carry one call of the Bot API."""
        try:
            given = await params.read_answer(response)
        except (ApiError, ValueError) as error:
            self._fail(f"Wrong answer from the webhook: {error}")
            return
        method = given.values.pop("method", "")
        if method and not method.lower().startswith(FORBIDDEN_IN_ANSWERS):
            await calls.perform(self.telegram, method, given)

    def _fail(self, reason: str) -> None:
        self.telegram.webhook.last_error_date = self.telegram.clock.now()
        self.telegram.webhook.last_error_message = reason


def _pauses() -> Iterator[float]:
    """The first attempt and the first repetition come at once."""
    return chain((0, 0, 2, 4, 8, 16, 32), repeat(LONGEST_PAUSE_SECONDS))


def _retry_after(response: ClientResponse) -> float:
    value = response.headers.get("Retry-After", "")
    return min(float(value), LONGEST_RETRY_AFTER_SECONDS) if value.isdecimal() else 0.0
