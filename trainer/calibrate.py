"""Calibration of a finished model, and the thresholds that keep a promised precision."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from moderation.categories import Category
from moderation.classifier import TorchClassifier, score_texts
from moderation.ngrams import FILE
from trainer.data import Examples, Matrix

Line = dict[str, float]  # slope and intercept
_LIMIT = 1e-7  # a probability nearer to 0 or 1 has lost its logit in float32


def served_scores(directory: Path, texts: Sequence[str]) -> Matrix:
    """Probabilities as served (views, windows, calibration), shape (len(texts), 6)."""
    scores = score_texts(TorchClassifier(directory, "cpu"), texts)
    return np.array([[row[c] for c in Category] for row in scores], dtype=np.float32)


def logits(probabilities: Matrix) -> NDArray[np.float64]:
    """The logits that gave `probabilities`."""
    p = np.clip(probabilities.astype(np.float64), _LIMIT, 1 - _LIMIT)
    return np.asarray(np.log(p / (1 - p)))


def platt(scores: NDArray[np.float64], labels: NDArray[Any]) -> Line:
    """Slope and intercept that turn logits into calibrated ones (Platt 1999).

    The identity where they would turn the order round, or where there is but one class.
    """
    found = _regress(scores[:, None], labels)
    if found is None or found[0] <= 0:
        return {"slope": 1.0, "intercept": 0.0}
    return {"slope": found[0], "intercept": found[1]}


def blend(network: NDArray[np.float64], ngrams: NDArray[np.float64], labels: NDArray[Any]) -> Line:
    """A slope for each branch's logit, and the intercept; the network alone where the n-grams
    would count against a category."""
    found = _regress(np.stack([network, ngrams], axis=1), labels)
    if found is None or min(found[:2]) <= 0:
        return platt(network, labels)
    return {"slope": found[0], "ngrams": found[1], "intercept": found[2]}


def _regress(X: NDArray[np.float64], labels: NDArray[Any]) -> list[float] | None:
    """Coefficients and intercept with Platt's targets, (n+ + 1)/(n+ + 2) and 1/(n- + 2)."""
    known = labels >= 0
    X, positive = X[known], labels[known] > 0.5
    n = int(positive.sum())
    if not 0 < n < len(positive):
        return None
    targets = np.where(positive, (n + 1) / (n + 2), 1 / (len(positive) - n + 2))
    both = np.concatenate([np.ones(len(X)), np.zeros(len(X))])
    fit = LogisticRegression(C=1e3).fit(
        np.concatenate([X, X]), both, sample_weight=np.concatenate([targets, 1 - targets])
    )
    return [*map(float, fit.coef_[0]), float(fit.intercept_[0])]


def calibrate(directory: Path, texts: Sequence[str], labels: Matrix) -> Matrix:
    """Write the model's calibration.json from texts it hasn't learnt from; returns their scores.

    Fitted on the highest logit over views and windows, since that is what is served.
    """
    network = _branch(directory, texts, {"slope": 1.0, "intercept": 0.0})
    if (directory / FILE).exists():
        ngrams = _branch(directory, texts, {"slope": 0.0, "ngrams": 1.0, "intercept": 0.0})
        lines = [blend(network[:, i], ngrams[:, i], labels[:, i]) for i in range(len(Category))]
    else:
        lines = [platt(network[:, i], labels[:, i]) for i in range(len(Category))]
    _write(directory, lines)
    return served_scores(directory, texts)


def is_whole(directory: Path) -> bool:
    """Whether a model is calibrated in each of the six categories."""
    path = directory / "calibration.json"
    if not path.is_file():
        return False
    return set(json.loads(path.read_text(encoding="utf-8"))) >= {c.value for c in Category}


def adjust(
    directory: Path, base: Path, examples: Examples, weak: float = 1.0
) -> NDArray[np.float64]:
    """Write a model's calibration.json: that of the base it was made from, each category's logit
    stretched and shifted by as little as `examples` ask for; returns slopes and shifts, (6, 2).

    Targets may be soft; `weak` is the weight of the wish to change nothing. So a threshold goes on
    meaning what it meant.
    """
    known = json.loads((base / "calibration.json").read_text(encoding="utf-8"))
    lines = [known[category.value] for category in Category]
    _write(directory, lines)
    z = logits(served_scores(directory, examples.texts))
    found = np.stack(
        [
            _shift(z[:, i], examples.targets[:, i], examples.weights, weak)
            for i in range(len(Category))
        ]
    )
    for line, (slope, shift) in zip(lines, found, strict=True):
        line |= {name: slope * value for name, value in line.items()}
        line["intercept"] += shift
    _write(directory, lines)
    return found


def _shift(
    z: NDArray[np.float64], targets: Matrix, weights: Matrix, weak: float
) -> NDArray[np.float64]:
    """The slope and shift of a logit that fit the targets best, near 1 and 0."""
    known = targets >= 0
    z, wanted, mass = z[known], targets[known].astype(float), weights[known].astype(float)

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        x = line[0] * z + line[1]
        value = mass @ (np.logaddexp(0, x) - wanted * x)
        value += weak * ((line[0] - 1) ** 2 + line[1] ** 2) / 2
        residual = mass * (expit(x) - wanted)
        gradient = np.array([residual @ z, residual.sum()])
        return float(value), gradient + weak * np.array([line[0] - 1, line[1]])

    bounds = [(0.5, 2.0), (-3.0, 3.0)]
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x)


def _branch(directory: Path, texts: Sequence[str], line: Line) -> NDArray[np.float64]:
    """The logits of one branch of a model."""
    _write(directory, [line] * len(Category))
    return logits(served_scores(directory, texts))


def _write(directory: Path, lines: Sequence[Line]) -> None:
    named = {category.value: line for category, line in zip(Category, lines, strict=True)}
    path = directory / "calibration.json"
    path.write_text(json.dumps(named, indent=2) + "\n", encoding="utf-8")


def thresholds(
    scores: Matrix, labels: Matrix, targets: Sequence[float]
) -> dict[str, dict[str, float | None]]:
    """For each category and target precision the lowest threshold that keeps it, None if none."""
    return {
        c.value: {
            f"{target:g}": threshold(scores[:, i], labels[:, i], target) for target in targets
        }
        for i, c in enumerate(Category)
    }


def threshold(scores: NDArray[Any], labels: NDArray[Any], target: float) -> float | None:
    """The lowest score from which on the lower Wilson bound of precision reaches `target`."""
    known = labels >= 0
    order = np.argsort(-scores[known], kind="stable")
    ranked, positive = scores[known][order], labels[known][order] > 0.5
    found = np.arange(1, len(ranked) + 1)
    bound = wilson(np.cumsum(positive), found)
    last_of_ties = np.append(ranked[1:] != ranked[:-1], True)
    reached = np.flatnonzero((bound >= target) & last_of_ties)
    return float(ranked[reached[-1]]) if len(reached) else None


def wilson(hits: NDArray[Any], n: NDArray[Any], z: float = 1.96) -> NDArray[np.float64]:
    """Lower bound of the 95 % interval of a share of `hits` in `n` (Wilson 1927)."""
    p = hits / n
    centre = p + z * z / (2 * n)
    spread = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return np.asarray((centre - spread) / (1 + z * z / n))
