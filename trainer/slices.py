"""Parts of the judged rows on which a model may do worse than on all: sources, lengths, chat."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trainer import bootstrap
from trainer.calibrate import wilson
from trainer.figures import Judged, any_toxic
from trainer.sources import family

LENGTHS = ((1, 3), (4, 8), (9, 20), (21, 50), (51, None))  # words
_FEWEST = 30  # rows, below which figures would be chance
_CHAT = "derived_"  # sources of everyday lines begin with it
_SHOWN = ("roc_auc", "ap", "precision", "recall", "false_alarms")


def slices(
    frame: pd.DataFrame, labels: NDArray[Any], judged: Mapping[str, Judged]
) -> list[dict[str, Any]]:
    """Figures of «toxic at all» for each slice; `labels` says it of each row, -1 for unknown."""
    return [_slice(kind, name, rows, labels, judged) for kind, name, rows in _rows(frame, labels)]


def _rows(
    frame: pd.DataFrame, labels: NDArray[Any]
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    families = frame.source.map(family)
    for name in families.value_counts().index:
        yield "source", str(name), (families == name).to_numpy()
    words = np.array([len(text.split()) for text in frame.text])
    for low, high in LENGTHS:
        rows = (words >= low) & (words <= (high or words.max(initial=0)))
        yield "length", f"{low}–{high}" if high else f"{low}+", rows
    chat = families.str.startswith(_CHAT).to_numpy() & (labels == 0)
    yield "clean_chat", "чистые строки чатов", chat


def _slice(
    kind: str,
    name: str,
    rows: NDArray[np.bool_],
    labels: NDArray[Any],
    judged: Mapping[str, Judged],
) -> dict[str, Any]:
    support = int((labels[rows] == 1).sum())
    models = {m: _figures(found, rows, labels) for m, found in judged.items()}
    return {"kind": kind, "name": name, "n": int(rows.sum()), "support": support, "models": models}


def _figures(found: Judged, rows: NDArray[np.bool_], labels: NDArray[Any]) -> dict[str, Any]:
    if rows.sum() < _FEWEST:
        return dict.fromkeys((*_SHOWN, "false_alarms_high"))
    scores, acts, given = any_toxic(found.scores[rows]), found.acts[rows], labels[rows]
    once = np.ones((1, len(given)), np.float32)
    samples = bootstrap.measure(scores, acts, given, once)
    figures: dict[str, Any] = {name: _known(samples[name][0]) for name in _SHOWN}
    clean = int((given == 0).sum())
    wrong = int((acts & (given == 0)).sum())
    # One minus the lower bound of what passes is the upper bound of what doesn't.
    high = 1 - float(wilson(np.array([clean - wrong]), np.array([clean]))[0]) if clean else None
    return {**figures, "false_alarms_high": None if high is None else round(high, 5)}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 5)
