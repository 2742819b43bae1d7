"""Updates that Telegram brings: the bot as a process behind a webhook of the sandbox."""

import json
import signal
import socket

import aiohttp
import pytest_asyncio

from bot.web import SECRET_HEADER
from moderation.states import UpdateState
from moderation.tables import InboxUpdate
from sandbox import scene
from tests.e2e.stage import CLEAN, INSULT, MEMBER, MODERATOR, STRANGER, staged, start, until

SECRET = "webhook_secret-0123456789"
MESSAGES = 20


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hooked(tmp_path_factory):
    """A bot behind a webhook; its tests follow one another."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    async with staged(tmp_path_factory.mktemp("hooked")) as made:
        made.environment = {
            "WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
            "WEBHOOK_SECRET": SECRET,
            "HTTP_PORT": str(port),
            "LOG_FORMAT": "json",
        }
        await made.start_bot()
        await until(lambda: listens(made))  # a moment after the start
        yield made


async def conversation(stage):
    """What a group sees and decides: insults, an edit, a command, a press of a moderator."""
    group = await stage.group()
    said = [await stage.people.write(group, MEMBER, text) for text in (CLEAN, INSULT, CLEAN + "!")]
    await stage.people.post("edits", chat_id=group, message_id=said[2], text=INSULT + "!!")
    await stage.people.write(group, STRANGER, f"/report {INSULT}")
    await stage.settled(group, 5)
    case = await stage.card(group)
    await stage.press(case, MODERATOR, button="🕊 Не токсично")
    await until(lambda: stage.labels(group))
    cases = await stage.cases(group)
    kept = [
        m.get("text") for m in await stage.people.messages(group) if m["from"]["id"] != scene.BOT_ID
    ]
    return [(c.text, c.flagged, c.origin, c.verdict) for c in cases], kept


async def test_a_webhook_that_is_set_while_it_polls_is_taken_away(own_stage):
    await own_stage.start_bot()
    group = await own_stage.group()
    url = f"{own_stage.people.url}bot{own_stage.token}/setWebhook"
    given = {"url": "https://other.example/x"}
    async with aiohttp.ClientSession() as http, http.post(url, data=given) as answer:
        assert answer.status == 200, await answer.text()
    await own_stage.people.write(group, MEMBER, CLEAN)
    await own_stage.settled(group, 1)


async def everything_done(stage):
    async def done():
        return not await stage.rows(InboxUpdate, InboxUpdate.state == UpdateState.PENDING)

    await until(done)


async def asked(stage, path, **request):
    url = stage.environment["WEBHOOK_URL"].replace("/telegram", path)
    async with aiohttp.ClientSession() as http, http.request(url=url, **request) as answer:
        return answer.status, await answer.text()


async def listens(stage):
    try:
        return await asked(stage, "/healthz", method="GET")
    except aiohttp.ClientConnectionError:
        return None


async def test_the_same_conversation_ends_as_it_does_by_polling(hooked, stage):
    calls = (await hooked.people.get("calls"))["calls"]
    assert not [call for call in calls if call["method"].lower() == "getupdates"]
    assert await conversation(hooked) == await conversation(stage)


async def test_nobody_else_brings_updates(hooked):
    update = {"update_id": 1, "message": {"text": INSULT}}
    for headers in ({}, {SECRET_HEADER: SECRET + "x"}):
        status, _ = await asked(hooked, "/telegram", method="POST", json=update, headers=headers)
        assert status == 401
    assert not await hooked.rows(InboxUpdate, InboxUpdate.id == 1)


async def test_a_repeated_delivery_changes_nothing(hooked):
    group = await hooked.group()
    await hooked.people.write(group, MEMBER, INSULT)
    case = await hooked.card(group)
    assert (await hooked.people.post("redeliveries", count=5))["redelivered"] > 1
    await hooked.people.write(group, MEMBER, CLEAN)
    await hooked.settled(group, 2)
    await everything_done(hooked)
    assert [found.id for found in await hooked.cases(group)] == [case.id]


async def test_health_and_metrics_are_for_programs(hooked):
    status, health = await asked(hooked, "/healthz", method="GET")
    assert status == 200, health
    assert {name for name, part in json.loads(health)["checks"].items() if part["ok"]} == {
        "loop", "database", "model", "receiver",
    }  # fmt: skip
    _, metrics = await asked(hooked, "/metrics", method="GET")
    assert 'bot_api_calls_total{method="deleteMessage",outcome="ok"}' in metrics
    asking = await start(hooked.folder / "health.log", "bot", "health",
        TELEGRAM_API_URL=hooked.people.url, **hooked.environment,
    )  # fmt: skip
    assert await asking.child.wait() == 0
    assert hooked.token not in health + metrics


async def test_killed_behind_a_webhook_it_handles_all_by_polling_and_goes_back_again(hooked):
    group = await hooked.group()
    written = [
        await hooked.people.write(group, MEMBER, f"{INSULT if i % 2 else CLEAN} {i}")
        for i in range(MESSAGES)
    ]
    await hooked.settled(group, 1)
    await hooked.bot.stop(signal.SIGKILL)
    environment = hooked.environment
    for hooked.environment in ({}, environment):
        written += [await hooked.people.write(group, STRANGER, CLEAN)]
        await hooked.start_bot()
        await hooked.settled(group, len(written))
        await everything_done(hooked)
        assert await hooked.bot.stop() == 0
    assert sorted(row.message_id for row in await hooked.predictions(group)) == written
    standing = {m["message_id"] for m in await hooked.people.messages(group)}
    assert not standing & set(written[1:MESSAGES:2])


async def test_neither_token_nor_secret_is_ever_said(hooked):
    said = hooked.bot.said
    assert hooked.token.partition(":")[2] not in said
    assert SECRET not in said
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    (line, *_) = (line for line in lines if line["event"] == "membership changed")
    assert {"update", "chat"} <= set(line)
