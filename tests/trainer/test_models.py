import pytest
import torch
from transformers import AutoModelForSequenceClassification

from trainer import models
from trainer.config import TrainingError


def silent(line):
    pass


def load(directory):
    return AutoModelForSequenceClassification.from_pretrained(directory, dtype=torch.float32)


def test_a_base_with_our_outputs_is_taken_as_it_is(tiny_model):
    base, _ = models.load_base(str(tiny_model), silent)

    for name, value in load(tiny_model).state_dict().items():
        torch.testing.assert_close(base.state_dict()[name], value)


def test_matching_outputs_are_copied_and_the_others_named(make_model, tmp_path):
    labels = ("non-toxic", "insult", "obscenity", "threat", "dangerous")
    old, said = load(make_model(tmp_path / "base", labels)), []
    base, _ = models.load_base(str(tmp_path / "base"), said.append)

    assert said == [
        "outputs copied from the base: non_toxic, insult, obscenity, threat, rude",
        "outputs that start anew: discrimination",
    ]
    assert list(base.config.id2label.values()) == models.LABELS
    copied = [labels.index(label) for label in ("obscenity", "insult", "threat")]
    torch.testing.assert_close(base.classifier.weight[:3], old.classifier.weight[copied])
    torch.testing.assert_close(base.classifier.bias[5], old.classifier.bias[0])
    torch.testing.assert_close(base.bert.pooler.dense.weight, old.bert.pooler.dense.weight)


def test_six_outputs_in_another_order_are_put_in_ours(make_model, tmp_path):
    labels = tuple(reversed(models.LABELS))
    old = load(make_model(tmp_path / "base", labels))
    base, _ = models.load_base(str(tmp_path / "base"), silent)

    torch.testing.assert_close(base.classifier.weight, old.classifier.weight.flip(0))


@pytest.mark.parametrize(
    ("gone", "said"),
    [("config.json", "no config.json"), ("model.safetensors", "pickled weights are refused")],
)
def test_a_base_without_its_files_is_refused(own_model, gone, said):
    (own_model / gone).unlink()

    with pytest.raises(TrainingError, match=said):
        models.load_base(str(own_model), silent)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_spoilt_base_is_refused_in_one_line(own_model, name):
    (own_model / name).write_bytes(b"spoilt")

    with pytest.raises(TrainingError, match="the base can't be read") as error:
        models.load_base(str(own_model), silent)

    assert "\n" not in str(error.value)


def test_a_base_that_is_neither_here_nor_on_the_hub_is_refused():
    with pytest.raises(TrainingError, match="no-such/model: the base can't be read"):
        models.load_base("no-such/model", silent)


def test_a_base_without_a_tokenizer_is_refused(own_model):
    for path in own_model.glob("tokenizer*"):
        path.unlink()

    with pytest.raises(TrainingError, match="no vocabulary"):
        models.load_base(str(own_model), silent)
