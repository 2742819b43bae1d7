import asyncio
from datetime import timedelta
from time import monotonic

import pytest

from bot.runner import Runner, ending, new_folder
from bot.telegram import make_bot
from bot.training import Result
from moderation import database
from moderation.columns import now
from moderation.settings import Settings
from moderation.states import RunState, Source
from moderation.tables import Label, TrainingRun
from tests.moderation.rows import rows

DONE, FEW = Result(version="v"), Result(missing=3)
ERROR = "data.py:1\nerror: no space left on the disk"


@pytest.mark.parametrize(
    ("result", "code", "tail", "cancelled", "expected"),
    [
        (DONE, 0, "", False, RunState.FINISHED),
        (DONE, 3, "", False, RunState.FINISHED),
        (DONE, None, "", True, RunState.FINISHED),  # it was quicker than the press
        (DONE, -9, "", False, RunState.FINISHED),
        (FEW, 4, "", False, RunState.FAILED),
        (None, 143, "", True, RunState.CANCELLED),
        (None, -9, "", True, RunState.CANCELLED),
        (None, 1, ERROR, False, RunState.FAILED),
        (None, 2, "", False, RunState.FAILED),
        (None, -9, "", False, RunState.INTERRUPTED),
        (None, 143, "", False, RunState.INTERRUPTED),
        (None, 0, "", False, RunState.INTERRUPTED),
        (None, None, "", False, RunState.INTERRUPTED),  # nobody was there to see it end
        (None, None, ERROR, False, RunState.FAILED),
    ],
)
def test_how_a_run_ended(result, code, tail, cancelled, expected):
    assert ending(result, code, tail, cancelled=cancelled) is expected


def test_folders_differ():
    assert len({new_folder() for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("labels", "ended", "every", "begins"),
    [
        (2, None, 24, True),
        (1, None, 24, False),  # too few
        (2, None, 0, False),  # only when asked
        (2, 25, 24, True),
        (2, 23, 24, False),  # too early
        (0, 25, 24, False),  # nothing new to learn from
    ],
)
async def test_the_schedule_begins_a_training_when_it_is_time(
    tmp_path, labels, ended, every, begins
):
    settings = Settings(
        bot_token="1:" + "a" * 35, models_dir=tmp_path / "models",
        database_url=f"sqlite:///{tmp_path}/bot.sqlite3",
        retrain_every=every, retrain_min_labels=2,
    )  # fmt: skip
    async with database.opened(settings.database_url) as sessions:
        async with sessions.begin() as session:
            if ended is not None:
                began = now() - timedelta(hours=ended)
                session.add(
                    TrainingRun(
                        state=RunState.FAILED, folder="a", started_at=began, is_reported=True
                    )
                )
            for number in range(3 if ended else labels):
                is_new = number < labels
                session.add(
                    Label(
                        moderator_id=1, source=Source.IMPORT, text=f"слова {number}", scores={},
                        vector={"insult": 1}, model_version="",
                        created_at=now() - timedelta(hours=0 if is_new else 48),
                    )
                )  # fmt: skip
        runner = asyncio.create_task(Runner(make_bot(settings), sessions, settings).run())
        found, deadline = [], monotonic() + (20 if begins else 1)
        while not found and monotonic() < deadline:
            await asyncio.sleep(0.02)
            found = await rows(sessions, TrainingRun, TrainingRun.state == RunState.RUNNING)
        runner.cancel()  # before it looks again and starts the process
    assert bool(found) == begins
