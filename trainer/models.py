"""Models to start from: a pretrained one, or any base with its output layer fitted to ours."""

import copy
from pathlib import Path
from typing import Any, TypeAlias

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from moderation.categories import Category
from trainer.config import Recipe, TrainingError
from trainer.progress import Report

Tokenizer: TypeAlias = PreTrainedTokenizerFast
LABELS = [category.value for category in Category]


def load_pretrained(directory: Path, recipe: Recipe) -> tuple[PreTrainedModel, Tokenizer]:
    """The model and tokenizer that pretraining left, with the dropout of fine-tuning."""
    model = AutoModelForSequenceClassification.from_pretrained(
        directory,
        dtype=torch.float32,
        hidden_dropout_prob=recipe.dropout,
        attention_probs_dropout_prob=recipe.dropout,
    )
    tokenizer: Tokenizer = AutoTokenizer.from_pretrained(directory)  # type: ignore[assignment]
    return model, tokenizer


def load_base(base: str, report: Report) -> tuple[PreTrainedModel, Tokenizer]:
    """A base by directory or hub id, with six outputs of ours; matching rows of its output
    layer are copied, the others start anew.

    Raises TrainingError if the base can't be read.
    """
    _check_files(base)
    try:
        old = AutoModelForSequenceClassification.from_pretrained(
            base, dtype=torch.float32, use_safetensors=True
        )
        # A Russian model has no slow, SentencePiece tokenizer, which the annotation allows for.
        tokenizer: Tokenizer = AutoTokenizer.from_pretrained(base)  # type: ignore[assignment]
    except Exception as error:  # transformers, safetensors and the hub each raise their own
        reason = str(error).strip().split("\n")[0]
        msg = f"{base}: the base can't be read: {type(error).__name__}: {reason}"
        raise TrainingError(msg) from error
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        # Without its files a BERT tokenizer is made all the same, empty.
        msg = f"{base}: no vocabulary, so not a base to start from"
        raise TrainingError(msg)
    return fit_outputs(old, report), tokenizer


def fit_outputs(old: PreTrainedModel, report: Report) -> PreTrainedModel:
    """`old` with our six outputs in our order; says which are copied and which are new."""
    given: dict[int, str] = old.config.id2label  # type: ignore[assignment] # always set, by number
    if [given[i] for i in sorted(given)] == LABELS:
        return old
    config = copy.deepcopy(old.config)
    config.id2label = dict(enumerate(LABELS))
    config.label2id = {label: i for i, label in enumerate(LABELS)}
    config.problem_type = "multi_label_classification"
    new: Any = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    rows = {category: i for i, label in given.items() if (category := Category.of(label))}
    found = old.state_dict()
    with torch.no_grad():
        for name, value in new.state_dict().items():
            if not _is_output(name, found[name], old):
                value.copy_(found[name])
                continue
            for i, category in enumerate(Category):
                if category in rows:
                    value[i].copy_(found[name][rows[category]])
    fresh = [category for category in Category if category not in rows]
    report(f"outputs copied from the base: {', '.join(rows) or 'none'}")
    report(f"outputs that start anew: {', '.join(fresh) or 'none'}")
    adapted: PreTrainedModel = new
    return adapted


def _is_output(name: str, value: torch.Tensor, model: PreTrainedModel) -> bool:
    outside = not name.startswith(f"{model.base_model_prefix}.")
    return outside and value.ndim > 0 and value.shape[0] == model.config.num_labels


def _check_files(base: str) -> None:
    directory = Path(base)
    if not directory.exists():
        return
    if not (directory / "config.json").is_file():
        msg = f"{base}: no config.json, so not a base to start from"
        raise TrainingError(msg)
    if not any(directory.glob("*.safetensors")):
        msg = f"{base}: no *.safetensors (pickled weights are refused)"
        raise TrainingError(msg)
