"""Scores of a file of texts."""

import json
import os
from pathlib import Path

from moderation.classifier import ModelError, TorchClassifier, score_texts
from moderation.text import sanitize
from trainer.config import TrainingError
from trainer.data import read_texts
from trainer.progress import Progress, Report

_CHUNK = 2048  # texts scored between two reports


def predict(model: Path, source: Path, target: Path, report: Report) -> int:
    """Write one JSON line for each row of `source`, in its order; returns how many.

    The file appears under its name only when it is whole. Raises TrainingError if the model, the
    rows or the place for the scores can't be used.
    """
    texts = [sanitize(text) for text in read_texts(source)]
    try:
        classifier = TorchClassifier(model)
    except ModelError as error:
        raise TrainingError(str(error)) from error
    if not target.parent.is_dir():
        msg = f"{target}: no such directory"
        raise TrainingError(msg)
    staging = target.with_name(f".{target.name}.{os.getpid()}")
    progress = Progress("scoring", report)
    try:
        with staging.open("w", encoding="utf-8") as file:
            for start in range(0, len(texts), _CHUNK):
                chunk = texts[start : start + _CHUNK]
                for text, scores in zip(chunk, score_texts(classifier, chunk), strict=True):
                    line = {"text": text, "scores": {c.value: p for c, p in scores.items()}}
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
                progress.update((start + len(chunk)) / len(texts))
        staging.replace(target)
    finally:
        staging.unlink(missing_ok=True)
    return len(texts)
