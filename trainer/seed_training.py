"""The original recipe's training: Trainer's defaults, the last epoch kept, a table of epochs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from transformers import (
    DataCollatorWithPadding,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from trainer import keras_metrics, seed_model
from trainer.batches import encode
from trainer.config import TrainingError
from trainer.models import Tokenizer
from trainer.progress import Progress, Report
from trainer.seed import Prepared, Settings, labels

_THRESHOLD = 0.3
# Trainer's names of the figures and the table's, in the notebook's order.
_COLUMNS = {
    "loss": "train loss",
    "eval_loss": "valid loss",
    "eval_accuracy": "cat. accuracy",
    "eval_crossentropy": "cat. crossentropy",
    "eval_precision": f"precision at {_THRESHOLD}",
    "eval_recall": f"recall at {_THRESHOLD}",
    "eval_pr_auc": "PR-AUC",
    "eval_roc_auc": "ROC-AUC",
}


def fine_tune(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    data: Prepared,
    settings: Settings,
    directory: Path,
    report: Report,
) -> pd.DataFrame:
    """Train `model` in place as the recipe does; returns the figures of each epoch.

    Raises TrainingError if the logits stop being numbers.
    """
    length = seed_model.longest(model, tokenizer, settings.max_length)
    fit = _items(data.fit, tokenizer, length)
    validation = _items(data.validation, tokenizer, length)
    most = max(len(item["input_ids"]) for item in (*fit, *validation))
    resampled = np.concatenate([labels(data.fit), labels(data.validation)])
    shares = resampled.sum(axis=0) / resampled.sum()
    trainer = Trainer(
        model=model,
        args=_arguments(settings, directory),
        train_dataset=fit,
        eval_dataset=validation,
        data_collator=_collator(tokenizer, most if settings.pad_to_longest else None),
        compute_metrics=lambda found: metrics(found.predictions, found.label_ids, shares),
        callbacks=[_Told(report)],
    )
    trainer.remove_callback(PrinterCallback)
    _checkpoint(model, "enable")
    trainer.train()
    _checkpoint(model, "disable")
    return epochs(trainer.state.log_history)


def metrics(logits: Any, labels: Any, shares: NDArray[Any]) -> dict[str, float]:
    """The notebook's figures of an epoch, from logits and labels of shape (n, 5).

    The crossentropy soft-maxes logits of independent outputs, as the notebook's did. Raises
    TrainingError if the logits aren't numbers.
    """
    if not np.isfinite(logits).all():
        raise TrainingError("the logits are no longer numbers; a lower learning rate may help")
    scores = seed_model.sigmoid(np.asarray(logits, np.float32))
    precision, recall = keras_metrics.precision_recall(labels, scores, _THRESHOLD)
    return {
        "accuracy": keras_metrics.categorical_accuracy(labels, logits),
        "crossentropy": keras_metrics.categorical_crossentropy(labels, logits, from_logits=True),
        "precision": precision,
        "recall": recall,
        "pr_auc": keras_metrics.pr_auc(labels, scores, shares),
        "roc_auc": keras_metrics.roc_auc(labels, scores, shares),
    }


def epochs(history: Sequence[dict[str, float]]) -> pd.DataFrame:
    """One line an epoch of what Trainer logged."""
    lines: dict[int, dict[str, float]] = {}
    for entry in history:
        figures = {_COLUMNS[name]: value for name, value in entry.items() if name in _COLUMNS}
        lines.setdefault(round(entry["epoch"]), {}).update(figures)
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis(columns="epoch")


def _checkpoint(model: PreTrainedModel, switch: str) -> None:
    """Gradient checkpointing, which the releases of transformers 5 call by two names."""
    newer, older = f"activation_checkpointing_{switch}", f"gradient_checkpointing_{switch}"
    getattr(model, newer if hasattr(model, newer) else older)()


def _items(frame: pd.DataFrame, tokenizer: Tokenizer, length: int) -> list[dict[str, Any]]:
    # The collator wants lists: of tensors it can't make a batch.
    rows = zip(encode(list(frame.text), tokenizer, length), labels(frame).tolist(), strict=True)
    return [{"input_ids": ids, "labels": row} for ids, row in rows]


def _collator(tokenizer: Tokenizer, most: int | None) -> DataCollatorWithPadding:
    padding = "longest" if most is None else "max_length"
    return DataCollatorWithPadding(tokenizer, padding=padding, max_length=most)


def _arguments(settings: Settings, directory: Path) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(directory),
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        eval_strategy="epoch",
        logging_strategy="epoch",
        # Its 816 checkpoints were never read: the last epoch's weights are the result.
        save_strategy="no",
        seed=settings.seed,
        label_names=["labels"],
        dataloader_pin_memory=False,
        disable_tqdm=True,
        report_to="none",
    )


class _Told(TrainerCallback):
    """Passes on how far Trainer is, and each epoch's figures."""

    def __init__(self, report: Report) -> None:
        self._report, self._progress = report, Progress("fine-tuning", report)

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        self._progress.update(state.global_step / state.max_steps)

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **rest: Any
    ) -> None:
        loss, area = metrics["eval_loss"], metrics["eval_roc_auc"]
        self._report(
            f"fine-tuning: epoch {state.epoch:.0f}, valid loss {loss:.4f}, ROC-AUC {area:.4f}"
        )
