"""Character n-grams and logistic regression: the figure to beat, and the teacher of soft labels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from moderation.text import normalize
from trainer.config import TrainingError
from trainer.data import CATEGORIES, Matrix


class Baseline:
    """TF-IDF of character n-grams within words, 2 to 5 long, and a regression for each category.

    Learns from rows with complete labels; an unknown label leaves the row out of that category.
    """

    def __init__(self, frame: pd.DataFrame, seed: int) -> None:
        check_classes(frame)
        self._features = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(2, 5),
            min_df=2 if len(frame) > 1000 else 1,
            sublinear_tf=True,
            preprocessor=_fold,
            dtype=np.float32,
        )
        X = self._features.fit_transform(frame.text)
        self._models = []
        for category in CATEGORIES:
            known = (frame[category] >= 0).to_numpy()
            model = LogisticRegression(C=4.0, solver="liblinear", random_state=seed)
            self._models.append(model.fit(X[known], frame[category][known] > 0.5))

    def predict(self, texts: Sequence[str]) -> Matrix:
        """Probabilities, shape (len(texts), 6)."""
        X = self._features.transform(texts)
        columns = [model.predict_proba(X)[:, 1] for model in self._models]
        return np.stack(columns, axis=1).astype(np.float32)


def _fold(text: str) -> str:
    return normalize(text).lower().replace("ё", "е")


def soften(known: Matrix, guessed: Matrix, trust: NDArray[np.float64]) -> Matrix:
    """Soft labels, shape (n, 6): what a source says as far as it is trusted, else the guess.

    Of a row known only as toxic the guesses are divided by the guessed probability that it is
    toxic at all (Bayes), by no less than a fifth, so that one doubtful label decides nothing.
    """
    toxic = (known[:, -1:] == 0) & (trust[:, None] > 0)
    given = np.clip(guessed / np.clip(1 - guessed[:, -1:], 0.2, 1), 0, 0.98)
    soft = np.where(toxic, given, guessed)
    weight = np.where(known >= 0, trust[:, None], 0)
    return np.asarray(weight * known + (1 - weight) * soft, dtype=np.float32)


def check_classes(frame: pd.DataFrame) -> None:
    """Raises TrainingError if a category has no row that is, or none that isn't of it."""
    for category in CATEGORIES:
        for value, word in ((1.0, "with"), (0.0, "without")):
            if not (frame[category] == value).any():
                msg = f"no training row {word} the category {category}: nothing to learn from"
                raise TrainingError(msg)
