"""Pretraining from scratch: masked words and the soft labels of a teacher, in one pass."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, linear
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from moderation.categories import Category
from trainer import vocabulary
from trainer.batches import encode, plan
from trainer.config import Recipe
from trainer.data import Examples
from trainer.noise import disguise
from trainer.progress import Progress, Report

_CHECKPOINT_SHARE = 0.05  # of the stage between two checkpoints
_IGNORED = -100

Batch = list[tuple[int, list[int]]]  # row number and token ids
Place = tuple[int, int]  # epoch and number of a batch


class MaskedWords(nn.Module):
    """The head that guesses hidden pieces; its output embeddings are the model's own."""

    def __init__(self, hidden: int, size: int) -> None:
        super().__init__()
        self.transform = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden))
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, states: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        """Logits over the vocabulary, shape (masked pieces, size)."""
        return linear(self.transform(states), embeddings, self.bias)


def build(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> BertForSequenceClassification:
    """A new model of the recipe's shape with an output for each category."""
    torch.manual_seed(recipe.seed)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        intermediate_size=recipe.intermediate,
        max_position_embeddings=recipe.positions,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
        id2label={i: c.value for i, c in enumerate(Category)},
        label2id={c.value: i for i, c in enumerate(Category)},
        problem_type="multi_label_classification",
    )
    return BertForSequenceClassification(config)


def pretrain(data: Examples, recipe: Recipe, work: Path, report: Report) -> None:
    """Leave a tokenizer and a pretrained model in `work`/pretrained, checkpointing on the way.

    A run that was cut off goes on from its last checkpoint.
    """
    tokenizer = _tokenizer(data.texts, recipe, work, report)
    model = build(recipe, tokenizer)
    head = MaskedWords(recipe.hidden, len(tokenizer))
    saved = work / "pretraining.pt"
    if not saved.exists():
        report("pretraining: first embeddings from neighbouring pieces")
        with torch.no_grad():
            model.bert.embeddings.word_embeddings.weight.copy_(_warm(data.texts, recipe, tokenizer))
    _Pretraining(data, recipe, tokenizer, model, head, saved).run(report)
    model.save_pretrained(work / "pretrained")
    tokenizer.save_pretrained(work / "pretrained")
    saved.unlink(missing_ok=True)


