from dataclasses import replace

import pytest

from moderation import registry
from trainer import config
from trainer.config import TrainingError
from trainer.dataset import Files
from trainer.run import Run, _open, check_same_data, recalibrate, train


@pytest.fixture
def run(gold, tmp_path):
    recipe = config.load("tiny", ["epochs=1"])
    return Run(Files((gold,)), recipe, tmp_path / "out")


def silent(line):
    pass


def test_a_directory_that_holds_something_is_left_alone(run):
    run.output.mkdir()
    (run.output / "mine.txt").write_text("mine")

    with pytest.raises(TrainingError, match="not empty"):
        train(run, silent)


def test_a_file_in_place_of_the_directory_is_refused(run):
    run.output.write_text("mine")

    with pytest.raises(TrainingError, match="not a directory"):
        train(run, silent)


def test_a_run_is_resumed_with_its_own_recipe_only(run):
    _open(run)

    _open(replace(run, resume=True))
    other = replace(run.recipe, seed=99)
    with pytest.raises(TrainingError, match="has another recipe"):
        _open(replace(run, resume=True, recipe=other))


def test_a_run_is_resumed_with_its_own_data_only(run):
    check_same_data(run.output.parent / "digest", "a" * 64)

    check_same_data(run.output.parent / "digest", "a" * 64)
    with pytest.raises(TrainingError, match="other data"):
        check_same_data(run.output.parent / "digest", "b" * 64)


def test_a_finished_run_is_not_resumed(run):
    run.output.mkdir()
    (run.output / "card.json").write_text("{}")

    with pytest.raises(TrainingError, match="is finished"):
        _open(replace(run, resume=True))


def test_a_base_is_fine_tuned_without_pretraining(run, tiny_model):
    said = []
    card = train(replace(run, base=str(tiny_model)), said.append)

    assert card.base == tiny_model.name
    assert not [line for line in said if line.startswith("pretraining")]
    assert card.metrics["test"]["macro"]["n"] == 72


def test_a_cut_off_run_goes_on_where_it_was(run):
    def cut(line):
        if line.startswith("fine-tuning: epoch 1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(run, cut)
    said = []
    card = train(replace(run, resume=True), said.append)

    assert not [line for line in said if line.startswith("pretraining")]
    assert registry.verify(run.output).version == card.version


def test_a_finished_model_is_calibrated_anew_in_its_place(run):
    first = train(run, print)
    again = recalibrate(run, print)

    assert again.metrics["test"] == first.metrics["test"]
    assert again.thresholds == first.thresholds
    assert registry.verify(run.output).recipe == first.model_dump(mode="json")["recipe"]
