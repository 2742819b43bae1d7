import shutil

import pytest

from bot.swaps import UnfitError, prepare
from moderation import registry
from moderation.classifier import ModelError


def test_the_embedded_model_can_serve(tmp_path):
    version = registry.card(registry.EMBEDDED).version
    assert prepare(tmp_path, version, "cpu").version == version


def test_a_version_that_judges_wrongly_can_not(tmp_path, tiny_model):
    shutil.copytree(tiny_model, tmp_path / "tiny")
    with pytest.raises(UnfitError) as caught:
        prepare(tmp_path, "tiny", "cpu")
    assert caught.value.reason == "golden"


def test_files_other_than_were_published_are_not_even_loaded(tmp_path, tiny_model):
    shutil.copytree(tiny_model, tmp_path / "tiny")
    (tmp_path / "tiny" / "model.safetensors").write_bytes(b"x")
    with pytest.raises(UnfitError) as caught:
        prepare(tmp_path, "tiny", "cpu")
    assert caught.value.reason == "files"


def test_a_version_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match="no such version"):
        prepare(tmp_path, "gone", "cpu")
