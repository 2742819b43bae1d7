from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from trainer.train import macro_ap, masked_loss


def loss(logits, labels, weights=None):
    weights = torch.ones(len(labels), 1) if weights is None else torch.tensor(weights)[:, None]
    outputs = SimpleNamespace(logits=torch.tensor(logits))
    return masked_loss(outputs, torch.cat([torch.tensor(labels), weights], dim=1))


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
