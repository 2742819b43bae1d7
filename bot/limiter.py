"""Telegram's limits of outgoing calls: who waits for whom, and for how long."""

import asyncio
import math
from bisect import insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType

log = structlog.get_logger()

# Telegram's guidance: a message a second in a chat, short bursts allowed; 20 a minute in a group;
# about 30 a second in all.
OVERALL = (25, 1.0)
PER_CHAT = (5, 5.0)
PER_GROUP = (20, 60.0)
LONGEST_HOLD = 900.0  # seconds that a call waits where Telegram asks for it; then it fails
_SEVERAL = 3  # chats on hold at once: the bot as a whole is too fast
_SWEEP_SECONDS = 60.0


class Urgency(IntEnum):
    """The kinds of calls that are limited, the most urgent first."""

    ACT = 0  # what hurts others goes soonest, past everything that waits
    ANSWER = 1
    SAY = 2
    EDIT = 3


# How much longer than an answer the others may wait: a stream of cards stops no edit for ever.
_PATIENCE = {Urgency.ACT: -math.inf, Urgency.ANSWER: 0.0, Urgency.SAY: 5.0, Urgency.EDIT: 10.0}
_BEGINNINGS = {
    Urgency.ACT: ("delete", "restrict", "ban", "unban"),
    Urgency.SAY: ("send", "copy", "forward"),
    Urgency.EDIT: ("edit",),
}
# They begin as others do, but are no messages, or concern no chat.
_FREE = frozenset({"sendChatAction", "deleteWebhook", "deleteMyCommands"})


def urgency_of(name: str) -> Urgency | None:
    """The kind of a method; None for one that is never held up."""
    if name in _FREE:
        return None
    if name == "answerCallbackQuery":
        return Urgency.ANSWER
    found = (kind for kind, heads in _BEGINNINGS.items() if name.startswith(heads))
    return next(found, None)


def is_held(method: TelegramMethod[TelegramType]) -> bool:
    """Whether a call waits in line for as long as Telegram asks its chat to."""
    concerns_chat = getattr(method, "chat_id", None) is not None
    return concerns_chat and urgency_of(method.__api_method__) is not None


