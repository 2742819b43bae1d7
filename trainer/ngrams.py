"""Fits the n-gram branch that a model carries beside its network."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression

from moderation.ngrams import BUCKETS, NGrams, features
from moderation.text import normalize
from trainer.data import CATEGORIES

C = 4.0  # of the regression, as in the baseline


def fit(frame: pd.DataFrame, seed: int) -> NGrams:
    """A logistic regression for each category on hashed n-grams, inverse document frequencies
    (smoothed, as in scikit-learn) folded into its weights.

    `frame` holds texts and complete labels; an unknown label leaves the row out of that category.
    """
    X = matrix([normalize(text) for text in frame.text])
    documents = np.asarray((X > 0).sum(axis=0)).ravel()
    rarity = np.log((1 + X.shape[0]) / (1 + documents)) + 1
    X = X @ diags(rarity)
    weights = np.zeros((BUCKETS, len(CATEGORIES)), dtype=np.float32)
    intercept = np.zeros(len(CATEGORIES), dtype=np.float32)
    for i, category in enumerate(CATEGORIES):
        known = (frame[category] >= 0).to_numpy()
        model = LogisticRegression(C=C, solver="liblinear", random_state=seed)
        model.fit(X[known], frame[category][known] > 0.5)
        weights[:, i] = model.coef_[0] * rarity
        intercept[i] = model.intercept_[0]
    return NGrams(weights, intercept)


def matrix(texts: list[str]) -> csr_matrix:
    """The features of each text as a row, shape (len(texts), BUCKETS)."""
    rows = [features(text) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
    buckets = np.concatenate([buckets for buckets, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return csr_matrix((values, buckets, ends), shape=(len(texts), BUCKETS))
