"""Predictions of many chats, written together: it's transactions that take time, not rows."""

import asyncio
from collections.abc import Sequence

from moderation.database import Sessions
from moderation.tables import Prediction

Entry = tuple[Prediction, asyncio.Future[Exception | None]]


class Ledger:
    """While one transaction is written, what comes meanwhile gathers for the next one."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._entries: list[Entry] = []
        self._turn = asyncio.Lock()

    async def write(self, prediction: Prediction) -> None:
        """Write a row that nothing else depends on; when this returns it is written. Raises the
        database's errors, and those alone that this row is to blame for."""
        ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._entries.append((prediction, ended))
        async with self._turn:
            if not ended.done():
                await self._write_all()
        if (error := await ended) is not None:
            raise error

    async def _write_all(self) -> None:
        together, self._entries = self._entries, []
        try:
            error = await self._attempt([row for row, _ in together])
            for row, ended in together:
                # Any of them may be the one that can't be written.
                is_alone = error is None or len(together) == 1
                ended.set_result(error if is_alone else await self._attempt([row]))
        finally:  # cancelled: the others don't go with this one
            self._entries = [entry for entry in together if not entry[1].done()] + self._entries

    async def _attempt(self, rows: Sequence[Prediction]) -> Exception | None:
        try:
            async with self._sessions.begin() as session:
                session.add_all(rows)
                await session.flush()  # who is cancelled at the end of a transaction waits for it
        except Exception as error:
            for row in rows:
                row.__dict__.pop("id", None)  # it was given by the transaction that failed
            return error
        return None
