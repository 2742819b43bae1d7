from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

from trainer import config, pretrain, vocabulary
from trainer.data import Examples

TEXTS = ["привет как дела", "ты идиот", "завтра собрание", "убью тебя завтра"] * 30
RECIPE = replace(config.load("tiny"), vocabulary=200, pretraining_epochs=2.0)


@pytest.fixture
def examples():
    targets = np.zeros((len(TEXTS), 6), dtype=np.float32)
    targets[1::4, 1] = 0.9
    return Examples(TEXTS, targets, np.ones(len(TEXTS), dtype=np.float32))


def silent(line):
    pass


def test_it_leaves_a_model_and_a_tokenizer_and_no_checkpoint(examples, tmp_path):
    pretrain.pretrain(examples, RECIPE, tmp_path, silent)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "pretrained")

    assert model.config.id2label[0] == "obscenity"
    assert model.config.vocab_size == len(
        PreTrainedTokenizerFast.from_pretrained(tmp_path / "pretrained")
    )
    assert not list(tmp_path.glob("pretraining.*"))


def weights(directory):
    model = AutoModelForSequenceClassification.from_pretrained(directory / "pretrained")
    return model.bert.embeddings.word_embeddings.weight


def test_the_same_seed_gives_the_same_model(examples, tmp_path):
    for name in ("a", "b"):
        pretrain.pretrain(examples, RECIPE, tmp_path / name, silent)

    torch.testing.assert_close(weights(tmp_path / "a"), weights(tmp_path / "b"))


def test_a_run_that_was_cut_off_ends_as_if_it_hadnt_been(examples, tmp_path, monkeypatch):
    steps = []
    step = pretrain._Pretraining._step

    def break_off(self, *arguments):
        steps.append(arguments)
        if len(steps) == 5:
            raise KeyboardInterrupt
        return step(self, *arguments)

    small = replace(RECIPE, pretraining_batch_tokens=128)
    monkeypatch.setattr(pretrain._Pretraining, "_step", break_off)
    with pytest.raises(KeyboardInterrupt):
        pretrain.pretrain(examples, small, tmp_path / "cut", silent)
    monkeypatch.undo()
    assert (tmp_path / "cut" / "pretraining.pt").exists()
    pretrain.pretrain(examples, small, tmp_path / "cut", silent)
    pretrain.pretrain(examples, small, tmp_path / "uncut", silent)

    torch.testing.assert_close(weights(tmp_path / "cut"), weights(tmp_path / "uncut"))


def test_only_pieces_of_the_text_are_hidden():
    tokenizer = vocabulary.learn(TEXTS, 200, 64)
    ids = torch.tensor(tokenizer(TEXTS, padding=True).input_ids)
    attention = (ids != tokenizer.pad_token_id).long()
    hidden, wanted = pretrain.mask(ids, attention, 0.5, tokenizer, torch.Generator())

    chosen = wanted != -100
    special = (ids == tokenizer.cls_token_id) | (ids == tokenizer.sep_token_id)
    assert not (chosen & (special | (attention == 0))).any()
    assert (wanted[chosen] == ids[chosen]).all()
    assert (hidden[~chosen] == ids[~chosen]).all()
    assert 0.3 < chosen.sum() / (attention.bool() & ~special).sum() < 0.7


def test_the_learning_rate_rises_and_then_falls():
    rates = [pretrain._warmed(share) for share in (0.0, 0.02, 0.04, 0.5, 0.99)]

    assert rates[0] < rates[1] < rates[2] > rates[3] > rates[4] > 0
