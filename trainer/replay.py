"""What the base knows: its own scores of texts, which a model made from it must keep."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from transformers import PreTrainedModel

from moderation.categories import Category
from moderation.classifier import ModelError, TorchClassifier
from moderation.ngrams import NGrams
from moderation.text import normalize
from trainer.batches import encode, plan
from trainer.config import Recipe, TrainingError
from trainer.data import Examples, Matrix
from trainer.models import Tokenizer


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The probabilities that each branch gives to texts, shape (n, 6), -1 for what it doesn't know;
    `ngrams` is None of a model without them."""

    network: Matrix
    ngrams: Matrix | None


def categories(directory: Path) -> tuple[Category, ...]:
    """What a model knows; TrainingError if it can't be read."""
    try:
        return TorchClassifier(directory, "cpu").categories
    except ModelError as error:
        raise TrainingError(str(error)) from error


def recall(
    directory: Path,
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    recipe: Recipe,
) -> Knowledge:
    """What the base in `directory` says of texts as they are written; `model` is its network with
    six outputs."""
    known = categories(directory)
    unknown = [i for i, category in enumerate(Category) if category not in known]
    network = expit(_logits(model, tokenizer, texts, recipe)).astype(np.float32)
    network[:, unknown] = -1
    branch = NGrams.load(directory)
    if branch is None:
        return Knowledge(network, None)
    logits = [branch.logits(normalize(text)) for text in texts]
    ngrams = expit(np.stack(logits)).astype(np.float32)
    ngrams[:, unknown] = -1  # the branch has a column for each category, whatever the base knows
    return Knowledge(network, ngrams)


def keep(examples: Examples, knowledge: Matrix, rows: NDArray[np.bool_]) -> Examples:
    """The examples with what the base says in the place of the labels of `rows`, where it knows."""
    kept = rows[:, None] & (knowledge >= 0)
    found = np.where(kept, knowledge, examples.targets).astype(np.float32)
    return Examples(examples.texts, found, examples.weights)


def _logits(
    model: PreTrainedModel, tokenizer: Tokenizer, texts: Sequence[str], recipe: Recipe
) -> Matrix:
    longest = min(recipe.positions, model.config.max_position_embeddings)
    ids = encode(texts, tokenizer, longest)
    found = np.zeros((len(texts), len(Category)), np.float32)
    model.train(False)
    for rows in plan([len(one) for one in ids], recipe.batch_tokens, random.Random(0)):
        padded = tokenizer.pad({"input_ids": [ids[row] for row in rows]}, return_tensors="pt")
        with torch.inference_mode():
            found[rows] = model(**padded.to(model.device)).logits.float().cpu().numpy()
    return found
