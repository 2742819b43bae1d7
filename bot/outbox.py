"""What follows from cases, done in the background: acts at once, then words and cards as fast as
Telegram takes them, so that no deletion ever waits for a card."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramRetryAfter

from bot import enforce, review
from bot.rights import Rights
from bot.telegram import describe, reason_of
from moderation import attribution, owing, sanctions, store
from moderation.away import is_away
from moderation.batcher import Batcher
from moderation.categories import Category
from moderation.database import Sessions
from moderation.states import PersonDecision, Verdict
from moderation.tables import Case

log = structlog.get_logger()

RETRY_SECONDS = 2.0
RESUME_SECONDS = 600.0
MAX_ATTEMPTS = 5

Cards = set[tuple[int, int]]


@dataclass(slots=True)
class Errand:
    """A case to be acted on and shown, the cards whose buttons were pressed, and who waits."""

    case_id: int
    cards: Cards = field(default_factory=set)
    acted: list[asyncio.Future[None]] = field(default_factory=list)

    def end(self, error: BaseException | None = None) -> None:
        """Let those go on who wait for the acts."""
        for waiter in self.acted:
            if not waiter.done():
                waiter.set_exception(error) if error else waiter.set_result(None)


Lane = dict[int, dict[int, Errand]]  # by group, then by case


class Outbox:
    """The one owner of acts and cards. Each group has a lane of acts, all that wait are done
    together, and a lane of words and cards, one after another; groups go side by side.

    All that is owed stands in the database, so a restart loses nothing.
    """

    def __init__(
        self,
        bot: Bot,
        sessions: Sessions,
        batcher: Batcher,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._bot = bot
        self._sessions = sessions
        self._batcher = batcher
        self._retry_seconds = retry_seconds
        self._rights = Rights(bot, sessions)
        self._acting: Lane = {}
        self._showing: Lane = {}
        self._group: asyncio.TaskGroup | None = None
        self._workers: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    async def run(self) -> None:
        """Go on with what was left, then do what comes, until cancelled. What failed while
        Telegram was silent is tried again after a while."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for chat_id in self._acting:  # what came before
                self._start(self._acting, chat_id, self._act)
            while True:
                await self._persistently(self._resume)
                await asyncio.sleep(RESUME_SECONDS)

    def put(self, case: Case) -> None:
        """Act on a case and show it, some time soon."""
        self._add(self._acting, case.chat_id, Errand(case.id), self._act)

    async def follow(self, case: Case, pressed: tuple[int, int] | None = None) -> None:
        """Act on a case that somebody decided about, and wait for that; its card, and the one
        whose button was pressed, are shown soon, before those of others."""
        waiter = asyncio.get_running_loop().create_future()
        errand = Errand(case.id, {pressed} if pressed else set(), [waiter])
        self._add(self._acting, case.chat_id, errand, self._act, first=True)
        await waiter

    async def drain(self, seconds: float = 5) -> None:
        """Finish the acts, and the words and cards that are on their way: after a kill nobody
        knows whether they arrived."""
        self._is_stopping = True
        if self._workers:
            await asyncio.wait(self._workers, timeout=seconds)

    def _add(
        self,
        lane: Lane,
        chat_id: int,
        errand: Errand,
        work: Callable[[int], Awaitable[None]],
        *,
        first: bool = False,
    ) -> None:
        is_idle = chat_id not in lane
        waiting = lane.setdefault(chat_id, {})
        earlier = waiting.pop(errand.case_id, None)
        if earlier is not None:
            errand.cards |= earlier.cards
            errand.acted += earlier.acted
        if first or errand.cards:
            others = dict(waiting)
            waiting.clear()
            waiting |= {errand.case_id: errand} | others
        else:
            waiting[errand.case_id] = errand
        if is_idle:
            self._start(lane, chat_id, work)

    def _start(self, lane: Lane, chat_id: int, work: Callable[[int], Awaitable[None]]) -> None:
        if self._group is None:
            return
        worker = self._group.create_task(self._work(lane, chat_id, work))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, lane: Lane, chat_id: int, work: Callable[[int], Awaitable[None]]) -> None:
        while lane[chat_id] and not (self._is_stopping and lane is self._showing):
            await work(chat_id)
        del lane[chat_id]

    async def _resume(self) -> None:
        async with self._sessions() as session:
            owed = await owing.owed(session)
        lanes = (*self._acting.values(), *self._showing.values())
        known = {case_id for lane in lanes for case_id in lane}
        left = [(case_id, chat_id) for case_id, chat_id in owed if case_id not in known]
        if left:
            log.info("cases are owed", cases=len(left))
        for case_id, chat_id in left:
            self._add(self._acting, chat_id, Errand(case_id), self._act)

    async def _act(self, chat_id: int) -> None:
        """Do the acts of all cases of a group that wait."""
        errands = list(self._acting[chat_id].values())
        self._acting[chat_id].clear()
        ids = [errand.case_id for errand in errands]
        tried: set[int] = set()
        await self._persistently(partial(self._delete, ids, tried), cases=len(ids), chat=chat_id)
        for errand in errands:
            acts = partial(self._apply, errand.case_id, tried)
            error = await self._persistently(acts, case=errand.case_id)
            errand.end(error)
            if error is None:
                shown = Errand(errand.case_id, errand.cards)
                self._add(self._showing, chat_id, shown, self._show)

    async def _delete(self, case_ids: Sequence[int], tried: set[int]) -> None:
        by_chat: dict[int, list[Case]] = {}
        async with self._sessions() as session:
            for case_id in case_ids:
                # A group may have become a supergroup meanwhile.
                if (case := await session.get(Case, case_id)) is not None:
                    by_chat.setdefault(case.chat_id, []).append(case)
        for found in by_chat.values():
            tried |= set(await enforce.delete(self._bot, self._sessions, self._rights, found))

    async def _apply(self, case_id: int, tried: set[int]) -> None:
        if (case := await self._case(case_id)) is not None:
            bot, sessions, rights = self._bot, self._sessions, self._rights
            await enforce.apply(bot, sessions, rights, case, enforce.URGENT, tried)

    async def _show(self, chat_id: int) -> None:
        """Send the words about the case that waits longest, then its card."""
        errand = next(iter(self._showing[chat_id].values()))
        del self._showing[chat_id][errand.case_id]
        error = await self._persistently(partial(self._tell, errand), case=errand.case_id)
        if isinstance(error, AiogramError):
            await self._persistently(partial(self._lose, errand, reason_of(error)))

    async def _tell(self, errand: Errand) -> None:
        if (case := await self._case(errand.case_id)) is None:
            return
        due = case.card_due
        bot, sessions = self._bot, self._sessions
        case = await enforce.apply(bot, sessions, self._rights, case, enforce.WORDS)
        if case.verdict is Verdict.CLEAN or case.person is PersonDecision.FORGIVE:
            await enforce.remove_notice(bot, sessions, case)
        await self._mark(case)
        await review.post(bot, sessions, case, errand.cards)
        async with sessions.begin() as session:
            if not await sanctions.is_open(session, case.id):  # else it comes again
                await owing.shown(session, case.id, due)

    async def _lose(self, errand: Errand, reason: str) -> None:
        """Note why a card could not be posted; it is tried again some minutes later."""
        if (case := await self._case(errand.case_id)) is None:
            return
        async with self._sessions.begin() as session:
            await store.remember_card(session, case, None, None, reason)

    async def _mark(self, case: Case) -> None:
        """Find the words that weighed most, for the card; none if that fails."""
        if case.marks is not None or case.prediction.category is None or not case.text:
            return

        async def score_all(texts: Sequence[str]) -> list[Mapping[Category, float]]:
            found = await asyncio.gather(*(self._batcher.predict(text) for text in texts))
            return [prediction.scores for prediction in found]

        try:
            spans = await attribution.weigh(case.text, case.prediction.category, score_all)
        except (ValueError, RuntimeError) as error:  # the card is worth more than its ornaments
            log.warning("words not weighed", case=case.id, reason=type(error).__name__)
            spans = []
        async with self._sessions.begin() as session:
            row = await session.get_one(Case, case.id)
            row.marks = case.marks = [list(span) for span in spans]

    async def _case(self, case_id: int) -> Case | None:
        async with self._sessions() as session:
            return await session.get(Case, case_id)

    async def _persistently(
        self, work: Callable[[], Awaitable[None]], **about: int
    ) -> Exception | None:
        """Do something, however long the database is away, and a few times in spite of other
        errors; the last of them. What is owed is then tried again some minutes later."""
        attempts = 0
        while True:
            try:
                await work()
                return None
            except Exception as error:  # whatever it is, it must not stop the others
                if not is_away(error):
                    attempts += 1
                log.warning("errand failed", reason=describe(error), **about)
                if attempts >= MAX_ATTEMPTS or isinstance(error, TelegramRetryAfter):
                    return error
            await asyncio.sleep(self._retry_seconds)
