import asyncio
import sqlite3
import stat

import pytest
from sqlalchemy import func, select

from moderation import backup, database, store
from moderation.database import DatabaseError
from moderation.tables import Chat


async def test_a_copy_made_while_the_bot_writes_is_whole_and_can_serve(tmp_path):
    url, target = f"sqlite+aiosqlite:///{tmp_path}/bot.sqlite3", tmp_path / "copy.sqlite3"
    async with database.opened(url) as sessions:

        async def write():
            for number in range(200):
                async with sessions.begin() as session:  # two rows or none
                    await store.chat(session, -1 - 2 * number, "Двор " * 200, "group")
                    await store.chat(session, -2 - 2 * number, "Двор " * 200, "group")

        writing = asyncio.create_task(write())
        await asyncio.sleep(0.1)
        size = await asyncio.to_thread(backup.copy, url, target)
        await writing
    assert size == target.stat().st_size
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("*copy*")] == ["copy.sqlite3"]
    async with database.opened(f"sqlite+aiosqlite:///{target}") as sessions:
        async with sessions() as session:
            assert await session.scalar(select(func.count(Chat.id))) % 2 == 0
        async with sessions.begin() as session:
            await store.chat(session, -10_000, "Новый двор", "group")


@pytest.mark.parametrize(
    ("url", "name", "reason"),
    [
        ("postgresql://host/bot", "copy", "pg_dump"),
        ("sqlite:///{folder}/none.sqlite3", "copy", "no such database"),
        ("sqlite:///{folder}/bot.sqlite3", "bot.sqlite3", "is there already"),
        ("sqlite:///{folder}/bot.sqlite3", "none/copy", "No such file or directory"),
        ("sqlite:///{folder}/odd.sqlite3", "copy", "not a database"),
    ],
)
def test_what_cant_be_copied_is_said_and_leaves_nothing(tmp_path, url, name, reason):
    with sqlite3.connect(tmp_path / "bot.sqlite3") as connection:
        connection.execute("CREATE TABLE chat (id INTEGER)")
    connection.close()
    (tmp_path / "odd.sqlite3").write_bytes(b"no database" * 1000)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DatabaseError, match=reason):
        backup.copy(url.format(folder=tmp_path), tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before
