import pytest

from bot.language import language
from bot.outcome import Press, keyboard
from bot.training import Result
from moderation.states import RunDecision, RunState
from moderation.tables import TrainingRun


def names(decision=None, promote=True, promoted=False, asks=False):
    run = TrainingRun(id=3, state=RunState.FINISHED, decision=decision, promote=promote)
    found = keyboard(language("ru"), run, Result(promote=promote, promoted=promoted), asks=asks)
    rows = found.inline_keyboard if found else []
    return [Press.unpack(button.callback_data).button for row in rows for button in row]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["on", "keep"]),
        ({"promote": False}, ["keep", "force"]),
        ({"promote": False, "asks": True}, ["sure", "back"]),
        ({"decision": RunDecision.KEPT}, ["on"]),
        ({"decision": RunDecision.KEPT, "promote": False}, ["force"]),
        ({"decision": RunDecision.ENABLED}, []),
        ({"decision": RunDecision.FORCED, "promote": False}, []),
        ({"promoted": True}, []),
    ],
)
def test_only_what_can_still_be_decided_has_a_button(given, expected):
    assert names(**given) == expected
