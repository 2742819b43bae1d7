"""A run killed after it has published, while it puts its model into service."""

import json
import os
import random
import signal
import time
from contextlib import suppress

import pytest

from moderation import registry
from trainer import config
from trainer.dataset import Files
from trainer.retrain import Retraining, retrain

KILLS = 12


@pytest.fixture
def models(tmp_path, make_model):
    """A registry in which v1 serves and v2 was just published."""
    for version in ("v1", "v2"):
        registry.publish(make_model(tmp_path / version, version=version), tmp_path / "models")
    registry.promote(tmp_path / "models", "v1", by="test")
    return tmp_path / "models"


@pytest.fixture
def given(tmp_path, models):
    recipe = config.load("retrain", [])
    return Retraining(
        "none", models, tmp_path / "run", Files(()), "none", recipe,
        resume=True, promote=True, by="operator",
    )  # fmt: skip


def published(directory):
    """The run as it stands between publishing and promoting."""
    (directory / "work").mkdir(parents=True, exist_ok=True)
    (directory / "work" / "votes.jsonl").write_text("words")
    (directory / "evaluation").mkdir(exist_ok=True)
    (directory / "result.json").write_text(
        json.dumps({"version": "v2", "promote": True, "promoted": False})
    )


def silent(line):
    pass


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_killed_while_it_promotes_it_has_promoted_once_when_it_went_on(given, models):
    chance, took, seen = random.Random(1), 0.0, set()
    for number in range(KILLS):
        registry.promote(models, "v1", by="test")
        published(given.directory)
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                retrain(given, silent)
            os._exit(0)
        if number:
            time.sleep(chance.uniform(0, took))
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        took = took or time.monotonic() - began
        found = registry.promotion(models)
        assert registry.verify(registry.champion(models)).version == found.version
        said = json.loads((given.directory / "result.json").read_text())["promoted"]
        assert found.version == "v2" or not said
        seen.add((found.version, said))

        assert retrain(given, silent)["promoted"]
        pointer = registry.promotion(models)
        assert (pointer.version, pointer.previous, pointer.by) == ("v2", "v1", "operator")
        assert not (given.directory / "work").exists()
        assert found.version == "v1" or pointer.at == found.at
    assert ("v1", False) in seen
