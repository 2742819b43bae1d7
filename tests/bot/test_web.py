import asyncio
import io
import json
import socket
import threading

import aiohttp
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from bot.health import Health
from bot.inbox import Inbox
from bot.metrics import Metrics
from bot.web import MAX_BYTES, SECRET_HEADER, Web, WebError
from moderation import store
from moderation.batcher import Batcher
from moderation.categories import Category
from moderation.settings import Settings

SECRET = "s-e-c-r-e-t_0123"
SIGNED = {SECRET_HEADER: SECRET}
TITLE = "Двор-колодец"


class Classifier:
    """Scores everything the same, or fails."""

    categories = (Category.INSULT,)
    version = "tiny-1"

    def __init__(self):
        self.fails = False
        self.goes_on = threading.Event()
        self.goes_on.set()

    def encode(self, text):
        return [[1, 2]]

    def score(self, batch):
        self.goes_on.wait(10)
        if self.fails:
            raise RuntimeError(TITLE)
        return np.full((len(batch), 1), 0.5, dtype=np.float32)


class Served:
    """A server with all that stands behind it, and what it handled."""

    def __init__(self, settings, bot, sessions):
        self.settings, self.sessions = settings, sessions
        self.classifier = Classifier()
        self.batcher = Batcher(self.classifier, workers=1)
        self.handled = []
        self.inbox = Inbox(bot, sessions, self.prepare, self.handle)
        self.metrics = Metrics(sessions, self.batcher, self.inbox)
        self.health = Health(sessions, self.batcher, self.inbox, self.metrics.calls, polls=False)
        self.web = Web(settings, self.inbox, self.metrics, self.health)
        self.root = f"http://127.0.0.1:{settings.http_port}"
        self.http = None

    async def prepare(self, update):
        return None

    async def handle(self, update, ready):
        self.handled.append(update.update_id)

    def post(self, body=b"{}", headers=SIGNED, path="/telegram"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(self.root + path, data=io.BytesIO(data), headers=headers)

    async def status(self, *args, **kwargs):
        async with self.post(*args, **kwargs) as answer:
            return answer.status

    async def stored(self):
        async with self.sessions() as session:
            return sorted(await session.scalars(text("SELECT id FROM inbox_update")))

    async def health_of(self):
        async with self.http.get(self.root + "/healthz") as answer:
            return answer.status, await answer.json()

    async def metrics_text(self):
        async with self.http.get(self.root + "/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            return await answer.text()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
async def served(sessions, bot):
    settings = Settings(
        telegram_api_url="http://127.0.0.1:9",
        webhook_url="http://bot.test/telegram",
        webhook_secret=SECRET,
        http_port=free_port(),
    )
    stop = asyncio.Event()
    made = Served(settings, bot, sessions)
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as made.http:
        scoring = group.create_task(made.batcher.run())
        receiving = group.create_task(made.inbox.run(stop, polls=False))
        async with made.web.serving():
            async with asyncio.timeout(30):
                while await made.status(an_update(1)) == 503:  # until it is ready
                    await asyncio.sleep(0.01)
                while made.inbox.waiting:
                    await asyncio.sleep(0.01)
            yield made
        stop.set()
        await receiving
        scoring.cancel()


def an_update(update_id, text="т"):
    chat = {"id": -5, "type": "supergroup", "title": TITLE}
    message = {"message_id": update_id, "date": 1, "chat": chat, "text": text}
    return {"update_id": update_id, "message": message}


async def test_an_update_is_written_before_it_is_acknowledged_and_handled_once(served):
    async with served.post(an_update(7)) as answer:
        assert answer.status == 200
        assert await answer.read() == b""
        assert await served.stored() == [1, 7]
    assert await served.status(an_update(7)) == 200
    assert await served.status(an_update(8)) == 200
    async with asyncio.timeout(10):
        while len(served.handled) < 3:
            await asyncio.sleep(0.01)
    assert served.handled == [1, 7, 8]


async def test_nobody_without_the_secret_sends_updates(served):
    for headers in ({}, {SECRET_HEADER: ""}, {SECRET_HEADER: SECRET[:-1]}, {SECRET_HEADER: "ключ"}):
        async with served.post(an_update(2), headers) as answer:
            assert answer.status == 401
            assert await answer.read() == b""
    assert await served.stored() == [1]


async def test_a_stranger_is_refused_before_the_body_is_read(served):
    reader, writer = await asyncio.open_connection("127.0.0.1", served.settings.http_port)
    writer.write(b"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    async with asyncio.timeout(10):
        assert b" 401 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_what_is_no_update_is_refused(served):
    for body in (
        b"",
        b"{",
        b"\xff\xfe",
        b"[1]",
        b"null",
        b"{}",
        b'{"update_id": "1"}',
        b'{"update_id": true}',
        b'{"update_id": 1.0}',
        b'{"update_id": -1}',
        b'{"update_id": 9223372036854775808}',
        b'{"update_id": %s}' % (b"9" * 5000),
        b'{"update_id": 2, "x": %s}' % (b"[" * 200_000),
    ):
        assert await served.status(body) == 400, body[:40]
    assert await served.status(b" " * (MAX_BYTES + 1)) == 413
    async with served.http.get(served.root + "/telegram", headers=SIGNED) as answer:
        assert answer.status == 405
    assert await served.status(an_update(2), path="/") == 404
    assert await served.stored() == [1]


@pytest.mark.parametrize(
    "rest",
    [
        b"\x00\r\n\r\n",
        b"\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde",
        b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabcde",
        b"\r\nContent-Length: 500\r\n\r\nabc",
    ],
)
async def test_what_is_no_http_or_is_cut_off_fills_no_log(served, caplog, rest):
    reader, writer = await asyncio.open_connection("127.0.0.1", served.settings.http_port)
    start = f"POST /telegram HTTP/1.1\r\nHost: x\r\n{SECRET_HEADER}: {SECRET}"
    writer.write(start.encode() + rest)
    writer.write_eof()
    async with asyncio.timeout(10):
        assert b" 500 " not in await reader.read()
    writer.close()
    await writer.wait_closed()
    assert not caplog.records
    assert await served.stored() == [1]


async def test_telegram_is_asked_to_come_again_while_the_update_cannot_be_written(
    served, monkeypatch
):
    async with served.sessions.begin() as session:
        await session.execute(text("ALTER TABLE inbox_update RENAME TO elsewhere"))
    async with served.post(an_update(2)) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"].isdecimal()
    async with served.sessions.begin() as session:
        await session.execute(text("ALTER TABLE elsewhere RENAME TO inbox_update"))
    monkeypatch.setattr("bot.inbox.MAX_WAITING", 0)
    async with served.post(an_update(2)) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"].isdecimal()
    monkeypatch.undo()
    assert await served.stored() == [1]
    assert await served.status(an_update(2)) == 200


async def test_a_port_that_is_taken_is_said_in_one_line(served):
    address = f"127.0.0.1:{served.settings.http_port}"
    with pytest.raises(WebError, match=f"^HTTP_PORT: can't listen on {address}: ") as caught:
        async with Web(served.settings, served.inbox, served.metrics, served.health).serving():
            pass
    assert "\n" not in str(caught.value)


async def test_health_names_each_part_and_asking_often_scores_one_text(served):
    (status, found), *_ = await asyncio.gather(*(served.health_of() for _ in range(20)))
    assert served.batcher.scored == 1
    assert status == 200
    assert found["ok"] is True
    assert set(found["checks"]) == {"loop", "database", "model", "receiver"}
    assert found["checks"]["model"]["version"] == "tiny-1"
    assert found["checks"]["receiver"]["mode"] == "webhook"


async def test_health_says_which_part_fails_and_nothing_more(served):
    served.classifier.fails = True
    async with served.sessions.begin() as session:
        await session.execute(text("DROP TABLE alembic_version"))
    status, found = await served.health_of()
    assert status == 503
    assert [name for name, check in found["checks"].items() if not check["ok"]] == [
        "database",
        "model",
    ]
    assert found["checks"]["model"]["error"] == "RuntimeError"
    assert TITLE not in json.dumps(found, ensure_ascii=False)


async def test_a_model_that_hangs_is_found(served, monkeypatch):
    monkeypatch.setattr("bot.health.MODEL_SECONDS", 0.05)
    monkeypatch.setattr("bot.health.BUSY_SECONDS", -1)
    served.classifier.goes_on.clear()
    status, found = await served.health_of()
    assert status == 503
    served.classifier.goes_on.set()
    assert found["checks"]["model"]["error"] == "no answer"


async def test_a_poller_that_hears_nothing_or_of_another_program_is_ill(served, monkeypatch):
    calls = served.metrics.calls
    health = Health(served.sessions, served.batcher, served.inbox, calls, polls=True)
    monkeypatch.setattr("bot.health.KEEP_SECONDS", -1)
    assert (await health.checks())["receiver"].ok
    calls.polled_at -= 1000
    assert not (await health.checks())["receiver"].ok
    calls.polled_at += 1000
    calls.conflict_at = calls.polled_at
    assert "another program" in (await health.checks())["receiver"].more["error"]


async def test_metrics_count_what_happened_and_name_nobody(served):
    async with served.sessions.begin() as session:
        await store.chat(session, -5, TITLE, "supergroup")
    await served.batcher.predict("а")
    assert await served.status(b"[]") == 400
    shown = await served.metrics_text()
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
    }
    assert found["bot_updates_received_total",] == 1
    assert found["bot_updates_handled_total",] == 1
    assert found["bot_updates_waiting",] == 0
    assert found["bot_update_seconds_count",] == 1
    assert found["bot_texts_scored_total",] == found["bot_batch_pieces_count",] == 1
    assert found["bot_webhook_refused_total", "no update"] == 1
    assert found["bot_model_info", "tiny-1"] == found["bot_database_up",] == 1
    assert found["bot_groups",] == 1
    assert TITLE not in shown
    assert "-5" not in shown