class Timer(Protocol):
    """What the limiter needs of an event loop; tests bring one whose time they move."""

    def time(self) -> float:
        """Seconds of a clock that never goes back."""
        ...

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back after so many seconds."""
        ...


class Window:
    """At most `count` calls within any `seconds`."""

    def __init__(self, count: int, seconds: float) -> None:
        self._seconds = seconds
        self._taken: deque[float] = deque(maxlen=count)

    def free_at(self) -> float:
        """When the next call may go."""
        is_full = len(self._taken) == self._taken.maxlen
        return self._taken[0] + self._seconds if is_full else -math.inf

    def take(self, at: float) -> None:
        """Count a call."""
        self._taken.append(at)

    def is_idle(self, at: float) -> bool:
        """Whether nothing that was counted matters any more."""
        return not self._taken or self._taken[-1] + self._seconds <= at


@dataclass(order=True, slots=True)
class _Ticket:
    rank: float
    number: int
    urgency: Urgency = field(compare=False)
    chat_id: int | str | None = field(compare=False)
    turn: asyncio.Future[None] = field(compare=False)


class Limiter:
    """One line for all calls: each goes once its chat and the whole have room, the most urgent
    first. Only as much is remembered as still matters."""

    def __init__(self, pace: float = 1.0, timer: Timer | None = None) -> None:
        self._pace = pace  # how many times faster than Telegram's guidance
        self._given = timer
        self._overall = self._window(OVERALL)
        self._chats: dict[int | str, list[Window]] = {}
        self._holds: dict[tuple[int | str | None, bool], float] = {}
        self._line: list[_Ticket] = []
        self._count = 0
        self._wakes: asyncio.TimerHandle | None = None
        self._swept_at = -math.inf

    @property
    def _timer(self) -> Timer:
        return self._given or asyncio.get_running_loop()

    @property
    def waiting(self) -> int:
        """How many calls stand in line."""
        return len(self._line)

    @property
    def chats(self) -> int:
        """How many chats are remembered."""
        return len(self._chats)

    async def turn(self, urgency: Urgency, chat_id: int | str | None) -> None:
        """Wait until a call may go."""
        self._count += 1
        future = asyncio.get_running_loop().create_future()
        rank = self._timer.time() + _PATIENCE[urgency]
        ticket = _Ticket(rank, self._count, urgency, chat_id, future)
        insort(self._line, ticket)
        self._admit()
        try:
            await future
        except asyncio.CancelledError:
            if ticket in self._line:
                self._line.remove(ticket)
            raise

    def hold(self, urgency: Urgency, chat_id: int | str | None, seconds: float) -> None:
        """Telegram asks to wait: its chat does, or everybody if several chats must. Where acts are
        let through, they go on while messages wait."""
        is_act = urgency is Urgency.ACT
        until = self._timer.time() + seconds
        self._hold(chat_id, is_act, until)
        held = {chat for (chat, acts), at in self._holds.items() if acts == is_act and chat}
        if len(held) >= _SEVERAL:
            log.warning("all calls wait", seconds=seconds, acts=is_act)
            self._hold(None, is_act, until)

    def _hold(self, chat_id: int | str | None, is_act: bool, until: float) -> None:
        now = self._timer.time()
        self._holds = {key: at for key, at in self._holds.items() if at > now}
        for acts in {is_act, False}:  # where acts must wait, so must the rest
            key = (chat_id, acts)
            self._holds[key] = max(self._holds.get(key, 0.0), until)

    def _admit(self) -> None:
        """Let go whose turn it is, and come again when the next one's is."""
        now = self._timer.time()
        self._sweep(now)
        waiting, soonest = [], math.inf
        for ticket in self._line:
            free_at = self._free_at(ticket)
            if free_at > now:
                waiting.append(ticket)
                soonest = min(soonest, free_at)
            elif not ticket.turn.done():
                self._take(ticket, now)
                ticket.turn.set_result(None)
        self._line = waiting
        if self._wakes is not None:
            self._wakes.cancel()
        self._wakes = (
            self._timer.call_later(soonest - now, self._admit) if math.isfinite(soonest) else None
        )

    def _free_at(self, ticket: _Ticket) -> float:
        is_act = ticket.urgency is Urgency.ACT
        holds = (self._holds.get((chat, is_act), -math.inf) for chat in (None, ticket.chat_id))
        windows = [self._overall, *self._windows(ticket)]
        return max(*holds, *(window.free_at() for window in windows))

    def _take(self, ticket: _Ticket, now: float) -> None:
        for window in (self._overall, *self._windows(ticket)):
            window.take(now)

    def _windows(self, ticket: _Ticket) -> list[Window]:
        """The limits of a ticket's chat; there are none for acts."""
        chat_id = ticket.chat_id
        if chat_id is None or ticket.urgency < Urgency.SAY:
            return []
        if chat_id not in self._chats:
            is_group = not isinstance(chat_id, int) or chat_id < 0
            rules = (PER_CHAT, PER_GROUP) if is_group else (PER_CHAT,)
            self._chats[chat_id] = [self._window(rule) for rule in rules]
        return self._chats[chat_id]

    def _window(self, rule: tuple[int, float]) -> Window:
        count, seconds = rule
        return Window(count, seconds / self._pace)

    def _sweep(self, now: float) -> None:
        if now < self._swept_at + _SWEEP_SECONDS:
            return
        self._swept_at = now
        self._holds = {key: at for key, at in self._holds.items() if at > now}
        self._chats = {
            chat_id: windows
            for chat_id, windows in self._chats.items()
            if not all(window.is_idle(now) for window in windows)
        }


class Limits(BaseRequestMiddleware):
    """Lets every call wait for its turn, and for as long as Telegram asks."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """Send `method` when it may go; TelegramRetryAfter if it would have to wait too long."""
        urgency = urgency_of(method.__api_method__)
        chat_id = getattr(method, "chat_id", None)
        if urgency is None:
            return await make_request(bot, method)
        while True:
            await self._limiter.turn(urgency, chat_id)
            try:
                return await make_request(bot, method)
            except TelegramRetryAfter as error:
                if not is_held(method) or error.retry_after > LONGEST_HOLD:
                    raise
                log.info(
                    "Telegram asks to wait",
                    method=method.__api_method__, chat=chat_id, seconds=error.retry_after,
                )  # fmt: skip
                self._limiter.hold(urgency, chat_id, error.retry_after)
