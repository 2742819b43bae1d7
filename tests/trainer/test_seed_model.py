import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from trainer import seed, seed_model
from trainer.models import LABELS


def silent(line):
    pass


def load(directory):
    return AutoModelForSequenceClassification.from_pretrained(directory, dtype=torch.float32)


def test_a_base_with_our_six_outputs_gives_the_recipes_five(tiny_model):
    old, said = load(tiny_model), []
    five, _ = seed_model.load(str(tiny_model), said.append)

    copied = [LABELS.index(c) for c in ("non_toxic", "insult", "obscenity", "threat", "rude")]
    torch.testing.assert_close(five.classifier.weight, old.classifier.weight[copied])
    torch.testing.assert_close(five.classifier.bias, old.classifier.bias[copied])
    torch.testing.assert_close(five.bert.pooler.dense.weight, old.bert.pooler.dense.weight)
    assert list(five.config.id2label.values()) == list(seed.OUTPUTS)
    assert "dangerous <- rude; discrimination is joined to threat" in said[-1]


def test_a_base_with_the_recipes_outputs_goes_on_with_its_own_head(make_model, tmp_path):
    old = load(make_model(tmp_path / "base", seed.OUTPUTS))
    five, _ = seed_model.load(str(tmp_path / "base"), silent)

    for name, value in old.state_dict().items():
        torch.testing.assert_close(five.state_dict()[name], value)


def test_texts_of_any_length_are_scored_in_their_order(tiny_model):
    model, tokenizer = seed_model.load(str(tiny_model), silent)
    length = seed_model.longest(model, tokenizer, 512)
    texts = ["привет " * 300, "", "ты", "привет как дела"]
    together = seed_model.logits(model, tokenizer, texts, length)
    alone = [seed_model.logits(model, tokenizer, [text], length)[0] for text in texts]

    assert length == model.config.max_position_embeddings
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize(("logit", "probability"), [(0.0, 0.5), (-100.0, 0.0), (100.0, 1.0)])
def test_an_output_is_a_probability_of_its_own(logit, probability):
    assert seed_model.sigmoid(np.full((1, 5), logit, np.float32)).tolist() == [[probability] * 5]
