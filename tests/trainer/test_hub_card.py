import re
import shutil

import pandas as pd
import pytest
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results

from moderation import registry
from moderation.registry import EMBEDDED
from tests.trainer import evaluations
from tests.trainer.conftest import trainer
from trainer import card, hub_card
from trainer.config import TrainingError
from trainer.findings import SliceFigures


@pytest.fixture
def model(tmp_path):
    """A copy of the embedded model."""
    return shutil.copytree(EMBEDDED, tmp_path / "model")


@pytest.fixture
def evaluation(tmp_path):
    """The directory of an evaluation of the embedded model."""
    directory = tmp_path / "evaluation"
    content = evaluations.write(directory, n=120)
    evaluations.model(content)["version"] = registry.card(EMBEDDED).version
    evaluations.save(directory, content)
    return directory


def both(model, evaluation):
    """The file with the card's own figures, and with an evaluation's."""
    yield hub_card.write(model).read_text(encoding="utf-8")
    found = hub_card.found(evaluation, model)
    yield hub_card.write(model, found).read_text(encoding="utf-8")


def test_the_front_matter_is_what_the_hub_asks_for(model, evaluation):
    for text in both(model, evaluation):
        data = ModelCard(text).data

        assert (data.language, data.library_name) == ("ru", "transformers")
        assert data.pipeline_tag == "text-classification"
        assert data.license == "other"
        assert re.fullmatch(r"[a-z0-9-.]+", data.license_name)
        assert data.base_model is None  # "from scratch" is no model of the Hub
        assert {r.metric_type for r in data.eval_results} == {"average_precision", "roc_auc", "f1"}
        assert len(data.eval_results) == 3 * 7


def test_the_results_survive_the_hubs_own_format(model, evaluation):
    for text in both(model, evaluation):
        found = ModelCard(text)
        name, results = model_index_to_eval_results(found.data.to_dict()["model-index"])

        assert name == registry.card(model).version
        assert results == found.data.eval_results


def test_a_base_of_the_hub_is_named_and_one_of_this_machine_is_not():
    own = registry.card(EMBEDDED)
    for base, named in (("cointegrated/rubert-tiny-toxicity", True), ("old-model", False)):
        data = hub_card.front_matter(own.model_copy(update={"base": base}))
        assert (data.base_model == base) is named


def test_the_text_has_all_that_a_user_must_know(model, evaluation):
    own = registry.card(model)
    for text in both(model, evaluation):
        for heading in ("Intended use", "Labels", "Figures", "Thresholds", "Known weaknesses",
                        "How to use", "Training", "Sources and licences"):  # fmt: skip
            assert f"\n## {heading}\n" in text
        assert own.data_digest in text
        assert own.metrics["command"] in text
        assert "Not for commercial use." in text
        assert "Не для коммерческого использования." in text
        assert all(f"| {source['name']} | {source['texts']} |" in text for source in own.sources)


def test_tables_are_whole(model, evaluation):
    for text in both(model, evaluation):
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            assert len({row.count("|") for row in table.splitlines()}) == 1, table
            assert table.splitlines()[1].startswith("|---")


def test_an_evaluation_adds_intervals_others_and_slices(model, evaluation):
    plain, measured = both(model, evaluation)

    assert not re.search(r"0\.\d{3} \(0\.\d{3}–", plain)
    assert re.search(r"\| `threat` \| 0\.\d{3} \(0\.\d{3}–", measured)
    assert "champion 20260102-champion" in measured
    assert "| source: форум | 80 |" in measured
    assert "9 of 10 are right" in measured


def test_parts_with_too_few_texts_to_measure_are_left_out(model, evaluation):
    found = hub_card.found(evaluation, model)
    few = found.slices[0].model_copy(update={"models": {"model": SliceFigures()}})
    text = hub_card.render(
        registry.card(model), found.model_copy(update={"slices": [few, *found.slices[1:]]})
    )

    assert "source: чат" not in text
    assert "source: форум" in text


def test_it_may_be_written_after_publishing(model, tmp_path):
    before = registry.verify(model)
    version = registry.publish(model, tmp_path / "models")
    hub_card.write(tmp_path / "models" / version)

    assert registry.verify(tmp_path / "models" / version) == before


def test_it_makes_no_other_version(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    given = {"base": "from scratch", "recipe": {}, "data_digest": "0", "thresholds": {}}
    options = {**given, "metrics": {}, "texts": pd.DataFrame({"source": ["rutoxicon"]})}
    before = card.write(tmp_path, **options)
    hub_card.write(tmp_path)
    (tmp_path / "card.json").unlink()
    after = card.write(tmp_path, **options)

    assert after.files == before.files
    assert after.version == before.version


def test_an_evaluation_of_another_model_is_refused(model, tmp_path):
    evaluations.write(tmp_path / "other", n=120)

    with pytest.raises(TrainingError, match="an evaluation of 20260102-model, and"):
        hub_card.found(tmp_path / "other", model)


def test_a_directory_without_a_model_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"no card\.json"):
        hub_card.write(tmp_path)


def test_the_command_writes_it_into_the_models_directory(model, evaluation):
    done = trainer("report", "--evaluation", evaluation, "--card", model)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(model / "README.md")
    assert "resamples of groups" in (model / "README.md").read_text(encoding="utf-8")
    registry.verify(model)
