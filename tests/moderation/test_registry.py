import json
import os
import random
import shutil
import signal
import time
from contextlib import suppress

import pytest

from moderation import registry
from moderation.classifier import ModelError

KILLS = 12


@pytest.fixture
def models(tmp_path):
    return tmp_path / "registry"


@pytest.fixture
def published(models, tmp_path, make_model):
    return [
        registry.publish(make_model(tmp_path / name, version=name), models) for name in ("v1", "v2")
    ]


def test_the_embedded_model_serves_until_another_is_promoted(models, published):
    assert registry.champion(models) == registry.EMBEDDED
    registry.promote(models, "v1", by="operator")
    assert registry.champion(models) == models / "v1"
    assert registry.promotion(models).by == "operator"


def test_rollback_returns_to_the_version_before(models, published):
    registry.promote(models, "v1", by="a")
    registry.promote(models, "v2", by="a")
    assert registry.rollback(models, by="b").version == "v1"
    assert registry.champion(models) == models / "v1"


def test_the_first_promotion_can_be_rolled_back_to_the_embedded_model(models, published):
    registry.promote(models, "v1", by="a")
    registry.rollback(models, by="a")
    assert registry.champion(models) == registry.EMBEDDED


def test_nothing_promoted_means_nothing_to_roll_back(models):
    with pytest.raises(ModelError, match="nothing to roll back"):
        registry.rollback(models, by="a")


def test_a_version_is_published_once(models, published, tmp_path):
    with pytest.raises(ModelError, match="exists already"):
        registry.publish(tmp_path / "v1", models)


def test_a_directory_without_its_card_is_no_version(models, own_model):
    (own_model / "card.json").unlink()
    with pytest.raises(ModelError, match="never published whole"):
        registry.publish(own_model, models)
    assert not models.exists()


def test_a_file_that_differs_from_the_card_stops_promotion(models, published):
    with (models / "v1" / "model.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="differs from what was published"):
        registry.promote(models, "v1", by="a")
    assert registry.champion(models) == registry.EMBEDDED


def test_versions_are_listed_and_unfinished_ones_left_out(models, published):
    (models / ".publishing-x").mkdir()
    (models / "half").mkdir()
    assert {card.version for card in registry.versions(models)} == {"v1", "v2"}


def spoil_card(directory, **changed):
    path = directory / "card.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | changed))


@pytest.mark.parametrize("version", ["../../evil", "/evil", "a/b", "..", ".hidden", "", "x\n"])
def test_a_card_cannot_name_a_place_outside_the_registry(models, own_model, version):
    spoil_card(own_model, version=version)
    with pytest.raises(ModelError, match="no plain name"):
        registry.publish(own_model, models)
    assert not models.exists()


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "sub/file", ".."])
def test_a_card_cannot_name_a_file_outside_its_directory(models, own_model, tmp_path, name):
    (tmp_path / "secret").write_text("x")
    files = registry.card(own_model).files | {name: registry.digest(tmp_path / "secret")}
    spoil_card(own_model, files=files)
    with pytest.raises(ModelError, match="no plain name"):
        registry.publish(own_model, models)


def link(directory):
    path = directory / "model.safetensors"
    path.rename(directory.parent / "weights")
    path.symlink_to(directory.parent / "weights")


def pickled(directory):
    (directory / "pytorch_model.bin").write_bytes(b"x")


def ngrams(directory):
    (directory / "ngrams.safetensors").write_bytes(b"x")


@pytest.mark.parametrize("add", [link, pickled, ngrams])
def test_what_the_card_does_not_name_is_neither_published_nor_promoted(models, own_model, add):
    registry.publish(own_model, models)
    for directory in (own_model, models / "tiny"):
        add(directory)
        with pytest.raises(ModelError, match="its card doesn't name"):
            registry.verify(directory)
    with pytest.raises(ModelError, match="its card doesn't name"):
        registry.promote(models, "tiny", by="a")


@pytest.mark.parametrize("version", ["missing", "../v1", "/etc"])
def test_an_unknown_version_is_refused(models, published, version):
    with pytest.raises(ModelError, match="no such version"):
        registry.promote(models, version, by="a")


@pytest.mark.parametrize("content", ["{", json.dumps({"version": 1})])
def test_a_spoilt_pointer_is_named(models, published, content):
    (models / registry.POINTER).write_text(content)
    with pytest.raises(ModelError, match="not a champion pointer"):
        registry.champion(models)


def test_promoting_the_champion_again_keeps_the_way_back(models, published):
    registry.promote(models, "v1", by="a")
    promoted = registry.promote(models, "v2", by="a")
    assert registry.promote(models, "v2", by="b") == promoted
    assert registry.rollback(models, by="b").version == "v1"


def killed(work, *arguments, when=lambda: True, after=0.0):
    """Begin some work in a process of its own, and kill that a while after `when` holds."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            work(*arguments)
        os._exit(0)
    while not when() and os.waitpid(child, os.WNOHANG) == (0, 0):
        pass
    time.sleep(after)
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_killed_while_it_publishes_a_version_is_whole_or_not_there(models):
    embedded, chance = registry.card(registry.EMBEDDED), random.Random(1)
    began = time.monotonic()
    registry.publish(registry.EMBEDDED, models)
    took = time.monotonic() - began
    halves = lambda: [*models.glob(".publishing-*")]  # noqa: E731
    for _ in range(KILLS):
        shutil.rmtree(models)
        after = chance.uniform(0, took)
        killed(registry.publish, registry.EMBEDDED, models, when=halves, after=after)
        there = registry.versions(models)
        assert there in ([], [embedded])
        assert all(registry.verify(models / card.version) == embedded for card in there)
        assert registry.champion(models) == registry.EMBEDDED
        if not there:
            assert halves()
            assert registry.publish(registry.EMBEDDED, models) == embedded.version


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_killed_while_it_promotes_there_is_one_champion(models, published):
    chance = random.Random(1)
    began = time.monotonic()
    registry.promote(models, "v2", by="a")
    took = time.monotonic() - began
    served = "v2"
    for number in range(KILLS):
        other = ("v1", "v2")[number % 2]
        killed(registry.promote, models, other, "b", after=chance.uniform(0, 2 * took))
        found = registry.promotion(models)
        assert found.version in (served, other)
        assert registry.verify(registry.champion(models)).version == found.version
        again = registry.promote(models, other, by="c")
        assert (again.version, again.previous) == (other, served)
        served = other
