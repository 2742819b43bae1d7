import numpy as np
import pandas as pd
import pytest

from trainer.figures import Judged
from trainer.slices import slices


@pytest.fixture
def found():
    n = 80
    sources = ["derived_cedr"] * 40 + ["kaggle_2ch_pikabu"] * 38 + ["allag_vk"] * 2
    texts = ["слово " * (1 + i % 60) for i in range(n)]
    labels = np.array([0.0] * 40 + [1.0, 0.0] * 19 + [1.0, -1.0])
    scores = np.full((n, 6), 0.1, np.float32)
    scores[labels == 1, 1] = 0.9
    scores[:2, 1] = 0.95  # two everyday lines are suspected
    rows = pd.DataFrame({"text": texts, "source": sources})
    made = slices(rows, labels, {"model": Judged(scores, scores.max(axis=1) > 0.5)})
    return {(s["kind"], s["name"]): s for s in made}


def test_false_alarms_in_clean_chat_have_an_upper_bound(found):
    chat = found["clean_chat", "чистые строки чатов"]

    assert (chat["n"], chat["support"]) == (40, 0)
    assert chat["models"]["model"]["false_alarms"] == 0.05
    assert chat["models"]["model"]["false_alarms_high"] == pytest.approx(0.165, abs=0.002)


def test_a_source_is_judged_by_itself(found):
    kaggle = found["source", "kaggle_2ch_pikabu"]

    assert (kaggle["n"], kaggle["support"]) == (38, 19)
    assert kaggle["models"]["model"]["ap"] == 1


def test_a_slice_of_one_class_has_no_areas_and_a_small_one_no_figures(found):
    assert found["source", "derived_cedr"]["models"]["model"]["roc_auc"] is None
    assert found["source", "derived_cedr"]["models"]["model"]["false_alarms"] == 0.05
    assert set(found["source", "allag_vk"]["models"]["model"].values()) == {None}


def test_every_row_is_in_one_length(found):
    assert sum(s["n"] for (kind, _), s in found.items() if kind == "length") == 80
