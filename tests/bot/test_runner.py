import pytest

from bot.runner import ending, new_folder
from bot.training import Result
from moderation.states import RunState

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
