"""Fine-tuning: complete labels and replayed soft ones, the best epoch by validation kept."""

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import Dataset
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from moderation.categories import TOXIC
from trainer.batches import encode, plan
from trainer.config import Recipe, TrainingError
from trainer.data import Examples, Matrix
from trainer.noise import disguise
from trainer.progress import Progress, Report


class Batches(Dataset[tuple[list[list[int]], Matrix]]):
    """Whole batches of (token ids, labels and weight); disguised anew each `epoch` if `noise`."""

    def __init__(
        self,
        examples: Examples,
        tokenizer: PreTrainedTokenizerFast,
        recipe: Recipe,
        longest: int,
        noise: float,
    ) -> None:
        self.examples, self.tokenizer, self.recipe = examples, tokenizer, recipe
        self.longest, self.noise = longest, noise
        self.epoch = 0
        lengths = [len(ids) for ids in encode(examples.texts, tokenizer, self.longest)]
        self._plan = plan(lengths, recipe.batch_tokens, random.Random(recipe.seed))

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, index: int) -> tuple[list[list[int]], Matrix]:
        rows = self._plan[index]
        # Of nothing but the place, so that a resumed run shows the same disguises.
        rng = random.Random(f"{self.recipe.seed}:{self.epoch}:{index}")
        texts = [self._shown(self.examples.texts[row], rng) for row in rows]
        weights = self.examples.weights[rows, None]
        labels = np.concatenate([self.examples.targets[rows], weights], axis=1)
        return encode(texts, self.tokenizer, self.longest), labels.astype(np.float32)

    def collate(self, batches: Sequence[tuple[list[list[int]], Matrix]]) -> dict[str, torch.Tensor]:
        """The one batch in `batches` as padded tensors; labels have shape (B, 6 + 1)."""
        ((ids, labels),) = batches
        padded = self.tokenizer.pad({"input_ids": ids}, return_tensors="pt")
        return {**padded, "labels": torch.from_numpy(labels)}

    def _shown(self, text: str, rng: random.Random) -> str:
        if rng.random() >= self.noise:
            return text
        return disguise(text, self.recipe.noise_letters, rng)


class MaskedLoss:
    """Weighted mean cross-entropy over the labels that are known."""

    def __init__(self, positive_weight: torch.Tensor | None = None) -> None:
        """`positive_weight`, shape (6,): how often a positive counts, as a negative counts once."""
        self._positive_weight = positive_weight

    def __call__(
        self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """`labels` has shape (B, 6 + 1), the last column being the row's weight; -1 is unknown.

        The loss doesn't depend on `num_items_in_batch`, which Trainer insists on passing.
        """
        targets, weights = labels[:, :-1], labels[:, -1:]
        known = (targets >= 0) * weights
        positive = self._positive_weight
        losses = binary_cross_entropy_with_logits(
            outputs.logits.float(),
            targets.clamp(min=0),
            reduction="none",
            pos_weight=None if positive is None else positive.to(labels.device),
        )
        return (losses * known).sum() / known.sum().clamp(min=1e-6)


def positive_weight(examples: Examples, exponent: float) -> torch.Tensor | None:
    """(negatives / positives) ** `exponent` of each category by weight, from 1 to 8; None for 0.

    Full balance, exponent 1, wrecks calibration; .5 is usual.
    """
    if exponent == 0:
        return None
    known = (examples.targets >= 0) * examples.weights[:, None]
    positive = (examples.targets.clip(min=0) * known).sum(axis=0)
    ratio = (known.sum(axis=0) - positive) / positive.clip(min=1e-6)
    return torch.tensor(ratio.clip(min=1e-6) ** exponent, dtype=torch.float32).clamp(1, 8)


def macro_ap(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Mean average precision of the toxic categories, over their known labels of both classes."""
    found = []
    for i in range(len(TOXIC)):
        known = labels[:, i] >= 0
        positive = labels[known, i] > 0.5
        if 0 < positive.sum() < len(positive):
            found.append(average_precision_score(positive, logits[known, i]))
    return float(np.mean(found)) if found else 0.0


def fine_tune(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    learnt: Examples,
    validation: Examples,
    recipe: Recipe,
    work: Path,
    report: Report,
    callbacks: Sequence[TrainerCallback] = (),
) -> PreTrainedModel:
    """The model of the epoch with the best macro AP on validation; goes on after a cut-off run.

    Raises TrainingError if the loss stops being a number.
    """
    longest = min(recipe.positions, model.config.max_position_embeddings)
    rows = Batches(learnt, tokenizer, recipe, longest, recipe.noise)
    trainer = Trainer(
        model=model,
        args=_arguments(recipe, work / "checkpoints"),
        train_dataset=rows,
        eval_dataset=Batches(validation, tokenizer, recipe, longest, 0.0),
        data_collator=rows.collate,
        compute_loss_func=MaskedLoss(positive_weight(learnt, recipe.class_weight)),
        compute_metrics=lambda p: {
            "macro_ap": macro_ap(np.asarray(p.predictions), np.asarray(p.label_ids))
        },
        callbacks=[_Told(report), _Epoch(rows), EarlyStoppingCallback(recipe.patience), *callbacks],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=_has_checkpoint(work / "checkpoints"))
    if any(not torch.isfinite(p).all() for p in model.parameters()):
        raise TrainingError("the weights are no longer numbers; a lower learning_rate may help")
    return model


def _has_checkpoint(directory: Path) -> bool:
    """Whether there is one to go on from; what was cut off while it was written is removed."""
    for checkpoint in directory.glob("checkpoint-*"):
        try:  # the state is written last
            json.loads((checkpoint / "trainer_state.json").read_bytes())
        except (OSError, ValueError):
            shutil.rmtree(checkpoint)
    return any(directory.glob("checkpoint-*"))


def _arguments(recipe: Recipe, directory: Path) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(directory),
        num_train_epochs=recipe.epochs,
        # An item of the data set is a batch already.
        per_device_train_batch_size=1,
        per_device_eval_batch_size=1,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        warmup_steps=recipe.warmup,
        seed=recipe.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="macro_ap",
        greater_is_better=True,
        label_names=["labels"],
        remove_unused_columns=False,
        logging_steps=20,
        dataloader_pin_memory=False,
        # The weights stay in float32; half of a GPU's time is saved where it can compute in bf16.
        bf16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
        disable_tqdm=True,
        report_to="none",
    )


class _Epoch(TrainerCallback):
    """Tells the batches which epoch it is, also after a resumption."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        self._batches.epoch = int(state.epoch)


class _Told(TrainerCallback):
    """Passes Trainer's own figures on as progress."""

    def __init__(self, report: Report) -> None:
        self._report, self._progress = report, Progress("fine-tuning", report)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **rest: Any) -> None:
        if logs and "loss" in logs:
            self._progress.update(state.global_step / state.max_steps, f"loss {logs['loss']:.4f}")

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **rest: Any
    ) -> None:
        ap = metrics["eval_macro_ap"]
        self._report(f"fine-tuning: epoch {state.epoch:.0f}, validation macro AP {ap:.4f}")
