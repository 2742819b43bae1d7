import asyncio
import json

import pytest

from bot import webhook
from bot.telegram import ALLOWED_UPDATES, make_bot
from bot.web import WebError
from moderation.settings import Settings
from tests.bot.telegram import NO_WEBHOOK, TOKEN, telegram

HOOK = {"webhook_url": "http://bot.test/telegram", "webhook_secret": "s" * 16}


async def agreed(server, **more):
    """What Telegram was asked on the way."""
    settings = Settings(bot_token=TOKEN, telegram_api_url=server.url, **more)
    bot = make_bot(settings)
    try:
        await webhook.agree(bot, settings)
    finally:
        await bot.session.close()
    return server.asked


async def test_a_webhook_is_set_with_its_secret_and_what_waits_is_kept():
    async with telegram() as server:
        ((method, given),) = await agreed(server, **HOOK)
    assert method == "setWebhook"
    assert given["url"] == HOOK["webhook_url"]
    assert given["secret_token"] == HOOK["webhook_secret"]
    assert json.loads(given["allowed_updates"]) == ALLOWED_UPDATES
    assert given["drop_pending_updates"] == "false"


async def test_one_that_is_set_is_taken_away_for_polling_and_what_waits_is_kept():
    async with telegram() as server:
        assert [method for method, _ in await agreed(server)] == ["getWebhookInfo"]
        server.asked.clear()
        server.answers["getWebhookInfo"] = NO_WEBHOOK | {"url": "https://other.test/x"}
        (_, (method, given)) = await agreed(server)
    assert method == "deleteWebhook"
    assert given["drop_pending_updates"] == "false"


async def test_an_address_that_telegram_refuses_is_said_in_one_line():
    async with telegram() as server:
        server.answers["setWebhook"] = 400
        with pytest.raises(WebError, match=r"^WEBHOOK_URL: Telegram refuses it: said 400$"):
            await agreed(server, **HOOK)


async def test_it_waits_until_telegram_answers(monkeypatch):
    monkeypatch.setattr(webhook, "RETRY_SECONDS", 0)
    async with telegram() as server:
        answers = [403, NO_WEBHOOK]
        server.answers["getWebhookInfo"] = lambda: answers.pop(0)
        await agreed(server)
    assert not answers


def at(url):
    return NO_WEBHOOK | {"url": url}


async def kept(server, monkeypatch, addresses, told_seconds=0.0, url=HOOK["webhook_url"]):
    """What Telegram was told while the webhook was looked at, once for each of some answers."""
    monkeypatch.setattr(webhook, "LOOK_SECONDS", 0)
    monkeypatch.setattr(webhook, "TOLD_SECONDS", told_seconds)
    over = asyncio.Event()

    def answer():
        found = addresses.pop(0)
        if not addresses:
            over.set()
            addresses.append(found)
        return found

    server.answers["getWebhookInfo"] = answer
    given = HOOK | {"webhook_url": url}
    settings = Settings(
        bot_token=TOKEN, telegram_api_url=server.url, operator_ids=[5, 6], **given
    )  # fmt: skip
    bot, stop = make_bot(settings), asyncio.Event()
    try:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(webhook.keep(bot, settings, stop))
            await over.wait()
            stop.set()
    finally:
        await bot.session.close()
    return [(method, given) for method, given in server.asked if method != "getWebhookInfo"]


async def test_a_webhook_that_is_taken_away_is_set_again_and_told(monkeypatch):
    ours, theirs = at(HOOK["webhook_url"]), at("https://other.test/x")
    async with telegram() as server:
        said = await kept(server, monkeypatch, [ours, ours, theirs, ours, NO_WEBHOOK, ours, ours])
    assert [method for method, _ in said] == [
        "setWebhook",
        *["setWebhook", "sendMessage", "sendMessage"] * 2,
    ]
    assert [given["chat_id"] for _, given in said[2:4]] == ["5", "6"]
    assert "увела вебхук" in said[2][1]["text"]


async def test_an_address_as_telegram_spells_it_is_no_other_one(monkeypatch):
    spelt, url = at("http://xn--90ai2a.test/telegram"), "http://бот.test/telegram"
    async with telegram() as server:
        said = await kept(server, monkeypatch, [403, spelt, 403, spelt, spelt], url=url)
    assert [method for method, _ in said] == ["setWebhook"]


@pytest.mark.parametrize("found", [NO_WEBHOOK, at("https://other.test/x")])
async def test_one_that_is_gone_before_the_first_look_is_set_again(monkeypatch, found):
    ours = at(HOOK["webhook_url"])
    async with telegram() as server:
        said = await kept(server, monkeypatch, [found, ours, ours])
    assert [method for method, _ in said] == [*["setWebhook"] * 2, *["sendMessage"] * 2]


async def test_operators_hear_of_two_programs_that_fight_once_an_hour(monkeypatch):
    theirs = at("https://other.test/x")
    async with telegram() as server:
        said = await kept(server, monkeypatch, [theirs] * 5, told_seconds=3600.0)
    methods = [method for method, _ in said]
    assert methods.count("sendMessage") == 2
    assert methods.count("setWebhook") > 4


async def test_one_that_telegram_refuses_later_is_tried_again(monkeypatch):
    ours, results = at(HOOK["webhook_url"]), [True, 400, True]
    async with telegram() as server:
        server.answers["setWebhook"] = lambda: results.pop(0)
        said = await kept(server, monkeypatch, [ours, NO_WEBHOOK, NO_WEBHOOK, ours, ours])
    assert [method for method, _ in said] == [*["setWebhook"] * 3, *["sendMessage"] * 2]
