from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer import config
from trainer.config import RECIPES, Recipe, TrainingError


def test_the_default_recipe_is_that_of_the_class():
    assert config.load("default") == Recipe()


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_recipe_loads_by_name(path):
    assert isinstance(config.load(path.stem), Recipe)


def test_a_changed_recipe_survives_being_written_and_read(tmp_path):
    changed = config.load("tiny", ["seed=5", "noise=0.5", "targets=[0.5, 0.75]"])
    changed = replace(changed, source_weights=("own=2", 'стр"анный=0.5'))
    path = tmp_path / "saved.toml"
    path.write_text(config.dump(changed), encoding="utf-8")

    assert config.load(str(path)) == changed


def test_a_whole_number_will_do_for_a_share():
    assert config.load("default", ["replay=0"]).replay == 0.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("sed=1", "unknown name 'sed'"),
        ("seed=1.5", "seed must be of type int"),
        ("seed=true", "seed must be of type int"),
        ("seed=", "must be a number"),
        ("seed", "unknown name|seed must be of type int"),
        ("targets=[0.8, x]", "must be a number"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_in_one_line(change, said):
    with pytest.raises(TrainingError, match=said) as error:
        config.load("default", [change])

    assert "\n" not in str(error.value)


def test_an_unknown_recipe_is_refused_and_the_known_ones_are_named():
    with pytest.raises(TrainingError, match=r"known are base, default, retrain, tiny"):
        config.load("defualt")


@given(st.text(max_size=30))
def test_no_change_raises_anything_but_training_error(change):
    with suppress(TrainingError):
        assert isinstance(config.load("tiny", [change]), Recipe)


def test_the_weight_of_a_source_is_read_from_its_item():
    recipe = config.load("tiny", ['source_weights=["allag_vk=2", "own = 0.5"]'])

    assert config.source_weights(recipe) == {"allag_vk": 2.0, "own": 0.5}


@pytest.mark.parametrize("item", ["own", "own=", "own=x", "own=-1", "own=nan"])
def test_an_item_that_weighs_nothing_is_refused(item):
    with pytest.raises(TrainingError, match="no name=weight"):
        config.source_weights(replace(Recipe(), source_weights=(item,)))
