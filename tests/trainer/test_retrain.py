"""The command as a process, killed and resumed at every phase, on a tiny base."""

import asyncio
import gzip
import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from moderation import registry
from moderation.categories import Category
from tests.commands import Command
from tests.trainer.bot_labels import fill
from tests.trainer.conftest import CLEAN, WORDS, sentence, trainer
from trainer import config
from trainer.config import TrainingError
from trainer.dataset import Files
from trainer.retrain import Retraining, TooFewError, retrain

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

N = 240
PHASES = ["data", "train", "calibrate", "evaluate", "compare", "report", "publish"]


def votes(n=N, moderators=3):
    rng = random.Random(3)
    for i in range(n):
        label = rng.choice(sorted(WORDS)) if i % 2 else "non_toxic"
        text = sentence(rng, rng.choice(WORDS.get(label, CLEAN)))
        yield text, 1 + i % moderators, {c.value: int(c == label) for c in Category}


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    path = tmp_path_factory.mktemp("bot") / "bot.sqlite3"
    asyncio.run(fill(f"sqlite+aiosqlite:///{path}", [*votes()], author=lambda n: n + 10))
    return path


def served(base, models):
    """A registry in which the base serves."""
    version = registry.publish(base, models)
    registry.promote(models, version, "test")
    return models


def arguments(labels, base, models, directory):
    found = ["--labels", labels, "--models", models, "--run", directory, "--base", base]
    return [*found, "--set", "epochs=2", "--threads", "1"]


@pytest.fixture(scope="module")
def whole(labels, model, tmp_path_factory):
    """A run that nothing disturbed: its folder, its registry and what it said."""
    folder = tmp_path_factory.mktemp("whole")
    models = served(model, folder / "models")
    done = trainer("retrain", *arguments(labels, model, models, folder / "run"))
    assert done.returncode in (0, 3), done.stderr
    return folder, models, done


def started(labels, base, models, directory, resume=False):
    """The same in this process."""
    recipe = config.load("retrain", ["epochs=2"])
    return Retraining(str(labels), models, directory, Files(()), str(base), recipe, resume=resume)


def steps(directory):
    lines = (directory / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]


def result(directory):
    return json.loads((directory / "result.json").read_text(encoding="utf-8"))


def candidate(models, base):
    """The card of the one version beside the base."""
    return next(c for c in registry.versions(models) if c.version != registry.card(base).version)


def disturb(number, when, given, said):
    """Start a run, send it a signal as soon as `when` holds; its exit status."""
    command = Command(("trainer", "retrain", *given), Path(os.devnull), said, os.environ)
    until = time.monotonic() + 200
    while not when():
        assert command.returncode is None, said.read_text()
        assert time.monotonic() < until
        time.sleep(0.005)
    command.send_signal(number)
    begun = time.monotonic()
    status = command.join()
    if number == signal.SIGTERM:
        assert time.monotonic() - begun < 10
        assert "Traceback" not in said.read_text()
    return status


def test_the_run_is_told_step_by_step(whole):
    lines = steps(whole[0] / "run")
    shares = [line["share"] for line in lines]

    assert list(dict.fromkeys(line["phase"] for line in lines)) == PHASES
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert any(line["loss"] and line["ap"] for line in lines)


def test_the_result_names_what_the_bot_shows(whole, model):
    folder, models, done = whole
    found = result(folder / "run")
    base, card = registry.card(model), candidate(models, model)

    assert done.returncode == (0 if found["promote"] else 3)
    assert (found["version"], found["base"], found["champion"]) == (
        card.version,
        base.version,
        base.version,
    )
    assert found["promoted"] is False
    assert found["labels"]["used"] + found["labels"]["held_out"] == N
    assert found["labels"]["held_out"] > N / 20
    assert found["labels"]["moderators"] == 3
    assert found["labels"]["by_category"]["non_toxic"] == N / 2
    assert {Path(name).name for name in found["images"]} >= {"roc.png", "pr.png"}
    for name in [*found["images"], found["report"]]:
        assert (folder / "run" / name).stat().st_size > 1000
    rows = {row["category"]: row for row in found["table"]}
    assert [*rows] == ["macro", *list(map(str, Category))[:5], "any"]
    for name in ("base", "champion", "candidate"):
        figures = rows["macro"][name]
        assert figures["ap_low"] <= figures["ap"] <= figures["ap_high"]
    assert found["summary_ru"]
    assert found["summary_en"]


def test_the_version_is_whole_and_says_where_it_comes_from(whole, model):
    _, models, _ = whole
    card = registry.verify(models / candidate(models, model).version)

    assert card.base == card.parent == registry.card(model).version
    assert {"feedback", "own"} == {source["name"] for source in card.sources}
    assert card.metrics["labels"]["total"] == N
    assert registry.promotion(models).version == registry.card(model).version


