"""Models that score texts: the protocol, PyTorch models in the Hugging Face layout, batches."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from moderation.categories import TOXIC, Category
from moderation.ngrams import NGrams
from moderation.text import views

Scores: TypeAlias = dict[Category, float]
Probabilities: TypeAlias = NDArray[np.float32]


class ModelError(Exception):
    """A model directory that can't be served; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A window of a text's tokens, and the whole text for the n-grams."""

    tokens: tuple[int, ...]
    text: str = ""

    def __len__(self) -> int:
        return len(self.tokens)


class Classifier(Protocol):
    """Turns texts into pieces, and pieces into calibrated probabilities."""

    version: str
    categories: tuple[Category, ...]

    def encode(self, text: str) -> list[Piece]:
        """The pieces of one text, each short enough for the model; at least one."""
        ...

    def score(self, batch: Sequence[Piece]) -> Probabilities:
        """Calibrated probabilities, shape (len(batch), len(categories))."""
        ...


class TorchClassifier:
    """A sequence-classification model in a local directory of the Hugging Face layout.

    `config.json`'s `id2label` is mapped to our categories (outputs of other names are dropped).
    `ngrams.safetensors`, if there, is a linear branch beside the network. `calibration.json`, if
    there, holds for each category the slope of the network's logit, that of the n-grams' and the
    intercept (Platt 1999). Weights are read from safetensors only.
    """

    def __init__(self, directory: Path, device: str = "auto") -> None:
        self.device = _device(device)
        _check_files(directory)
        disable_progress_bar()  # type: ignore[no-untyped-call] # has no annotations
        try:
            tokenizer = AutoTokenizer.from_pretrained(
                directory, local_files_only=True, trust_remote_code=False
            )
            self.model = AutoModelForSequenceClassification.from_pretrained(
                directory,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                # SDPA is slower than plain attention for heads of 26 to 64 numbers.
                attn_implementation="eager",
            )
            self._ngrams = NGrams.load(directory)
        except Exception as error:  # transformers, safetensors and tokenizers each raise their own
            reason = str(error).strip().split("\n")[0]
            msg = f"{directory}: the model can't be read: {type(error).__name__}: {reason}"
            raise ModelError(msg) from error
        self.model.to(self.device).eval()
        config = self.model.config
        if config.problem_type == "single_label_classification":
            msg = f"{directory}: a single-label model; categories must be independent outputs"
            raise ModelError(msg)
        self.version = read_version(directory)
        self.categories, self._outputs = _outputs(directory, config.id2label)
        self._columns = [list(Category).index(category) for category in self.categories]
        self._calibration = _calibration(directory, self.categories)  # (3, categories)
        self._tokenizer = tokenizer.backend_tokenizer
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._ends = (tokenizer.cls_token_id, tokenizer.sep_token_id)
        self._pad = tokenizer.pad_token_id or 0
        self._window = min(config.max_position_embeddings, 512) - 2

    def encode(self, text: str) -> list[Piece]:
        """Windows of at most `max_position_embeddings` tokens, overlapping by an eighth."""
        (found,) = self._tokenizer.encode_batch_fast([text], add_special_tokens=False)
        ids = found.ids
        first, last = self._ends
        step = self._window - self._window // 8
        starts = range(0, max(len(ids) - self._window // 8, 1), step)
        return [Piece((first, *ids[i : i + self._window], last), text) for i in starts]

    def score(self, batch: Sequence[Piece]) -> Probabilities:
        """Calibrated probabilities, shape (len(batch), len(categories)); padded to the longest."""
        longest = max(map(len, batch))
        pad = (self._pad,)
        ids = torch.tensor([piece.tokens + pad * (longest - len(piece)) for piece in batch])
        lengths = torch.tensor([len(piece) for piece in batch])
        mask = (torch.arange(longest) < lengths[:, None]).long()  # (B, T)
        with torch.inference_mode():
            logits = self.model(
                input_ids=ids.to(self.device), attention_mask=mask.to(self.device)
            ).logits  # (B, outputs)
            slope, share, intercept = self._calibration
            calibrated = logits[:, self._outputs].float().cpu() * slope + intercept
            if self._ngrams:
                calibrated += self._ngram_logits(batch) * share
            probabilities: Probabilities = torch.sigmoid(calibrated).numpy()
        return probabilities

    def _ngram_logits(self, batch: Sequence[Piece]) -> torch.Tensor:
        """Shape (B, categories); a text of many windows is looked up once."""
        assert self._ngrams is not None, "called for models with n-grams only"
        found = {text: self._ngrams.logits(text) for text in {piece.text for piece in batch}}
        rows = np.stack([found[piece.text] for piece in batch])
        return torch.from_numpy(rows[:, self._columns])


def pieces(classifier: Classifier, text: str) -> list[Piece]:
    """The pieces of every view of `text`, each once."""
    found: list[Piece] = []
    for view in views(text):
        found.extend(piece for piece in classifier.encode(view) if piece not in found)
    return found


def merge(categories: Sequence[Category], rows: Sequence[Sequence[float]]) -> Scores:
    """The scores of a text from those of its pieces: the highest counts, for non_toxic the lowest.

    Raises ValueError if a probability isn't a number.
    """
    if not all(isfinite(probability) for row in rows for probability in row):
        raise ValueError("the model gave a probability that isn't a number")
    return {
        category: min(column) if category is Category.NON_TOXIC else max(column)
        for category, column in zip(categories, zip(*rows, strict=True), strict=True)
    }


def score_texts(
    classifier: Classifier, texts: Sequence[str], max_batch_tokens: int = 1024
) -> list[Scores]:
    """Scores of many texts in their order, in batches of similar length."""
    owned = [(i, piece) for i, text in enumerate(texts) for piece in pieces(classifier, text)]
    owned.sort(key=lambda pair: len(pair[1]))
    owners: list[list[list[float]]] = [[] for _ in texts]
    for batch in _batches(owned, max_batch_tokens):
        rows = classifier.score([piece for _, piece in batch]).tolist()
        for (owner, _), row in zip(batch, rows, strict=True):
            owners[owner].append(row)
    return [merge(classifier.categories, rows) for rows in owners]


def read_card(directory: Path) -> dict[str, Any]:
    """The model card of a directory, empty if it has none."""
    path = directory / "card.json"
    if not path.is_file():
        return {}
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{path}: not readable as JSON: {error}"
        raise ModelError(msg) from error
    return card


def read_version(directory: Path) -> str:
    """The version a directory's card gives, or else the directory's name."""
    return str(read_card(directory).get("version", directory.resolve().name))


def _batches(owned: Sequence[tuple[int, Piece]], budget: int) -> Iterator[list[tuple[int, Piece]]]:
    """Runs of length-sorted pieces with at most `budget` tokens after padding, or one piece."""
    batch: list[tuple[int, Piece]] = []
    for pair in owned:
        if batch and (len(batch) + 1) * len(pair[1]) > budget:
            yield batch
            batch = []
        batch.append(pair)
    if batch:
        yield batch


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        msg = f"DEVICE={name}: {str(error).splitlines()[0]}"
        raise ModelError(msg) from error
    return device


def _check_files(directory: Path) -> None:
    if not directory.is_dir():
        msg = f"{directory}: no such model directory"
        raise ModelError(msg)
    if not (directory / "config.json").is_file():
        msg = f"{directory}: no config.json, so not a model directory"
        raise ModelError(msg)
    if not any(directory.glob("*.safetensors")):
        msg = f"{directory}: no *.safetensors (pickled weights are refused)"
        raise ModelError(msg)
    for name in ("config.json", "tokenizer_config.json"):
        path = directory / name
        if path.is_file() and b'"auto_map"' in path.read_bytes():
            msg = f"{path}: asks for program code of its own (auto_map), which is refused"
            raise ModelError(msg)


def _outputs(directory: Path, id2label: dict[int, str]) -> tuple[tuple[Category, ...], list[int]]:
    found = {category: i for i, label in id2label.items() if (category := Category.of(label))}
    if not any(category in found for category in TOXIC):
        msg = f"{directory}: none of its labels is a known category: {', '.join(id2label.values())}"
        raise ModelError(msg)
    categories = tuple(category for category in Category if category in found)
    return categories, [found[category] for category in categories]


def _calibration(directory: Path, categories: Sequence[Category]) -> torch.Tensor:
    """Slope of the network's logit, slope of the n-grams', intercept: shape (3, categories)."""
    path = directory / "calibration.json"
    if not path.is_file():
        return torch.tensor([1.0, 0.0, 0.0])[:, None].repeat(1, len(categories))
    try:
        platt = json.loads(path.read_text(encoding="utf-8"))
        lines = [platt[category] for category in categories]
        rows = [[line["slope"], line.get("ngrams", 0), line["intercept"]] for line in lines]
        calibration = torch.tensor(rows, dtype=torch.float32).T
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: not a calibration of each category: {error!r}"
        raise ModelError(msg) from error
    return calibration
