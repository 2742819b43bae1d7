import numpy as np
import pytest

from trainer import data
from trainer.baseline import Baseline, check_classes, soften
from trainer.config import TrainingError


@pytest.fixture
def frame(gold):
    return data.read_gold(gold).frame


def test_it_learns_the_words_of_a_category(frame):
    scores = Baseline(frame, seed=0).predict(["хохлы достали опять", "привет как дела"])

    assert scores.shape == (2, 6)
    assert scores[0].argmax() == 3
    assert scores[1].argmax() == 5


def test_unknown_labels_are_left_out(frame):
    frame.loc[frame.obscenity == 0, "obscenity"] = -1
    frame.loc[frame.index[:3], "obscenity"] = [0, 0, 1]

    assert np.isfinite(Baseline(frame, seed=0).predict(["текст"])).all()


@pytest.mark.parametrize(("value", "word"), [(0.0, "with"), (1.0, "without")])
def test_a_category_of_one_class_is_refused(frame, value, word):
    frame["threat"] = value

    with pytest.raises(TrainingError, match=f"no training row {word} the category threat"):
        check_classes(frame)


def soft(known, guessed, trust):
    row = soften(np.float32([known]), np.float32([guessed]), np.array([trust]))[0]
    return [round(float(value), 3) for value in row]


def test_a_known_label_counts_as_far_as_its_source_is_trusted():
    known, guessed = [1, 0, -1, -1, -1, -1], [0.5, 0.5, 0.25, 0, 0, 0.5]

    assert soft(known, guessed, 0.8)[:3] == [0.9, 0.1, 0.25]
    assert soft(known, guessed, 0.0) == guessed


def test_what_is_known_to_be_toxic_is_some_kind_of_toxic():
    known, guessed = [-1, -1, -1, -1, -1, 0], [0.1, 0.2, 0, 0, 0, 0.6]

    assert soft(known, guessed, 1.0) == [0.25, 0.5, 0, 0, 0, 0]


def test_a_text_that_looks_clean_gets_no_certain_category_for_being_called_toxic():
    known, guessed = [-1, -1, -1, -1, -1, 0], [0.01, 0.02, 0, 0, 0, 0.97]

    assert soft(known, guessed, 1.0)[:2] == [0.05, 0.1]
