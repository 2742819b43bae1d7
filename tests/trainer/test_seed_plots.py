import numpy as np
import pytest

from trainer import seed_plots


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([0.9, 0.1, 0.1, 0.1, 0.1], "не токсично"),
        ([0.1, 0.1, 0.8, 0.1, 0.1], "токсично"),
        ([0.9, 0.1, 0.8, 0.1, 0.1], "не понятно"),
        ([0.1, 0.1, 0.1, 0.1, 0.1], "не понятно"),
    ],
)
def test_the_verdict_on_a_text_may_be_a_contradiction(scores, said):
    assert seed_plots.verdict(np.array(scores, np.float32)) == said


def test_a_text_of_any_length_can_be_drawn(tmp_path):
    scores = np.linspace(0, 1, 5, dtype=np.float32)
    seed_plots.bars({"исходная": scores, "дообученная": scores}, "ё" * 400, tmp_path / "text.png")

    assert (tmp_path / "text.png").read_bytes().startswith(b"\x89PNG")