def test_nothing_is_left_of_the_work_but_the_report(whole):
    assert sorted(path.name for path in (whole[0] / "run").iterdir()) == [
        "evaluation",
        "progress.jsonl",
        "report",
        "result.json",
    ]


def test_no_file_keeps_what_people_wrote(whole):
    """Who asks the bot to be forgotten must not live on in a file of a training."""
    texts = {text for text, _, _ in votes() if len(text) > 20}
    assert texts
    for path in (path for path in whole[0].rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        assert not any(text.encode() in content for text in texts), path


def test_the_ledger_holds_every_label_for_ever(whole):
    ledger = (whole[1] / "splits.tsv").read_text().splitlines()

    assert len(ledger) > N


def test_a_finished_run_is_not_run_again(whole, labels, model):
    folder, models, _ = whole
    with pytest.raises(TrainingError, match="holds a run"):
        retrain(started(labels, model, models, folder / "run"), print)
    again = retrain(started(labels, model, models, folder / "run", resume=True), print)

    assert again == result(folder / "run")
    assert len(registry.versions(models)) == 2


def test_stopped_and_killed_at_every_phase_it_ends_as_one_that_was_not(
    whole, labels, model, tmp_path
):
    """SIGTERM after an epoch, SIGKILL before the report, SIGKILL as soon as it is published."""
    models, directory = served(model, tmp_path / "models"), tmp_path / "run"
    given = arguments(labels, model, models, directory)
    versions = [path.name for path in models.glob("2*")]

    def reached(phase):
        return lambda: (
            (directory / "progress.jsonl").exists()
            and any(line["phase"] == phase for line in steps(directory))
        )

    said = tmp_path / "said"
    epoch = "work/checkpoints/checkpoint-*/trainer_state.json"
    assert disturb(signal.SIGTERM, lambda: [*directory.glob(epoch)], given, said) == 143
    assert [path.name for path in models.glob("2*")] == versions
    asyncio.run(  # what is said meanwhile waits for the next run
        fill(f"sqlite+aiosqlite:///{tmp_path}/new.sqlite3", [("новое слово", 1, {"insult": 1})])
    )
    given = [*given, "--labels", tmp_path / "new.sqlite3", "--resume"]
    assert disturb(signal.SIGKILL, reached("report"), given, said) == -signal.SIGKILL
    assert [path.name for path in models.glob("2*")] == versions
    (models / ".publishing-killed").mkdir()
    published = lambda: len([*models.glob("2*")]) > len(versions)  # noqa: E731
    assert disturb(signal.SIGKILL, published, given, said) in (-signal.SIGKILL, 0, 3)
    done = trainer("retrain", *given)

    assert done.returncode == whole[2].returncode, done.stderr
    assert candidate(models, model).files == candidate(whole[1], model).files
    assert len(registry.versions(models)) == 2
    assert not [*models.glob(".publishing-*")]
    assert result(directory)["labels"] == result(whole[0] / "run")["labels"]
    shares = [line["share"] for line in steps(directory)]
    assert shares == sorted(shares)


def test_too_few_labels_say_how_many_are_missing(labels, model, tmp_path):
    given = arguments(labels, model, tmp_path / "models", tmp_path / "run")
    done = trainer("retrain", *given, "--min-labels", 1000)

    assert done.returncode == 4
    assert done.stderr.strip().splitlines()[-1] == (
        f"too few labels: {1000 - N} more are needed to make 1000 new ones"
    )
    assert result(tmp_path / "run") == {"missing": 1000 - N}
    assert not (tmp_path / "run" / "work").exists()


def test_labels_that_the_champion_had_are_not_new(whole, labels, model, tmp_path):
    models = tmp_path / "models"
    version = registry.publish(whole[1] / candidate(whole[1], model).version, models)
    registry.promote(models, version, "test")
    with pytest.raises(TooFewError):
        retrain(started(labels, model, models, tmp_path / "run"), print)

    assert result(tmp_path / "run") == {"missing": 200}


def test_another_recipe_does_not_go_on_with_a_run(labels, model, tmp_path):
    (tmp_path / "run" / "work").mkdir(parents=True)
    (tmp_path / "run" / "work" / "run.json").write_text('{"recipe": "another"}')
    given = started(labels, model, tmp_path / "models", tmp_path / "run", resume=True)
    with pytest.raises(TrainingError, match="another recipe, base or rows"):
        retrain(given, print)


def test_a_base_that_cant_be_had_is_named(labels, tmp_path):
    given = started(labels, tmp_path / "none", tmp_path / "models", tmp_path / "run")
    with pytest.raises(TrainingError, match="none"):
        retrain(given, print)


def test_what_cant_be_used_is_said_in_one_line(tmp_path):
    given = arguments(tmp_path / "none.sqlite3", "base", tmp_path / "models", tmp_path / "run")
    done = trainer("retrain", *given)

    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "no such database" in errors[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
