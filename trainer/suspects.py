"""Labels that are likely wrong, and moderators who deviate: for people to look at again."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from scipy.special import expit

from moderation import registry
from moderation.classifier import ModelError
from moderation.text import normalize
from trainer import ngrams, weights
from trainer.calibrate import logits
from trainer.config import TrainingError
from trainer.data import CATEGORIES, Matrix, fraction, targets
from trainer.deviations import contradicts
from trainer.groups import group
from trainer.run import SCRATCH
from trainer.scorers import Scorer
from trainer.votes import Settled

FOLDS = 5
_FEWEST = 5  # labels of each kind, below which confident learning learns nothing
_SHOWN = 60  # letters of a text


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that the model, which hasn't seen it, holds for wrong."""

    text: str
    category: str
    given: int
    probability: float  # that the text is of the category
    moderators: tuple[str, ...]
    cases: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Deviation:
    """In what share of a moderator's texts the base is sure of the opposite. It has learnt nobody's
    labels, so a raid can't make honest votes deviate."""

    moderator: str
    texts: int
    deviation: float
    suspects: int


@dataclass(frozen=True, slots=True)
class Found:
    """The suspects, the likeliest first, and the moderators, the most deviating first."""

    suspects: tuple[Suspect, ...]
    moderators: tuple[Deviation, ...]


def base(models: Path | None) -> str:
    """Directory or hub id of what the champion was made from, which has learnt no label; without
    versions, the embedded model."""
    if models is None:
        return str(registry.EMBEDDED)
    try:
        champion = registry.champion(models)
        name = registry.card(champion).base
        if name == SCRATCH:
            return str(champion)
    except ModelError as error:
        raise TrainingError(str(error)) from error
    try:
        return str(registry.locate(models, name))
    except ModelError:  # none of ours, so a directory or one of the hub's
        return name


def find(settled: Settled, judge: Scorer, seed: int = 1) -> Found:
    """Confident learning (Northcutt et al. 2021), category by category, on out-of-fold scores: of
    the base, which has learnt none of the labels, corrected by the other folds' labels."""
    frame = settled.loaded.frame.reset_index(drop=True)
    believed = judge.predict(list(frame.text))
    scores = out_of_fold(frame, settled.votes, believed, seed)
    labels = targets(frame)
    names = _pseudonyms(settled.votes)
    who = {key: tuple(map(names.__getitem__, ids)) for key, ids in _by_text(settled, "moderator")}
    cases = {key: tuple(sorted(set(ids))) for key, ids in _by_text(settled, "case")}
    ranked: list[tuple[float, Suspect]] = []
    for i, category in enumerate(CATEGORIES):
        for row in _issues(labels[:, i], scores[:, i]):
            given, p = int(labels[row, i]), float(scores[row, i])
            key = frame.key[row]
            found = Suspect(frame.text[row], category.value, given, p, who[key], cases[key])
            ranked.append((p if given else 1 - p, found))
    ranked.sort(key=lambda pair: (pair[0], pair[1].text, pair[1].category))
    suspects = tuple(found for _, found in ranked)
    deviations = _deviations(settled.votes, frame, believed, names, suspects)
    return Found(
        suspects, tuple(sorted(deviations, key=lambda one: (-one.deviation, one.moderator)))
    )


def out_of_fold(frame: pd.DataFrame, votes: pd.DataFrame, base: Matrix, seed: int) -> Matrix:
    """What a model that hasn't seen a label says of its text, shape (n, 6); `base` are the base's
    scores. Near-duplicates are in one fold, and no moderator weighs more than in training."""
    offsets = logits(np.nan_to_num(base, nan=0.5))
    groups = group(frame, frame[frame.grouped])
    folds = np.array([int(FOLDS * fraction(f"{seed}:{name}")) for name in groups])
    mass = frame.key.map(weights.weigh(votes, float(len(frame)))).to_numpy(float)
    X = ngrams.matrix([normalize(text) for text in frame.text])
    X = csr_matrix(X @ diags(ngrams.rarity(X)))
    X = X[:, np.unique(X.indices)]
    labels, found = targets(frame).astype(float), offsets.copy()
    for fold in range(FOLDS):
        judged = folds == fold
        for i in range(len(CATEGORIES)):
            learnt = ~judged & (labels[:, i] >= 0)
            w = ngrams.offset_regression(
                X[learnt], labels[learnt, i], mass[learnt], offsets[learnt, i], ngrams.CORRECTION
            )
            found[judged, i] += X[judged] @ w[:-1] + w[-1]
    return np.asarray(expit(found), dtype=np.float32)