class _Pretraining:
    def __init__(
        self,
        data: Examples,
        recipe: Recipe,
        tokenizer: PreTrainedTokenizerFast,
        model: BertForSequenceClassification,
        head: MaskedWords,
        saved: Path,
    ) -> None:
        self.data, self.recipe, self.tokenizer = data, recipe, tokenizer
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.half = self.device.type == "cuda" and torch.cuda.is_bf16_supported()
        self.model, self.head, self.saved = model, head.to(self.device), saved
        model.to(self.device)  # type: ignore[arg-type] # transformers' annotation wants no device
        parameters = [*model.parameters(), *head.parameters()]
        self.optimizer = torch.optim.AdamW(
            parameters, betas=(0.9, 0.98), eps=1e-6, weight_decay=recipe.weight_decay, fused=True
        )

    def run(self, report: Report) -> None:
        begun, epoch, skip = self._restore()
        progress = Progress("pretraining", report)
        progress.resume(begun)
        self.model.train()
        losses: list[tuple[float, float]] = []
        kept = begun
        for share, place, batch in self._remaining(epoch, skip):
            losses = [*losses[-99:], self._step(batch, share, place)]
            words, labels = np.mean(losses, axis=0)
            progress.update(share, f"loss {words:.3f} on words, {labels:.4f} on labels")
            if share - kept > _CHECKPOINT_SHARE:
                kept = share
                self._save(share, *place)

    def _remaining(self, epoch: int, skip: int) -> Iterator[tuple[float, Place, Batch]]:
        """What is left to do: the share done before it, its epoch and number, the batch."""
        while True:
            batches = self._batches(epoch)
            for number in range(skip, len(batches)):
                share = (epoch + number / len(batches)) / self.recipe.pretraining_epochs
                if share >= 1:
                    return
                yield share, (epoch, number), batches[number]
            epoch, skip = epoch + 1, 0
            if epoch >= self.recipe.pretraining_epochs:
                return

    def _step(self, batch: Batch, share: float, place: Place) -> tuple[float, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.pretraining_learning_rate * _warmed(share)
        generator = torch.Generator().manual_seed(hash((self.recipe.seed, *place)))
        ids, attention, targets = self._tensors(batch)
        hidden, wanted = mask(ids, attention, self.recipe.masked, self.tokenizer, generator)
        # Drawn on the CPU, so that what is hidden doesn't depend on the device.
        hidden, wanted = hidden.to(self.device), wanted.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            output = self.model.bert(input_ids=hidden, attention_mask=attention.to(self.device))
            chosen = wanted != _IGNORED
            table = self.model.bert.embeddings.word_embeddings.weight
            guessed = self.head(output.last_hidden_state[chosen], table)
            logits = self.model.classifier(output.pooler_output)
        words = cross_entropy(guessed.float(), wanted[chosen], reduction="sum")
        words = words / max(len(guessed), 1)
        labels = binary_cross_entropy_with_logits(logits.float(), targets.to(self.device))
        self.optimizer.zero_grad()
        torch.autograd.backward(words + self.recipe.distillation * labels)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return words.item(), labels.item()

    def _batches(self, epoch: int) -> list[Batch]:
        """Batches of (row, token ids), disguised and shuffled anew in every epoch."""
        recipe, rng = self.recipe, random.Random(f"{self.recipe.seed}:{epoch}")
        texts = [
            disguise(text, recipe.noise_letters, rng) if rng.random() < recipe.noise else text
            for text in self.data.texts
        ]
        ids = encode(texts, self.tokenizer, recipe.positions)
        batches = plan([len(row) for row in ids], recipe.pretraining_batch_tokens, rng)
        return [[(row, ids[row]) for row in batch] for batch in batches]

    def _tensors(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rows = [torch.tensor(tokens) for _, tokens in batch]
        ids = nn.utils.rnn.pad_sequence(
            rows, batch_first=True, padding_value=self.tokenizer.pad_token_id
        )
        attention = (ids != self.tokenizer.pad_token_id).long()
        return ids, attention, torch.from_numpy(self.data.targets[[row for row, _ in batch]])

    def _save(self, share: float, epoch: int, number: int) -> None:
        state: dict[str, object] = {"model": self.model.state_dict()}
        state |= {
            "head": self.head.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "place": (share, epoch, number + 1),
        }
        staging = self.saved.with_suffix(".part")
        torch.save(state, staging)
        staging.replace(self.saved)

    def _restore(self) -> tuple[float, int, int]:
        if not self.saved.exists():
            return 0.0, 0, 0
        state = torch.load(self.saved, weights_only=True, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.head.load_state_dict(state["head"])
        self.optimizer.load_state_dict(state["optimizer"])
        share, epoch, number = state["place"]
        return share, epoch, number


def mask(
    ids: torch.Tensor,
    attention: torch.Tensor,
    share: float,
    tokenizer: PreTrainedTokenizerFast,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs with pieces hidden and the pieces wanted there, both shaped like `ids`.

    Of the hidden ones 80 % become [MASK], 10 % another piece, 10 % stay (Devlin et al. 2019).
    """
    special = (ids == tokenizer.cls_token_id) | (ids == tokenizer.sep_token_id)
    chance = torch.rand(ids.shape, generator=generator)
    chosen = (chance < share) & attention.bool() & ~special
    wanted = torch.where(chosen, ids, _IGNORED)
    kind = torch.rand(ids.shape, generator=generator)
    other = torch.randint(len(tokenizer), ids.shape, generator=generator)
    hidden = torch.where(chosen & (kind < 0.8), tokenizer.mask_token_id, ids)
    return torch.where(chosen & (kind >= 0.9), other, hidden), wanted


def _warmed(share: float) -> float:
    """Share of the learning rate: rises for 4 % of the stage, then falls in a line to nothing."""
    return min(share / 0.04 + 0.01, (1 - share) / 0.96)


def _tokenizer(
    texts: Sequence[str], recipe: Recipe, work: Path, report: Report
) -> PreTrainedTokenizerFast:
    directory = work / "tokenizer"
    if directory.is_dir():
        known: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(directory)
        return known
    report(f"tokenizer: {recipe.vocabulary} pieces from {len(texts)} texts")
    tokenizer = vocabulary.learn(texts, recipe.vocabulary, recipe.positions)
    tokenizer.save_pretrained(directory)
    return tokenizer


def _warm(texts: Sequence[str], recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> torch.Tensor:
    rows = encode(texts, tokenizer, recipe.positions)
    return vocabulary.embeddings(
        rows, len(tokenizer), recipe.hidden, recipe.neighbours, recipe.seed
    )
