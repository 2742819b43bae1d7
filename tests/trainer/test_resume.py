import os
import signal
import time

import pytest

from moderation import registry
from tests.commands import Command
from tests.trainer.conftest import gold_lines, trainer, write

RECIPE = ["--recipe", "tiny", "--set", "pretraining_epochs=3", "--set", "epochs=3"]


@pytest.fixture(scope="module")
def gold(tmp_path_factory):
    return write(tmp_path_factory.mktemp("rows") / "gold.tsv", gold_lines(600))


@pytest.fixture(scope="module")
def uninterrupted(gold):
    output = gold.parent / "whole" / "model"
    done = trainer("train", "--gold", gold, "--output", output, *RECIPE)
    assert done.returncode == 0, done.stderr
    return registry.card(output)


def kill_when(pattern, output, *arguments):
    """Kill a run as soon as a file of `pattern` is there."""
    words, said = ("trainer", "train", "--output", output, *arguments), output.parent / "said"
    command = Command(words, said, said, os.environ)
    until = time.monotonic() + 120
    while not list(output.glob(pattern)):
        assert command.returncode is None, "the run ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.005)
    command.send_signal(signal.SIGKILL)
    command.join()


@pytest.mark.timeout(900)
def test_a_run_killed_and_resumed_ends_as_one_that_was_not(gold, uninterrupted, tmp_path):
    """Killed in pretraining, and once more in fine-tuning."""
    output = tmp_path / "model"
    kill_when("work/pretraining.pt", output, "--gold", gold, *RECIPE)
    assert not list(output.glob("work/checkpoints/*"))
    epoch = "work/checkpoints/checkpoint-*/trainer_state.json"
    kill_when(epoch, output, "--gold", gold, *RECIPE, "--resume")
    assert not (output / "card.json").exists()
    done = trainer("train", "--gold", gold, "--output", output, *RECIPE, "--resume")

    assert done.returncode == 0, done.stderr
    found = registry.card(output)
    for part in ("validation", "test"):
        for category, figures in uninterrupted.metrics[part].items():
            assert found.metrics[part][category] == pytest.approx(figures, abs=0.005)
    assert found.files["model.safetensors"] == uninterrupted.files["model.safetensors"]
