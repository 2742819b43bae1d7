"""What is compared: models by directory or hub id, and baselines that any model has to beat."""

import gzip
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from moderation.categories import Category
from moderation.classifier import ModelError, TorchClassifier, read_card, score_texts
from moderation.roots import is_obscene
from moderation.text import normalize
from trainer.baseline import Baseline
from trainer.config import TrainingError
from trainer.data import Matrix

_TIMED, _TOGETHER = 100, 50  # texts
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Scorer:
    """Gives each text a probability for every category; NaN for one that it doesn't know."""

    name: str
    title: str
    predict: Callable[[Sequence[str]], Matrix]
    classifier: TorchClassifier | None = None
    directory: Path | None = None
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int | None:
        """The size of its files, None of a baseline."""
        if self.directory is None:
            return None
        return sum(path.stat().st_size for path in self.directory.iterdir() if path.is_file())


def load(name: str, model: str) -> Scorer:
    """A model by directory or hub id, scored as it is served: views, windows, calibration.

    Raises TrainingError if it can't be had or read.
    """
    directory = Path(model) if Path(model).is_dir() else _download(model)
    try:
        classifier = TorchClassifier(directory)
        card = read_card(directory)
    except ModelError as error:
        raise TrainingError(str(error)) from error

    def predict(texts: Sequence[str]) -> Matrix:
        scores = score_texts(classifier, texts)
        rows = [[row.get(c, np.nan) for c in Category] for row in scores]
        return np.array(rows, dtype=np.float32)

    title = directory.resolve().name if Path(model).is_dir() else model
    return Scorer(name, title, predict, classifier, directory, card)


def majority(train: pd.DataFrame) -> Scorer:
    """Every text gets the share that each category has among the training rows."""
    known = train[[*Category]].where(train[[*Category]] >= 0)
    shares = known.mean().to_numpy(np.float32)
    return Scorer(
        "majority", "доля в обучающих строках", lambda texts: np.tile(shares, (len(texts), 1))
    )


def lexicon(path: Path | None) -> Scorer:
    """Obscene where a word of the list stands, or one with an obscene root; nothing else."""
    forms = None if path is None else _forms(path)

    def predict(texts: Sequence[str]) -> Matrix:
        scores = np.full((len(texts), len(Category)), np.nan, np.float32)
        scores[:, 0] = [any(_obscene(word, forms) for word in _words(text)) for text in texts]
        return scores

    title = "список слов" if path else "корни слов"
    return Scorer("lexicon", title, predict)


def ngrams(train: pd.DataFrame, seed: int) -> Scorer:
    """Character TF-IDF and logistic regression, fitted on the training rows."""
    return Scorer("ngrams", "символьные n-граммы, TF-IDF", Baseline(train, seed).predict)


def time_each(scorers: Sequence[Scorer], texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Milliseconds a text for 95 of 100 when scored alone, and texts a second scored together.

    The models take turns, so that what else the machine does slows all of them; the texts are
    spread over all that are given.
    """
    texts = texts[:: max(len(texts) // _TIMED, 1)][:_TIMED]
    alone: dict[str, list[float]] = {scorer.name: [] for scorer in scorers}
    together = dict.fromkeys(alone, 0.0)
    for scorer in scorers:
        scorer.predict(texts[:1])  # the first call of all is slow
    for start in range(0, len(texts), _TOGETHER):
        batch = texts[start : start + _TOGETHER]
        for scorer in scorers:
            together[scorer.name] += _seconds(scorer, batch)
        for text in batch:
            for scorer in scorers:
                alone[scorer.name].append(_seconds(scorer, [text]))
    return {
        name: {
            "texts_per_second": round(len(texts) / together[name], 1),
            "p95_ms": round(1000 * float(np.percentile(each, 95)), 2),
        }
        for name, each in alone.items()
    }


def _seconds(scorer: Scorer, texts: Sequence[str]) -> float:
    begun = time.perf_counter()
    scorer.predict(texts)
    return time.perf_counter() - begun


def _download(model: str) -> Path:
    """The directory of a hub id, from the local cache where the hub can't or mustn't be asked."""
    try:
        patterns = ["*.json", "*.safetensors", "*.txt"]
        return Path(snapshot_download(model, allow_patterns=patterns))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        reason = str(error).strip().split("\n")[0]
        msg = f"{model}: neither a directory nor a model of the hub that can be had: {reason}"
        raise TrainingError(msg) from error


def _forms(path: Path) -> frozenset[str]:
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as file
        ):
            return frozenset(
                line.strip().lower().replace("ё", "е") for line in file if line.strip()
            )
    except (OSError, EOFError, ValueError) as error:
        msg = f"{path}: {getattr(error, 'strerror', None) or error}"
        raise TrainingError(msg) from error


def _words(text: str) -> list[str]:
    return _WORD.findall(normalize(text).lower().replace("ё", "е"))


def _obscene(word: str, forms: frozenset[str] | None) -> bool:
    return is_obscene(word) if forms is None else word in forms
