import asyncio

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from moderation import database
from moderation.ledger import Ledger
from moderation.tables import Prediction
from tests.moderation.rows import prediction


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


def a_row(message_id):
    return prediction(-1, message_id)


async def written(sessions):
    async with sessions() as session:
        return sorted(await session.scalars(select(Prediction.message_id)))


def commits(sessions):
    counted = []
    event.listen(sessions.kw["bind"].sync_engine, "commit", lambda _: counted.append(1))
    return counted


async def test_what_is_written_is_there_when_it_returns(sessions):
    await Ledger(sessions).write(a_row(1))
    assert await written(sessions) == [1]


async def test_what_comes_together_shares_transactions(sessions):
    ledger, counted = Ledger(sessions), commits(sessions)
    await asyncio.gather(*(ledger.write(a_row(number)) for number in range(50)))
    assert await written(sessions) == list(range(50))
    assert len(counted) == 2  # the first one, and all that came meanwhile


async def test_one_that_cannot_be_written_fails_alone(sessions):
    ledger = Ledger(sessions)
    await ledger.write(a_row(7))
    numbers = [1, 2, 7, 3, 4]
    ended = await asyncio.gather(
        *(ledger.write(a_row(number)) for number in numbers), return_exceptions=True
    )
    assert [type(error) for error in ended if error] == [IntegrityError]
    assert isinstance(ended[2], IntegrityError)
    assert await written(sessions) == [1, 2, 3, 4, 7]
    await ledger.write(a_row(8))
    assert await written(sessions) == [1, 2, 3, 4, 7, 8]


async def test_a_row_whose_transaction_failed_gets_another_id(sessions):
    ledger, row = Ledger(sessions), a_row(1)

    def fail(*_):
        raise OSError("the disk is gone")

    event.listen(Session, "after_flush", fail)
    try:
        with pytest.raises(OSError, match="the disk is gone"):
            await ledger.write(row)
    finally:
        event.remove(Session, "after_flush", fail)
    await ledger.write(a_row(2))  # takes the id that the other had
    await ledger.write(row)
    assert await written(sessions) == [1, 2]


async def test_who_is_cancelled_takes_nobody_along(sessions):
    ledger = Ledger(sessions)
    tasks = [asyncio.create_task(ledger.write(a_row(number))) for number in range(20)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[5].cancel()
    ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    assert [type(error) for error in ended if error] == [asyncio.CancelledError] * 2
    others = set(range(20)) - {0, 5}
    assert others <= set(await written(sessions))


async def test_who_is_cancelled_waits_for_no_lock(sessions):
    engine = sessions.kw["bind"]
    lock = "LOCK TABLE prediction"
    if engine.dialect.name == "sqlite":
        lock = "BEGIN IMMEDIATE"
        brief = "PRAGMA busy_timeout=300"
        event.listen(engine.sync_engine, "connect", lambda new, _: new.execute(brief))
    async with engine.connect() as other:
        await other.execute(text(lock))
        writing = asyncio.create_task(Ledger(sessions).write(a_row(1)))
        await asyncio.sleep(0.1)
        writing.cancel()
        await asyncio.wait({writing}, timeout=5)
        assert writing.cancelled()
