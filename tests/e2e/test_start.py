"""What cannot work stops the start with one readable line; what may come is waited for."""

import asyncio
import contextlib
import json
import shutil
import signal
import sqlite3

import pytest

from moderation import database, registry
from sandbox import scene
from tests.e2e.stage import OWNER, start, until


async def refused(tmp_path, *command, **environment):
    defaults = {
        "BOT_TOKEN": "1:" + "a" * 35,
        "DATABASE_URL": f"sqlite:///{tmp_path}/bot.sqlite3",
        "MODELS_DIR": str(tmp_path / "models"),
        "TELEGRAM_API_URL": "http://127.0.0.1:9",
    }
    process = await start(tmp_path / "log", "bot", *(command or ["run"]), **defaults | environment)
    assert await process.child.wait() == 1
    lines = process.said.strip().splitlines()
    assert len(lines) == 1, process.said
    return lines[0]


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"BOT_TOKEN": ""}, "BOT_TOKEN: empty or malformed"),
        ({"BOT_TOKEN": "abc"}, "BOT_TOKEN: empty or malformed"),
        ({"OPERATOR_IDS": "me"}, "OPERATOR_IDS"),
        ({"MODEL_DIR": "x"}, "did you mean MODELS_DIR"),
        ({"DATABASE_URL": "sqlite:////proc/x/bot.sqlite3"}, "its folder can't be made"),
        ({"DEVICE": "abacus"}, "DEVICE=abacus"),
    ],
)
async def test_a_wrong_setting(tmp_path, environment, line):
    assert line in await refused(tmp_path, **environment)


async def test_a_token_that_telegram_refuses(own_stage, tmp_path):
    line = await refused(tmp_path, TELEGRAM_API_URL=own_stage.people.url)
    assert "Telegram refuses this token" in line


async def test_an_address_where_no_bot_is_known(own_stage, tmp_path):
    given = {"BOT_TOKEN": own_stage.token, "TELEGRAM_API_URL": own_stage.people.url + "elsewhere"}
    assert "nobody knows such a bot there" in await refused(tmp_path, **given)


async def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "bot.sqlite3").write_text("this is no database " * 100)
    assert "file is not a database" in await refused(tmp_path)


async def test_a_database_newer_than_the_code(tmp_path):
    path = tmp_path / "bot.sqlite3"
    async with database.opened(f"sqlite+aiosqlite:///{path}"):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer than this program" in await refused(tmp_path)


async def test_a_champion_that_is_not_there(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    pointer = {"version": "gone", "previous": None, "by": "a", "at": "2026-01-01T00:00:00Z"}
    (models / registry.POINTER).write_text(json.dumps(pointer))
    assert "no such version" in await refused(tmp_path)


async def test_a_champion_whose_weights_are_spoilt(tmp_path, tiny_model):
    models = tmp_path / "models"
    shutil.copytree(tiny_model, models / "tiny")
    registry.promote(models, "tiny", by="a")
    (models / "tiny" / "model.safetensors").write_bytes(b"\xff" * 64)
    assert "differs from what was published" in await refused(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_while_it_waits_for_telegram(tmp_path, number):
    given = {
        "BOT_TOKEN": "1:" + "a" * 35,
        "DATABASE_URL": f"sqlite:///{tmp_path}/bot.sqlite3",
        "MODELS_DIR": str(tmp_path / "models"),
        "TELEGRAM_API_URL": "http://127.0.0.1:9",
    }
    bot = await start(tmp_path / "log", "bot", "run", **given)
    await until(lambda: _says(bot, "Telegram doesn't answer"))
    bot.child.send_signal(number)
    await asyncio.sleep(0.1)
    assert await bot.stop(number) == 0  # whoever is impatient changes nothing
    assert "Traceback" not in bot.said


@contextlib.asynccontextmanager
async def passage(port, socket):
    """Lets whoever connects to a port talk to a socket of this machine."""

    async def carry(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def connected(reader, writer):
        inner, outer = await asyncio.open_unix_connection(socket)
        await asyncio.gather(carry(reader, outer), carry(inner, writer))

    async with await asyncio.start_server(connected, "127.0.0.1", port) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "bare_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
async def test_a_database_that_starts_later_is_waited_for(own_stage, bare_url):
    socket = f"{bare_url.rpartition('host=')[2]}/.s.PGSQL.5432"
    async with passage(0, socket) as port:
        pass
    given = {
        "BOT_TOKEN": own_stage.token,
        "TELEGRAM_API_URL": own_stage.people.url,
        "DATABASE_URL": f"postgresql+asyncpg://test@127.0.0.1:{port}/bare",
        "MODELS_DIR": str(own_stage.folder / "models"),
    }
    await own_stage.people.write(OWNER, OWNER, "/start")
    bot = await start(own_stage.folder / "bot.log", "bot", "run", **given)
    await until(lambda: _says(bot, "waiting for the database"))
    async with passage(port, socket):
        await until(lambda: own_stage.people.messages(OWNER, scene.BOT_ID))
        assert await bot.stop() == 0


async def _says(process, words):
    return words in process.said
