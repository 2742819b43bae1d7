"""The figures of a finished model in its card, at a threshold of one half."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_fscore_support, roc_auc_score

from moderation.categories import TOXIC, Category
from trainer.data import Matrix

Figures = dict[str, float | int | None]
MEANS = ("roc_auc", "ap", "precision", "recall", "f1")
_DECISION = 0.5


def evaluate(scores: Matrix, labels: Matrix) -> dict[str, Figures]:
    """Figures of each category, and `macro`: the mean of the toxic ones.

    `scores` and `labels` have shape (n, 6); an unknown label (-1) leaves the row out of that
    category. A figure is None where it has no meaning: ROC-AUC and AP with but one class.
    """
    figures = {c.value: _category(scores[:, i], labels[:, i]) for i, c in enumerate(Category)}
    means: Figures = {"n": len(scores)}
    for name in MEANS:
        known = [v for c in TOXIC if (v := figures[c.value][name]) is not None]
        means[name] = round(float(np.mean(known)), 4) if known else None
    return {"macro": means, **figures}


def table(figures: dict[str, Figures]) -> str:
    """The figures as lines of text."""
    names = (*MEANS, "support")
    head = f"{'':16}" + "".join(f"{name:>11}" for name in names)
    rows = [
        f"{category:16}" + "".join(f"{_shown(row.get(name)):>11}" for name in names)
        for category, row in figures.items()
    ]
    return "\n".join([head, *rows])


def tables(metrics: dict[str, Any]) -> str:
    """The tables of a card's parts."""
    parts = [f"{n}\n{table(metrics[n])}\n" for n in ("validation", "test") if n in metrics]
    return "\n".join(parts)


def _category(scores: NDArray[Any], labels: NDArray[Any]) -> Figures:
    known = labels >= 0
    positive, given = labels[known] > 0.5, scores[known]
    if not known.any():
        return {**dict.fromkeys(MEANS), "support": 0, "n": 0}
    precision, recall, f1, _ = precision_recall_fscore_support(
        positive, given >= _DECISION, average="binary", zero_division=0
    )
    both = 0 < positive.sum() < len(positive)
    return {
        "roc_auc": round(float(roc_auc_score(positive, given)), 4) if both else None,
        "ap": round(float(average_precision_score(positive, given)), 4) if both else None,
        "precision": round(float(precision), 4),
        "recall": round(float(recall), 4),
        "f1": round(float(f1), 4),
        "support": int(positive.sum()),
        "n": int(known.sum()),
    }


def _shown(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
