import json
import logging
import sys

import pytest
import structlog
from aiogram.exceptions import TelegramNetworkError
from aiohttp import web

from bot import logs, training
from bot.telegram import describe, make_bot, reason_of
from moderation.settings import Settings

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_"


@pytest.fixture
def configured():
    """Logs as a bot writes them; afterwards as they were."""
    root, hook = logging.getLogger(), sys.excepthook
    before = root.handlers[:]
    root.handlers.clear()
    yield logs.configure
    root.handlers[:], sys.excepthook = before, hook
    structlog.reset_defaults()


@pytest.fixture
async def going_in_circles():
    """A bot whose server answers every call by asking it to try there again."""

    async def again(request):
        raise web.HTTPTemporaryRedirect(request.path)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", again)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    bot = make_bot(Settings(bot_token=TOKEN, telegram_api_url=url))
    yield bot
    await bot.session.close()
    await runner.cleanup()


async def test_an_error_of_the_network_names_the_token_but_nothing_that_says_it(
    going_in_circles, configured, capsys
):
    configured("text")
    with pytest.raises(TelegramNetworkError) as caught:
        await going_in_circles.send_message(1, "x")
    error = caught.value
    assert TOKEN in str(error)
    assert "TooManyRedirects" in describe(error)
    assert "TooManyRedirects" in reason_of(error)
    structlog.get_logger().warning("receiving failed", reason=str(error), exc_info=error)
    logging.getLogger("aiogram").error("failed: %s", error, exc_info=error)
    sys.excepthook(type(error), error, error.__traceback__)
    said = [describe(error), reason_of(error), capsys.readouterr().err]
    assert said[2].count("TooManyRedirects") > 6
    assert not any(TOKEN[10:] in text for text in said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"url='https://api.telegram.org/bot{TOKEN}/getMe'", "/bot123456789:…/getMe'"),
        (f"/file/bot{TOKEN.replace(':', '%3A')}/photo.jpg", "/file/bot123456789:…/photo.jpg"),
        ("at 2026-11-28T12:30:05Z chat=-1001234567890", "at 2026-11-28T12:30:05Z"),
    ],
)
def test_a_token_is_found_wherever_it_stands(text, expected):
    assert expected in logs.masked(text)


async def test_a_line_of_a_handler_carries_the_ids_of_its_update(configured, capsys):
    configured("json")
    with structlog.contextvars.bound_contextvars(update=7, chat=-1001):
        structlog.get_logger().info("case revised", case=3)
    line = json.loads(capsys.readouterr().err)
    assert (line["update"], line["chat"], line["case"]) == (7, -1001, 3)


def test_a_training_is_told_neither_the_token_nor_the_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    monkeypatch.setenv("WEBHOOK_SECRET", "s" * 16)
    settings = Settings(models_dir=tmp_path)
    assert settings.bot_token.get_secret_value() == TOKEN
    given = training.command(settings, tmp_path / "run", "1", resume=False)
    said = " ".join([*given, *training.environment(settings).values()])
    assert TOKEN not in said
    assert "s" * 16 not in said
