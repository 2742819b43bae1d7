import json
import pickle

import numpy as np
import pytest

from moderation.categories import Category
from moderation.classifier import ModelError, TorchClassifier, merge, pieces, score_texts
from moderation.ngrams import BUCKETS, NGrams, features


def test_scores_are_probabilities_of_our_categories(tiny_model):
    classifier = TorchClassifier(tiny_model)
    scores = score_texts(classifier, ["привет", "", "🙂", "x" * 4096])
    assert [set(row) for row in scores] == [set(Category)] * 4
    assert all(0 <= value <= 1 for row in scores for value in row.values())


def test_the_order_of_texts_is_kept_whatever_their_length(tiny_model):
    classifier = TorchClassifier(tiny_model)
    texts = ["а" * n for n in (40, 1, 7, 90, 3, 3)]
    alone = [score_texts(classifier, [text])[0] for text in texts]
    together = score_texts(classifier, texts, max_batch_tokens=64)
    for one, other in zip(alone, together, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_words_at_the_end_of_a_long_text_are_seen(tiny_model):
    classifier = TorchClassifier(tiny_model)
    windows = classifier.encode("а" * 99 + "я")
    assert max(map(len, windows)) <= 32
    last = classifier.encode("я")[0].tokens[1]
    inside_a_word = last + len("абвгдежзийклмнопрстуфхцчшщъыьэюяё")
    assert any(inside_a_word in window.tokens for window in windows)


def test_a_disguised_word_is_scored_in_both_views_and_a_plain_one_once(tiny_model):
    classifier = TorchClassifier(tiny_model)
    assert len(pieces(classifier, "cука")) == 2
    assert len(pieces(classifier, "сука")) == 1


def test_the_highest_score_counts_and_for_non_toxic_the_lowest():
    rows = [[0.1, 0.9], [0.7, 0.2]]
    merged = merge((Category.THREAT, Category.NON_TOXIC), rows)
    assert merged == pytest.approx({Category.THREAT: 0.7, Category.NON_TOXIC: 0.2})


def test_a_probability_that_is_no_number_is_an_error():
    with pytest.raises(ValueError, match="isn't a number"):
        merge((Category.THREAT,), [[float("nan")]])


def test_the_published_base_is_served_under_our_names(tmp_path, make_model):
    labels = ("non-toxic", "insult", "obscenity", "threat", "dangerous")
    classifier = TorchClassifier(make_model(tmp_path / "base", labels))
    assert Category.DISCRIMINATION not in classifier.categories
    assert set(score_texts(classifier, ["а"])[0]) == set(Category) - {Category.DISCRIMINATION}


def test_calibration_moves_the_probability(own_model):
    before = score_texts(TorchClassifier(own_model), ["привет"])[0]
    platt = {category: {"slope": 1.0, "intercept": 3.0} for category in Category}
    (own_model / "calibration.json").write_text(json.dumps(platt))
    after = score_texts(TorchClassifier(own_model), ["привет"])[0]
    logit = np.log(before[Category.THREAT] / (1 - before[Category.THREAT]))
    assert after[Category.THREAT] == pytest.approx(1 / (1 + np.exp(-logit - 3)), abs=1e-5)


def test_ngrams_beside_the_network_move_the_probability(own_model):
    platt = {c: {"slope": 1.0, "ngrams": 2.0, "intercept": 0.0} for c in Category}
    before = score_texts(TorchClassifier(own_model), ["сука", "привет"])
    buckets, _ = features("сука")
    weights = np.zeros((BUCKETS, 6), dtype=np.float32)
    weights[buckets, list(Category).index(Category.INSULT)] = 1.0
    NGrams(weights, np.zeros(6, dtype=np.float32)).save(own_model)
    (own_model / "calibration.json").write_text(json.dumps(platt))
    after = score_texts(TorchClassifier(own_model), ["сука", "привет"])
    assert after[0][Category.INSULT] > before[0][Category.INSULT] + 0.1
    assert after[0][Category.THREAT] == pytest.approx(before[0][Category.THREAT], abs=1e-5)
    assert after[1][Category.INSULT] == pytest.approx(before[1][Category.INSULT], abs=1e-5)


def spoil_weights(path):
    (path / "model.safetensors").write_bytes(b"\xff" * 100)


def spoil_ngrams(path):
    (path / "ngrams.safetensors").write_bytes(b"\xff" * 100)


def only_pickle(path):
    (path / "model.safetensors").unlink()
    (path / "pytorch_model.bin").write_bytes(pickle.dumps({"a": 1}))


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


def only_torch(path):
    (path / "model.safetensors").unlink()
    (path / "model.pt").write_bytes(pickle.dumps(Bomb()))


def pickle_as_safetensors(path):
    (path / "model.safetensors").write_bytes(pickle.dumps(Bomb()))


def index_of_pickles(path):
    (path / "model.safetensors").rename(path / "other.safetensors")
    (path / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    index = {"metadata": {}, "weight_map": {"classifier.bias": "pytorch_model.bin"}}
    (path / "pytorch_model.bin.index.json").write_text(json.dumps(index))


def own_code(path, name="config.json"):
    config = json.loads((path / name).read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoTokenizer": ["evil.Tokenizer", None]}
    (path / name).write_text(json.dumps(config))
    (path / "evil.py").write_text("import pytest\n\npytest.fail('foreign code ran')\n")


def own_tokenizer_code(path):
    own_code(path, "tokenizer_config.json")


def no_config(path):
    (path / "config.json").unlink()


def broken_calibration(path):
    (path / "calibration.json").write_text('{"threat": {}}')


def no_tokenizer(path):
    (path / "tokenizer.json").write_text("{")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_weights, "can't be read"),
        (spoil_ngrams, "can't be read"),
        (only_pickle, "pickled weights are refused"),
        (only_torch, "pickled weights are refused"),
        (pickle_as_safetensors, "can't be read"),
        (index_of_pickles, "can't be read"),
        (own_code, "asks for program code of its own"),
        (own_tokenizer_code, "asks for program code of its own"),
        (no_config, "no config.json"),
        (broken_calibration, "not a calibration"),
        (no_tokenizer, "can't be read"),
    ],
)
def test_a_spoilt_directory_is_refused_in_one_line(own_model, spoil, reason):
    spoil(own_model)
    with pytest.raises(ModelError, match=reason) as caught:
        TorchClassifier(own_model)
    assert "\n" not in str(caught.value)


def test_a_pickle_beside_the_weights_is_not_read(own_model):
    (own_model / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    TorchClassifier(own_model)


def test_a_missing_directory_and_foreign_labels_are_refused(tmp_path, make_model):
    with pytest.raises(ModelError, match="no such model directory"):
        TorchClassifier(tmp_path / "nothing")
    with pytest.raises(ModelError, match="none of its labels"):
        TorchClassifier(make_model(tmp_path / "foreign", ("cat", "dog")))


def test_an_impossible_device_is_refused(tiny_model):
    with pytest.raises(ModelError, match="DEVICE=abacus"):
        TorchClassifier(tiny_model, device="abacus")
