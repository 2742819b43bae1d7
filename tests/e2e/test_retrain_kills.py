"""The bot killed between an operator's press and what it leads to: the registry says what serves.

A row of the database tells when to kill: checking and loading a version takes the bot much longer
than seeing that row takes the test.
"""

import asyncio
import shutil
import signal
import sqlite3
from time import monotonic

import pytest_asyncio

from moderation import registry
from moderation.states import RunDecision
from moderation.tables import Promotion
from tests.e2e.stage import CLEAN, INSULT, MEMBER, until
from tests.e2e.trainings import (
    EMBEDDED,
    OPERATOR,
    changed,
    judged,
    last_run,
    operated,
    order,
    serves,
    trained,
)

BALLAST = 384  # megabytes
ELSEWHERE = "another program"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(tmp_path_factory):
    """A bot that is killed again and again."""
    async with operated(tmp_path_factory.mktemp("kills")) as made:
        await made.start_bot()
        await made.people.write(OPERATOR, OPERATOR, "/start")
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def group(stage):
    return await stage.group()


async def killed_at(stage, row):
    """Kill the bot as soon as there is such a row of a promotion."""
    deadline = monotonic() + 30
    with sqlite3.connect(stage.folder / "bot.sqlite3") as connection:
        while not connection.execute(f"SELECT 1 FROM promotion WHERE {row}").fetchone():
            assert monotonic() < deadline
            await asyncio.sleep(0.002)
    connection.close()
    await stage.bot.stop(signal.SIGKILL)


def swapped(stage, version):
    lines = [line for line in stage.bot.said.splitlines() if "model swapped" in line]
    return any(f"version={version} " in f"{line} " for line in lines)


async def test_what_was_decided_before_a_kill_is_done_after_it(stage):
    order(stage, name="pressed", ballast=BALLAST)
    verdict = await trained(stage)
    at = (OPERATOR, verdict["message_id"], OPERATOR)
    await stage.people.press(*at, button="✅ Включить")
    await killed_at(stage, "version = 'standin-pressed' AND at IS NULL")
    assert registry.promotion(stage.folder / "models") is None
    await stage.start_bot()
    await serves(stage, "standin-pressed")
    await changed(stage, verdict, "Включена, кем: 9001")
    pointer = registry.promotion(stage.folder / "models")
    (entry,) = await stage.rows(Promotion)
    assert (entry.version, entry.at, entry.by) == (pointer.version, pointer.at, str(OPERATOR))
    assert pointer.previous == EMBEDDED
    run = await last_run(stage)
    assert (run.decision, run.decided_by) == (RunDecision.ENABLED, OPERATOR)


async def test_killed_while_it_swaps_it_serves_what_the_registry_says(stage, group):
    models = stage.folder / "models"
    shutil.copytree(models / "standin-pressed", models / ".publishing-half")
    registry.promote(models, EMBEDDED, by=ELSEWHERE)
    await killed_at(stage, f"by = '{ELSEWHERE}'")
    assert not swapped(stage, EMBEDDED)
    await stage.start_bot()
    assert await judged(stage, group, CLEAN) == (EMBEDDED, "NONE")
    pointer = registry.promotion(models)

    async def noted():
        return [row.at for row in await stage.rows(Promotion)][-1] == pointer.at

    await until(noted)
    assert [card.version for card in registry.versions(models)] == ["standin-pressed"]


async def test_killed_while_it_swaps_to_a_broken_version_it_begins_with_the_one_before(
    stage, group
):
    models = stage.folder / "models"
    order(stage, name="blind", shift=dict.fromkeys(("obscenity", "insult", "threat"), -20))
    verdict = await trained(stage)
    at = (OPERATOR, verdict["message_id"], OPERATOR)
    await stage.people.press(*at, button="✅ Включить")
    await killed_at(stage, "version = 'standin-blind' AND at IS NOT NULL")
    assert registry.promotion(models).version == "standin-blind"
    number = len(await stage.predictions(group))
    await stage.people.write(group, MEMBER, INSULT)
    await stage.start_bot()
    await stage.settled(group, number + 1)
    found = (await stage.predictions(group))[-1]
    assert (found.model_version, found.action.name) == (EMBEDDED, "DELETE")
    refused = "standin-blind не включаю: ошибается на контрольных"
    await until(lambda: stage.said(OPERATOR, refused))
    assert registry.promotion(models).version == EMBEDDED
    history = await stage.rows(Promotion)
    assert [(row.version, row.refusal) for row in history[-2:]] == [
        ("standin-blind", "golden"),
        (EMBEDDED, None),
    ]
    assert all(row.at for row in history)
