import asyncio
import signal
from collections import Counter

from moderation.states import ActState, UpdateState
from moderation.tables import Case, Enforcement, InboxUpdate
from tests.e2e.stage import CLEAN, INSULT, MEMBER, until, whispered

MESSAGES = 50


async def test_killed_with_fifty_messages_in_flight_it_handles_each_exactly_once(own_stage):
    stage = own_stage
    await stage.start_bot()
    group, modchat = await stage.moderated_group()
    # Slow answers, so that the kill falls between an act and the note of its outcome.
    for method in ("deleteMessage", "sendMessage"):
        await stage.people.post("faults", method=method, kind="delay", seconds=0.05, count=500)
    written = [
        await stage.people.write(group, MEMBER, f"{INSULT if i % 2 else CLEAN} {i}")
        for i in range(MESSAGES)
    ]
    for _ in range(3):
        await asyncio.sleep(0.7)
        await stage.bot.stop(signal.SIGKILL)
        await stage.start_bot()
    await until(lambda: quiet(stage), 60)

    rows = await stage.predictions(group)
    assert sorted(row.message_id for row in rows) == written
    cases = await stage.cases(group)
    assert len(cases) == MESSAGES // 2
    assert all(case.card_message_id for case in cases)
    standing = {m["message_id"] for m in await stage.people.messages(group)}
    assert standing >= set(written[0::2])
    assert not standing & set(written[1::2])

    calls = (await stage.people.get("calls"))["calls"]
    notices = Counter(
        call["params"]["text"]
        for call in calls
        if call["method"].lower() == "sendmessage" and "сообщение удалено" in call["params"]["text"]
        and int(call["params"]["chat_id"]) == group
    )  # fmt: skip
    assert sum(notices.values()) <= len(cases)
    assert {row.state for row in await stage.rows(Enforcement)} <= {ActState.DONE, ActState.FAILED}
    assert await stage.said(modchat, "Удаление")


async def test_updates_that_came_while_it_was_down_are_handled(own_stage):
    stage = own_stage
    await stage.start_bot()
    group = await stage.group()
    await stage.bot.stop()
    assert stage.bot.child.returncode == 0
    message = await stage.people.write(group, MEMBER, INSULT)
    await stage.start_bot()
    await stage.card(group)
    assert message not in [m["message_id"] for m in await stage.people.messages(group)]


async def test_a_repeated_delivery_changes_nothing(own_stage):
    stage = own_stage
    await stage.start_bot()
    group = await stage.group()
    await stage.people.write(group, MEMBER, INSULT)
    await stage.card(group)
    await stage.people.post("redeliveries", count=5)
    await stage.people.write(group, MEMBER, CLEAN)
    await stage.settled(group, 2)
    assert len(await stage.cases(group)) == 1
    assert len(await whispered(stage, group, MEMBER, "сообщение удалено")) == 1


async def test_it_outlasts_errors_of_telegram(own_stage):
    stage = own_stage
    await stage.start_bot()
    group = await stage.group()
    for method, kind in (
        ("deleteMessage", "500"),
        ("deleteMessage", "429"),
        ("deleteMessage", "drop_after_apply"),
        ("getUpdates", "502html"),
        ("getUpdates", "drop"),
        ("sendMessage", "429"),
    ):
        await stage.people.post("faults", method=method, kind=kind, count=1, retry_after=1)
    message = await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    assert message not in [m["message_id"] for m in await stage.people.messages(group)]
    acts = await stage.acts(case.id)
    assert {act.state for act in acts.values()} == {ActState.DONE}


async def quiet(stage):
    rows = await stage.rows(InboxUpdate, InboxUpdate.state == UpdateState.PENDING)
    return not rows and not await stage.rows(Case, Case.card_due.is_not(None))
