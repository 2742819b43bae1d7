import gzip
from functools import partial

import numpy as np
import pytest

from moderation.categories import Category
from trainer import data, scorers
from trainer.config import TrainingError
from trainer.scorers import Scorer


def test_a_model_is_scored_as_it_is_served(tiny_model):
    loaded = scorers.load("base", str(tiny_model))
    found = loaded.predict(["привет", "ещё раз"])

    assert found.shape == (2, 6)
    assert ((found > 0) & (found < 1)).all()
    assert loaded.title == "tiny"
    assert loaded.size_bytes > 1000


def test_a_category_that_a_model_lacks_has_no_score(make_model, tmp_path):
    labels = ("non-toxic", "insult", "obscenity", "threat", "dangerous")
    found = scorers.load("base", str(make_model(tmp_path / "base", labels))).predict(["привет"])

    lacking = [c for c, score in zip(Category, found[0], strict=True) if np.isnan(score)]
    assert lacking == [Category.DISCRIMINATION]


@pytest.mark.parametrize("model", ["no/such-model", "nowhere", "/no/such/place", "not a name"])
def test_a_model_that_cant_be_had_is_refused_in_one_line(model):
    with pytest.raises(TrainingError, match="neither a directory nor a model") as error:
        scorers.load("base", model)

    assert "\n" not in str(error.value)


def test_a_directory_without_the_files_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"no config\.json"):
        scorers.load("base", str(tmp_path))


def test_the_majority_knows_the_shares_and_no_text(gold):
    frame = data.read_gold(gold).frame
    found = scorers.majority(frame).predict(["а", "б"])

    assert (found[0] == found[1]).all()
    assert found[0, 5] == pytest.approx(frame.non_toxic.mean())


@pytest.mark.parametrize(
    ("text", "obscene"),
    [
        ("какая хуйня", 1),
        ("какая Х*ЙНЯ!", 1),
        ("молодой-ебанутый/весёлый", 1),
        ("употребляйте мандарины", 0),
        ("застрахуй машину", 0),
        ("ты дурак", 0),
    ],
)
def test_the_lexicon_finds_obscene_roots_and_judges_nothing_else(text, obscene):
    (found,) = scorers.lexicon(None).predict([text])

    assert found[0] == obscene
    assert np.isnan(found[1:]).all()


def test_a_list_of_words_takes_the_place_of_the_roots(tmp_path):
    path = tmp_path / "words.txt.gz"
    path.write_bytes(gzip.compress("ёлки\nпалки\n".encode()))
    found = scorers.lexicon(path).predict(["Елки зелёные", "какая хуйня"])

    assert found[:, 0].tolist() == [1, 0]


def test_a_missing_list_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="No such file"):
        scorers.lexicon(tmp_path / "none.txt")


def test_models_are_timed_in_turn_on_the_same_texts():
    seen = []

    def predict(name, texts):
        seen.append((name, len(texts)))
        return np.zeros((len(texts), 6), np.float32)

    both = [Scorer(name, "", partial(predict, name)) for name in ("one", "other")]
    found = scorers.time_each(both, ["а"] * 300)

    assert set(found) == {"one", "other"}
    assert found["one"]["texts_per_second"] > 0
    assert seen[2:4] == [("one", 50), ("other", 50)]
    assert sum(n for name, n in seen if name == "one") == 1 + 100 + 100
