import asyncio
from types import SimpleNamespace

from bot.inbox import Inbox
from bot.metrics import Metrics
from moderation.batcher import Batcher


class Hanging:
    """Sessions of a database that never answers."""

    def __call__(self):
        return self

    async def __aenter__(self):
        await asyncio.Event().wait()

    async def __aexit__(self, *error):
        pass


async def test_metrics_are_shown_while_the_database_hangs(bot, monkeypatch):
    monkeypatch.setattr("bot.metrics.COUNT_SECONDS", 0.05)
    sessions = Hanging()
    inbox = Inbox(bot, sessions, None, None)
    metrics = Metrics(sessions, Batcher(SimpleNamespace(version="tiny-1")), inbox)
    async with asyncio.timeout(10):
        shown = await metrics.shown()
    assert b"bot_database_up 0.0" in shown
    assert b"bot_groups" not in shown
