"""The original recipe's model: any base with the recipe's five outputs, and its raw scores."""

import copy
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from moderation.categories import Category
from trainer.batches import encode, plan
from trainer.models import Tokenizer, load_base
from trainer.progress import Report
from trainer.seed import COLUMN, OUTPUTS

_BATCH_TOKENS = 8192
_ORDER = list(Category)
# Each output's row in our six; discrimination, joined to threat, leaves its own behind.
_ROWS = [
    _ORDER.index(next(c for c in Category if c is not Category.DISCRIMINATION and COLUMN[c] == i))
    for i in range(len(OUTPUTS))
]


def load(base: str, report: Report) -> tuple[PreTrainedModel, Tokenizer]:
    """A base by directory or hub id with the recipe's five outputs; says which rows they got.

    Raises TrainingError if the base can't be read.
    """
    six, tokenizer = load_base(base, report)
    copied = ", ".join(f"{o} <- {_ORDER[r]}" for o, r in zip(OUTPUTS, _ROWS, strict=True))
    report(f"the recipe's outputs: {copied}; discrimination is joined to threat, its row dropped")
    return five_outputs(six), tokenizer


def five_outputs(six: PreTrainedModel) -> PreTrainedModel:
    """`six`, whose outputs are ours in our order, with the recipe's outputs in the recipe's."""
    config = copy.deepcopy(six.config)
    config.id2label = dict(enumerate(OUTPUTS))
    config.label2id = {output: i for i, output in enumerate(OUTPUTS)}
    config.problem_type = "multi_label_classification"
    five: Any = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    found = six.state_dict()
    with torch.no_grad():
        for name, value in five.state_dict().items():
            same = value.shape == found[name].shape
            value.copy_(found[name] if same else found[name][_ROWS])
    model: PreTrainedModel = five
    return model


def longest(model: PreTrainedModel, tokenizer: Tokenizer, wanted: int) -> int:
    """The tokens a text may have: what the recipe wants, if the model has so many positions."""
    positions = int(model.config.max_position_embeddings)
    return min(wanted, positions, tokenizer.model_max_length)


def logits(
    model: PreTrainedModel, tokenizer: Tokenizer, texts: Sequence[str], length: int
) -> NDArray[np.float32]:
    """The outputs' logits for each text, uncalibrated, shape (n, 5)."""
    model.train(False)
    ids = encode(texts, tokenizer, length)
    found = np.empty((len(texts), len(OUTPUTS)), np.float32)
    for rows in plan([len(tokens) for tokens in ids], _BATCH_TOKENS, random.Random(0)):
        batch = tokenizer.pad({"input_ids": [ids[row] for row in rows]}, return_tensors="pt")
        with torch.inference_mode():
            found[rows] = model(**batch.to(model.device)).logits.float().cpu().numpy()
    return found


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Independent probabilities of logits."""
    return torch.sigmoid(torch.from_numpy(logits)).numpy()
