import json

import pytest

from moderation import registry
from moderation.classifier import ModelError


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


@pytest.mark.parametrize("version", ["missing", "../v1", "/etc"])
def test_an_unknown_version_is_refused(models, published, version):
    with pytest.raises(ModelError, match="no such version"):
        registry.promote(models, version, by="a")


@pytest.mark.parametrize("content", ["{", json.dumps({"version": 1})])
def test_a_spoilt_pointer_is_named(models, published, content):
    (models / registry.POINTER).write_text(content)
    with pytest.raises(ModelError, match="not a champion pointer"):
        registry.champion(models)
