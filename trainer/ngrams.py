"""Fits the n-gram branch that a model carries beside its network."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, diags
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from moderation.ngrams import BUCKETS, FILE, NGrams, features
from moderation.text import normalize
from trainer.data import CATEGORIES, Examples

C = 4.0  # of the regression, as in the baseline
# As far as 4 down to .25 the gold rows show no difference, and less changes less.
CORRECTION = 1.0
_STEPS = 200


def fit(frame: pd.DataFrame, seed: int) -> NGrams:
    """A logistic regression for each category on hashed n-grams, inverse document frequencies
    (smoothed, as in scikit-learn) folded into its weights.

    `frame` holds texts, complete labels and weights; an unknown label leaves the row out of that
    category.
    """
    X = matrix([normalize(text) for text in frame.text])
    idf = rarity(X)
    X = X @ diags(idf)
    given = frame.weight.to_numpy(float)
    weights = np.zeros((BUCKETS, len(CATEGORIES)), dtype=np.float32)
    intercept = np.zeros(len(CATEGORIES), dtype=np.float32)
    for i, category in enumerate(CATEGORIES):
        known = (frame[category] >= 0).to_numpy()
        model = LogisticRegression(C=C, solver="liblinear", random_state=seed)
        model.fit(X[known], frame[category][known] > 0.5, sample_weight=given[known])
        weights[:, i] = model.coef_[0] * idf
        intercept[i] = model.intercept_[0]
    return NGrams(weights, intercept)


def correct(directory: Path, examples: Examples, strength: float = CORRECTION) -> NGrams:
    """The branch of a model with what it gets wrong on `examples` added: a regression on top of its
    logits, so small that it forgets nothing which they don't speak against.

    Targets may be soft; an unknown one (-1) leaves the row out of that category.
    """
    tensors = load_file(directory / FILE)
    weights = tensors["weights"].astype(np.float32)
    intercept = tensors["intercept"].astype(np.float32)
    base = NGrams(weights, intercept)
    texts = [normalize(text) for text in examples.texts]
    X = matrix(texts)
    idf = rarity(X)
    X = csr_matrix(X @ diags(idf))
    used = np.unique(X.indices)
    offsets = np.stack([base.logits(text) for text in texts]).astype(float)
    weights, intercept = weights.copy(), intercept.copy()
    for i in range(len(CATEGORIES)):
        known = examples.targets[:, i] >= 0
        found = offset_regression(
            X[known][:, used],
            examples.targets[known, i].astype(float),
            examples.weights[known].astype(float),
            offsets[known, i],
            strength,
        )
        weights[used, i] += found[:-1] * idf[used]
        intercept[i] += found[-1]
    return NGrams(weights, intercept)


def matrix(texts: list[str]) -> csr_matrix:
    """The features of each text as a row, shape (len(texts), BUCKETS)."""
    rows = [features(text) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
    buckets = np.concatenate([buckets for buckets, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return csr_matrix((values, buckets, ends), shape=(len(texts), BUCKETS))


def rarity(X: csr_matrix) -> NDArray[np.float64]:
    """The smoothed inverse document frequency of each bucket."""
    documents = np.asarray((X > 0).sum(axis=0)).ravel()
    found: NDArray[np.float64] = np.log((1 + X.shape[0]) / (1 + documents)) + 1
    return found


def offset_regression(
    X: csr_matrix,
    targets: NDArray[np.float64],
    weights: NDArray[np.float64],
    offsets: NDArray[np.float64],
    strength: float,
) -> NDArray[np.float64]:
    """Coefficients and, last, the intercept that are added to `offsets`; zeros without rows.

    Scikit-learn's regression knows neither offsets nor soft targets.
    """

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = offsets + X @ w[:-1] + w[-1]
        value = weights @ (np.logaddexp(0, z) - targets * z) + w @ w / (2 * strength)
        residual = weights * (expit(z) - targets)
        gradient = np.append(X.T @ residual, residual.sum()) + w / strength
        return float(value), gradient

    start = np.zeros(X.shape[1] + 1)
    if not len(targets):
        return start
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return np.asarray(found.x)
