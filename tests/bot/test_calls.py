import contextlib

from aiogram.exceptions import AiogramError
from prometheus_client import CollectorRegistry

from bot.calls import Calls
from bot.telegram import GetRawUpdates, make_bot
from moderation.settings import Settings
from tests.bot.telegram import TOKEN, telegram


async def test_each_attempt_at_a_call_is_counted_by_how_it_went():
    registry = CollectorRegistry()
    calls = Calls(registry)
    calls.polled_at = 0.0
    async with telegram() as server:
        bot = make_bot(Settings(bot_token=TOKEN, telegram_api_url=server.url))
        bot.session.middleware(calls)
        answers = [400, 500, [], 409]
        server.answers["getUpdates"] = lambda: answers.pop(0)
        for _ in range(4):
            with contextlib.suppress(AiogramError):
                await bot(GetRawUpdates())
        await bot.session.close()

    def counted(outcome):
        names = {"method": "getUpdates", "outcome": outcome}
        return registry.get_sample_value("bot_api_calls_total", names)

    assert [counted(outcome) for outcome in ("ok", "refused", "error")] == [1, 2, 1]
    assert calls.polled_at > 0
    assert calls.conflict_at >= calls.polled_at
