import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from bot import doctor_telegram
from moderation import store
from moderation.settings import Settings
from tests.bot.telegram import ME, NO_WEBHOOK, TOKEN, telegram

HOOK = "http://bot.test/telegram"
HOOKED = {"webhook_url": HOOK, "webhook_secret": "s" * 16}
RIGHTS = {"can_delete_messages": True, "can_restrict_members": True}


@pytest.fixture
async def server():
    async with telegram() as found:
        yield found


async def told(server, sessions=None, **more):
    settings = Settings(bot_token=TOKEN, telegram_api_url=server.url, **more)
    return [
        ("✅ " if finding.is_well else "❌ ") + finding.words
        async for finding in doctor_telegram.findings(settings, sessions)
    ]


async def test_what_is_well(server):
    assert await told(server) == [
        "✅ токен: @a_bot",
        "✅ часы: идут верно",
        "✅ получение: опросом, в Telegram ждут 0 событий",
    ]


@pytest.mark.parametrize(("minutes", "words"), [(2, "отстают на 1"), (-2, "спешат на 1")])
async def test_a_clock_that_is_wrong(server, minutes, words):
    server.date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    assert (await told(server))[1].startswith(f"❌ часы: {words}")


@pytest.mark.parametrize(
    ("info", "settings", "words"),
    [
        ({"url": "https://other.test/x"}, {}, "❌ получение: установлен вебхук на other.test"),
        ({}, HOOKED, "❌ получение: вебхук не установлен, хотя WEBHOOK_URL задан (bot.test)"),
        ({"url": "https://other.test/x"}, HOOKED, "❌ получение: вебхук ведёт не туда"),
        ({"url": HOOK}, HOOKED, "✅ получение: вебхуком через bot.test, в Telegram ждут 0"),
        ({"pending_update_count": 301}, {}, "❌ получение: в Telegram ждёт 301 событие; бот не"),
    ],
)
async def test_how_updates_come(server, info, settings, words):
    server.answers["getWebhookInfo"] = NO_WEBHOOK | info
    assert (await told(server, **settings))[2].startswith(words)


async def test_a_webhook_that_telegram_cannot_reach_lately(server):
    failed = {"url": HOOK, "last_error_message": "Connection refused"}
    now = int(datetime.now(UTC).timestamp())
    for ago, sign in ((30, "❌"), (24 * 3600, "✅")):
        server.answers["getWebhookInfo"] = NO_WEBHOOK | failed | {"last_error_date": now - ago}
        line = (await told(server, **HOOKED))[2]
        assert line.startswith(sign)
        assert ("(Connection refused)" in line) == (sign == "❌")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (401, "❌ токен: Telegram его не принимает"),
        (404, "❌ токен: Telegram его не принимает"),
        (400, "❌ Telegram: не отвечает (said 400)"),
    ],
)
async def test_a_telegram_that_refuses(server, code, words):
    server.answers["getMe"] = code
    (line,) = await told(server)
    assert line.startswith(words)


async def test_a_bot_that_is_not_running_and_another_program_at_its_port(server, unused_port):
    assert (await told(server, http_port=unused_port))[3].startswith("✅ бот: не запущен")
    port = int(server.url.rpartition(":")[2])
    assert (await told(server, http_port=port))[3].startswith("❌ бот: на порту")


@pytest.fixture
def unused_port():
    return 9


@pytest.fixture
async def answering():
    """Makes a port that answers with this JSON, or never if it is None."""
    runners = []

    async def make(body):
        async def answer(request):
            await asyncio.sleep(0 if body else 10)
            return web.json_response(body, status=503)

        app = web.Application()
        app.router.add_get("/healthz", answer)
        runners.append(runner := web.AppRunner(app, shutdown_timeout=0.1))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner.addresses[0][1]

    yield make
    for runner in runners:
        await runner.cleanup()


SILENT = {"receiver": {"ok": False, "seconds": 300}, "loop": {"ok": True}}
FAILING = {"model": {"ok": False, "error": "RuntimeError"}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"checks": {"loop": {"ok": True}}}, "✅ бот: работает"),
        ({"checks": SILENT}, "❌ бот: работает, но с неполадкой: события не приходят; загляните"),
        (
            {"checks": FAILING},
            "❌ бот: работает, но с неполадкой: модель не отвечает (RuntimeError);",
        ),
        ({"checks": []}, "❌ бот: на порту"),
        ({"checks": {"a": 1}}, "❌ бот: на порту"),
    ],
)
async def test_what_a_running_bot_says_of_itself(server, answering, body, words):
    assert (await told(server, http_port=await answering(body)))[3].startswith(words)


async def test_a_bot_that_hangs_is_not_taken_for_one_that_is_not_running(
    server, answering, monkeypatch
):
    port = await answering(None)
    monkeypatch.setattr(doctor_telegram, "CALL_SECONDS", 0.5)
    assert (await told(server, http_port=port))[3].startswith(f"❌ бот: порт {port} занят, но")


async def test_a_port_that_hangs_up_is_another_programs(server):
    async def hang_up(reader, writer):
        await reader.readline()
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        assert (await told(server, http_port=port))[3].startswith("❌ бот: на порту")


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ({"status": "administrator"} | RIGHTS, "✅ группа «Г»: права есть"),
        ({"status": "member"}, "❌ группа «Г»: бот не видит сообщений — режим приватности включён"),
        ({"status": "left"}, "❌ группа «Г»: бота там нет"),
        (
            {"status": "administrator", "can_delete_messages": False},
            "❌ группа «Г»: нет права удалять сообщения и блокировать участников; дайте",
        ),
    ],
)
async def test_what_the_bot_may_do_in_a_group(server, sessions, member, words):
    server.answers["getMe"] = ME | {"can_read_all_group_messages": False}
    async with sessions.begin() as session:
        await store.chat(session, -5, "Г", "supergroup")
    server.answers["getChatMember"] = {"user": ME} | member
    (*_, line) = await told(server, sessions)
    assert line.startswith(words)


async def test_no_group_yet(server, sessions):
    assert "режим приватности" not in (await told(server, sessions))[3].lower()
    server.answers["getMe"] = ME | {"can_read_all_group_messages": False}
    assert "режим приватности" in (await told(server, sessions))[3].lower()


async def test_a_group_that_gets_its_own_cards_is_looked_at(server, sessions):
    async with sessions.begin() as session:
        (await store.chat(session, -5, "Г", "supergroup")).modchat_id = -5
    server.answers["getChatMember"] = {"user": ME, "status": "administrator"} | RIGHTS
    assert (await told(server, sessions))[3:] == ["✅ группа «Г»: права есть"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("nobody", "(некому прислать)"),
        ("bot was kicked from the supergroup chat", "(бота удалили"),
        ("something new", "(something new)"),
    ],
)
async def test_why_cards_do_not_arrive_is_said_in_words(server, sessions, error, words):
    async with sessions.begin() as session:
        (await store.chat(session, -5, "Г", "supergroup")).card_error = error
    server.answers["getChatMember"] = {"user": ME, "status": "administrator"} | RIGHTS
    assert f"карточки не доходят {words}" in (await told(server, sessions))[3]


async def test_the_password_of_a_webhook_is_not_told(server):
    server.answers["getWebhookInfo"] = NO_WEBHOOK | {"url": "https://me:hidden@other.test/x"}
    line = (await told(server))[2]
    assert "вебхук на other.test," in line