def table(found: Found, limit: int) -> str:
    """The suspects and the moderators as lines of text."""
    lines = [f"{'p':>5}  {'given':20}{'moderators':14}text"]
    for one in found.suspects[:limit]:
        given = f"{'' if one.given else 'not '}{one.category}"
        text = " ".join(one.text.split())
        shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
        lines.append(f"{one.probability:5.2f}  {given:20}{', '.join(one.moderators):14}{shown}")
    lines += ["", f"{'moderator':12}{'texts':>7}{'deviation':>11}{'suspects':>10}"]
    lines += [
        f"{one.moderator:12}{one.texts:7}{one.deviation:11.2f}{one.suspects:10}"
        for one in found.moderators
    ]
    return "\n".join(lines)


def write(found: Found, limit: int, path: Path) -> None:
    """The same as JSON, with the cases to look at again; TrainingError if it can't be written."""
    content = {
        "suspects": [asdict(one) for one in found.suspects[:limit]],
        "moderators": [asdict(one) for one in found.moderators],
    }
    try:
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise TrainingError(msg) from error


def _issues(labels: NDArray[np.float32], scores: NDArray[np.float32]) -> list[int]:
    """The rows whose label of one category is likely wrong. cleanlab's multi-label method asks the
    same, one category against the rest; by category, labels that are unknown can be left out."""
    rows = np.flatnonzero(labels >= 0)
    given = labels[rows].astype(int)
    if min(given.sum(), len(given) - given.sum()) < _FEWEST:
        return []
    both = np.stack([1 - scores[rows], scores[rows]], axis=1).astype(float)
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        return [int(rows[i]) for i in np.flatnonzero(_off_diagonal(given, both))]
    wrong = find_label_issues(given, both, filter_by="confident_learning", n_jobs=1)
    return [int(rows[i]) for i in np.flatnonzero(wrong)]


def _off_diagonal(given: NDArray[np.int64], both: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Without cleanlab: labels of one class whose score reaches what is usual for the other."""
    usual = np.array([both[given == k, k].mean() for k in (0, 1)])
    other = both[np.arange(len(given)), 1 - given]
    own = both[np.arange(len(given)), given]
    return np.asarray((other >= usual[1 - given]) & ((own < usual[given]) | (other > own)))


def _by_text(settled: Settled, column: str) -> Iterator[tuple[str, list[int]]]:
    """What is known of the votes on each text, by its key."""
    for key, values in settled.votes.groupby("key")[column]:
        yield str(key), [int(value) for value in values.dropna()]


def _pseudonyms(votes: pd.DataFrame) -> dict[int, str]:
    """m1, m2 and so on, in the order in which they first voted."""
    return {int(one): f"m{i}" for i, one in enumerate(votes.moderator.unique(), 1)}


def _deviations(
    votes: pd.DataFrame,
    frame: pd.DataFrame,
    scores: Matrix,
    names: dict[int, str],
    suspects: tuple[Suspect, ...],
) -> Iterator[Deviation]:
    """For each moderator how often the base is sure of the opposite, and how many suspects."""
    opposite = contradicts(votes, list(frame.key), scores)
    for moderator, name in names.items():
        theirs = opposite[votes.moderator == moderator]
        doubted = {one.text for one in suspects if name in one.moderators}
        yield Deviation(name, len(theirs), round(float(theirs.mean()), 4), len(doubted))
