"""Outgoing calls under Telegram's own limits: what must go at once, and what may wait."""

import signal
from collections import Counter

from bot.limiter import OVERALL, PER_CHAT, PER_GROUP
from moderation.tables import Case, Enforcement
from tests.e2e.stage import INSULT, MEMBER, STRANGER, prefer, until

RAID = 120
_DELETING = ("deleteMessage", "deleteMessages")


async def test_a_raid_is_over_at_once_while_its_cards_come_as_telegram_lets_them(own_stage):
    stage = own_stage
    stage.environment["TELEGRAM_PACE"] = "1"
    await stage.start_bot()
    group, modchat = await stage.moderated_group()
    other, _ = await stage.moderated_group()
    await prefer(stage, group, mute_after=0)
    for method in _DELETING:  # Telegram takes its time
        await stage.people.post("faults", method=method, kind="delay", seconds=1, count=RAID)
    written = [
        await stage.people.write(group, (MEMBER, STRANGER)[i % 2], f"{INSULT} {i}")
        for i in range(RAID)
    ]

    async def all_gone():
        standing = {m["message_id"] for m in await stage.people.messages(group)}
        return not standing & set(written)

    await until(all_gone, 90)
    calls = (await stage.people.get("calls"))["calls"]
    assert sum(call["method"] in _DELETING for call in calls) < RAID / 2
    assert not [call for call in calls if call["status"] == 429]
    assert len(await owed(stage)) >= RAID - PER_GROUP[0] - 1

    # Another group's card doesn't stand in line behind them.
    await stage.people.write(other, MEMBER, INSULT)
    await stage.card(other)
    assert await owed(stage)

    await stage.bot.stop(signal.SIGKILL)
    calls = (await stage.people.get("calls"))["calls"]
    keep_limits(calls, (group, modchat))
    stage.environment["TELEGRAM_PACE"] = "1000"
    await stage.start_bot()
    await until(lambda: nothing_owed(stage), 120)

    cases = await stage.cases(group)
    assert len(cases) == len({case.card_message_id for case in cases}) == RAID
    cards = await stage.said(modchat, INSULT)
    assert RAID <= len(cards) <= RAID + 1  # one may have been on its way at the kill
    acts = await stage.rows(Enforcement)
    assert {state for state, _ in Counter(row.state for row in acts).items()} <= {"done", "failed"}


async def owed(stage):
    return await stage.rows(Case, Case.card_due.is_not(None))


async def nothing_owed(stage):
    return not await owed(stage)


def keep_limits(calls, groups):
    """Whether no window of time holds more calls than Telegram's guidance allows."""
    words = [call for call in calls if call["method"].startswith(("send", "edit"))]
    for group in groups:
        moments = [call["time"] for call in words if int(call["params"]["chat_id"]) == group]
        assert moments
        keep(moments, PER_GROUP)
        keep(moments, PER_CHAT)
    keep([call["time"] for call in calls if not call["method"].startswith(("get", "set"))], OVERALL)


def keep(moments, limit):
    count, seconds = limit
    gaps = [later - first for first, later in zip(moments, moments[count:], strict=False)]
    # Between the bot's clock and the sandbox's lies the way of a call.
    assert all(gap > seconds - 0.5 for gap in gaps), min(gaps)
