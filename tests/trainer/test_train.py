from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from trainer.data import Examples
from trainer.train import MaskedLoss, _has_checkpoint, macro_ap, positive_weight


def loss(logits, labels, weights=None):
    weights = torch.ones(len(labels), 1) if weights is None else torch.tensor(weights)[:, None]
    outputs = SimpleNamespace(logits=torch.tensor(logits))
    return MaskedLoss()(outputs, torch.cat([torch.tensor(labels), weights], dim=1))


def test_it_is_cross_entropy_where_everything_is_known():
    logits, labels = [[1.0, -2.0], [0.5, 3.0]], [[1.0, 0.0], [0.0, 0.3]]
    expected = binary_cross_entropy_with_logits(torch.tensor(logits), torch.tensor(labels))

    torch.testing.assert_close(loss(logits, labels), expected)


@pytest.mark.parametrize("logit", [-9.0, 0.0, 9.0])
def test_an_unknown_label_changes_nothing(logit):
    known = loss([[1.0]], [[1.0]])

    torch.testing.assert_close(loss([[1.0, logit]], [[1.0, -1.0]]), known)


def test_a_row_counts_by_its_weight():
    logits, labels = [[1.0], [-2.0]], [[1.0], [1.0]]
    single = [loss(logits[i : i + 1], labels[i : i + 1]) for i in range(2)]

    torch.testing.assert_close(loss(logits, labels, [3.0, 1.0]), (3 * single[0] + single[1]) / 4)


def test_a_batch_of_unknown_labels_has_no_loss():
    assert loss([[5.0, 1.0]], [[-1.0, -1.0]]) == 0


def test_macro_ap_is_the_mean_over_categories_that_have_both_classes():
    labels = np.full((4, 7), -1.0)
    labels[:, 0] = [1, 1, 0, 0]
    labels[:, 1] = [1, 0, 1, -1]
    labels[:, 2] = 1
    logits = np.zeros((4, 6))
    logits[:, 0] = [4, 3, 2, 1]
    logits[:, 1] = [1, 2, 3, 9]

    assert macro_ap(logits, labels) == pytest.approx((1 + (1 + 2 / 3) / 2) / 2)


def test_nothing_to_rank_gives_no_ap():
    assert macro_ap(np.zeros((2, 6)), np.zeros((2, 7))) == 0


def test_a_positive_of_a_rare_category_counts_more_and_at_most_eightfold():
    targets = np.zeros((400, 6), np.float32)
    targets[:100, 0] = targets[:1, 1] = 1
    targets[:300, 2] = 1
    targets[:, 3] = -1
    found = positive_weight(Examples([""] * 400, targets, np.ones(400, np.float32)), 0.5)

    assert found[:3].tolist() == pytest.approx([3**0.5, 8, 1])
    assert torch.isfinite(found).all()


def test_without_class_weights_every_label_counts_once():
    assert positive_weight(Examples([], np.zeros((0, 6)), np.zeros(0)), 0.0) is None


def test_a_positive_of_weight_two_is_as_two_rows():
    outputs = SimpleNamespace(logits=torch.tensor([[0.3], [-1.0]]))
    labels = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    doubled = MaskedLoss(torch.tensor([2.0]))(outputs, labels) * 2

    assert doubled == pytest.approx(3 * loss([[0.3], [0.3], [-1.0]], [[1.0], [1.0], [0.0]]).item())


def test_a_checkpoint_that_was_cut_off_while_it_was_written_is_no_place_to_go_on_from(tmp_path):
    for name, content in (
        ("checkpoint-1", '{"epoch": 1}'),
        ("checkpoint-2", ""),
        ("checkpoint-3", None),
    ):
        (tmp_path / name).mkdir()
        if content is not None:
            (tmp_path / name / "trainer_state.json").write_text(content)

    assert _has_checkpoint(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1"]
