import numpy as np
import pytest

from moderation.classifier import TorchClassifier
from moderation.ngrams import BUCKETS, NGrams
from trainer import replay
from trainer.config import Recipe, TrainingError
from trainer.data import Examples
from trainer.models import load_base

TEXTS = ["ты идиот сегодня", "привет как дела", "убью тебя " * 9]


def test_the_base_says_of_texts_what_it_says_when_it_serves(model):
    network, tokenizer = load_base(str(model), lambda _: None)
    found = replay.recall(model, network, tokenizer, TEXTS, Recipe())
    served = TorchClassifier(model, "cpu")
    served._calibration[:] = 0
    served._calibration[0] = 1
    alone = np.concatenate([served.score(served.encode(text)) for text in TEXTS])

    assert np.allclose(found.network, alone, atol=1e-5)
    assert found.ngrams.shape == (3, 6)
    assert ((found.ngrams >= 0) & (found.ngrams <= 1)).all()


def test_a_base_says_nothing_of_what_it_does_not_know(make_model, tmp_path):
    directory = make_model(tmp_path / "base", labels=("insult", "threat"))
    network, tokenizer = load_base(str(directory), lambda _: None)
    found = replay.recall(directory, network, tokenizer, TEXTS, Recipe())

    assert found.ngrams is None
    assert (found.network[:, [0, 3, 4, 5]] == -1).all()
    assert (found.network[:, [1, 2]] >= 0).all()

    NGrams(np.zeros((BUCKETS, 6), np.float32), np.zeros(6, np.float32)).save(directory)
    found = replay.recall(directory, network, tokenizer, TEXTS, Recipe())
    assert (found.ngrams[:, [0, 3, 4, 5]] == -1).all()
    assert (found.ngrams[:, [1, 2]] == 0.5).all()


def test_what_is_kept_takes_the_place_of_labels_where_it_is_known():
    labels = np.array([[1, 0], [1, 0], [-1, 1]], np.float32)
    knows = np.array([[0.3, -1], [0.3, 0.2], [0.7, 0.2]], np.float32)
    examples = Examples(["a", "b", "c"], labels, np.ones(3, np.float32))
    found = replay.keep(examples, knows, np.array([True, False, True]))

    assert np.allclose(found.targets, [[0.3, 0], [1, 0], [0.7, 0.2]])


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="no such model directory"):
        replay.categories(tmp_path / "none")
