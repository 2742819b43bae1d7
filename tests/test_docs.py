import re
from pathlib import Path

import pytest

from moderation import registry
from moderation.policy import PRESETS
from moderation.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme(name):
    assert f"`{name.upper()}`" in README


def test_the_readme_names_no_setting_that_is_not_there():
    table = README.split("### Settings")[1].split("##")[0]
    named = set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_in_the_readme(preset):
    assert f"`{preset}`" in README


@pytest.mark.parametrize("target", ["demo", "test", "benchmark", "check", "lint"])
def test_the_targets_that_are_told_of_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("package", ["bot", "moderation", "trainer", "sandbox"])
def test_every_module_says_in_a_sentence_what_lives_there(package):
    for path in (ROOT / package).glob("*.py"):
        if path.name != "__init__.py":
            assert path.read_text(encoding="utf-8").startswith('"""'), path.name


def test_the_figures_in_the_readme_are_those_of_the_embedded_models_card():
    card = registry.card(registry.EMBEDDED)
    table = README.split("<!-- model -->")[1].split("<!-- /model -->")[0]
    assert card.data_digest[:12] in table
    for name, figures in card.metrics["test"].items():
        assert f"| {name} | {figures['roc_auc']:.3f} | {figures['ap']:.3f} |" in table


def test_what_docs_reliability_names_as_shown_is_tested():
    table = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_\w+)`", table)
    assert len(named) > 50
    for path, name in named:
        words = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", words, re.MULTILINE), f"{path}::{name}"
