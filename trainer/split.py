"""Which part a labelled row belongs to: stratified over groups, and for ever the same."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trainer.config import Recipe, TrainingError
from trainer.data import CATEGORIES, targets
from trainer.disk import is_full

FIT, CALIBRATION, VALIDATION, TEST = "fit", "calibration", "validation", "test"
PARTS = (FIT, CALIBRATION, VALIDATION, TEST)  # from learnt to most held out
_Shares = dict[str, float]


@dataclass(slots=True)
class Ledger:
    """Where each text once was put, by a hash of its key; texts themselves aren't kept."""

    parts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None) -> "Ledger":
        """The ledger of a file, an empty one if there is none; TrainingError if it is no ledger."""
        if path is None or not path.exists():
            return cls()
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            pairs = [line.split("\t") for line in lines]
        except (OSError, ValueError) as error:
            msg = f"{path}: not readable: {error}"
            raise TrainingError(msg) from error
        for number, pair in enumerate(pairs, 1):
            if len(pair) != 2 or pair[1] not in PARTS:
                msg = f"{path}:{number}: not a hash and the part of a text"
                raise TrainingError(msg)
        return cls(dict(pairs))

    def write(self, path: Path) -> None:
        """Write all lines, the old file being replaced at once."""
        staging = path.with_name(f".{path.name}.{os.getpid()}")
        lines = (f"{name}\t{part}\n" for name, part in sorted(self.parts.items()))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            staging.write_text("".join(lines), encoding="utf-8")
            staging.replace(path)
        except OSError as error:
            with suppress(OSError):
                staging.unlink(missing_ok=True)
            if is_full(error):
                raise  # said for all files alike
            msg = f"{path}: can't be written: {error.strerror}"
            raise TrainingError(msg) from error

    def part(self, key: str) -> str | None:
        """The part of a text, None if it is new."""
        return self.parts.get(_hash(key))

    def add(self, keys: Iterable[str], parts: Iterable[str]) -> None:
        """Remember new texts; one that is known stays where it is, unless it becomes a test row."""
        for key, part in zip(keys, parts, strict=True):
            name = _hash(key)
            self.parts[name] = TEST if part == TEST else self.parts.get(name, part)


def assign(frame: pd.DataFrame, recipe: Recipe, ledger: Ledger) -> pd.Series:
    """The part of every row; new ones are added to `ledger`, in which only what a file calls a
    test row ever changes.

    A new row goes where the most held-out of its group stands; so a row that its file calls a
    training row is a test row only if a near-duplicate is. New groups are shared out so that each
    part has its share of each label (iterative stratification, Sechidis et al. 2011).
    """
    parts = known_parts(frame, ledger)
    held = _most_held_out(frame, parts)
    parts = parts.where(parts.notna(), frame.group.map(held))
    is_new = parts.isna()
    for marked in (True, False):  # rows of files that mark their test rows, and of the others
        rows = frame[is_new & ((frame.split == "train") == marked)]
        shares = _shares(recipe, test=0.0 if marked else recipe.test_share)
        # A group with rows of both kinds was placed with the first.
        rows = rows[parts[rows.index].isna()]
        placed = _stratify(rows, frame[parts.notna()], parts, shares)
        parts = parts.where(parts.notna(), frame.group.map(placed))
    ledger.add(frame.key, parts)
    return parts


def known_parts(frame: pd.DataFrame, ledger: Ledger) -> pd.Series:
    """The part that file or ledger say, None where neither does."""
    parts = pd.Series([ledger.part(key) for key in frame.key], index=frame.index, dtype=object)
    return parts.where(frame.split != "test", TEST)


def without(frame: pd.DataFrame, kept_apart: pd.DataFrame) -> pd.DataFrame:
    """Rows of `frame` that are no test rows and share neither text nor group with `kept_apart`."""
    near = frame.group.isin(kept_apart.group) | frame.key.isin(kept_apart.key)
    return frame[~near & (frame.split != "test")]


def _shares(recipe: Recipe, test: float) -> _Shares:
    kept = {CALIBRATION: recipe.calibration_share, VALIDATION: recipe.validation_share, TEST: test}
    return {FIT: 1 - sum(kept.values())} | kept


def _most_held_out(frame: pd.DataFrame, parts: pd.Series) -> dict[str, str]:
    """The part of each group that has a placed row."""
    placed = frame.group[parts.notna()]
    ranks = parts[parts.notna()].map(PARTS.index)
    return {str(group): PARTS[rank] for group, rank in ranks.groupby(placed).max().items()}


def _stratify(
    rows: pd.DataFrame, placed: pd.DataFrame, parts: pd.Series, shares: _Shares
) -> Mapping[str, str]:
    """A part for each group of `rows`, given where the rows of their kind already stand."""
    if rows.empty:
        return {}
    names, labels = _by_group(rows)
    wanted = {part: share for part, share in shares.items() if share > 0}
    had = placed[placed.split == rows.split.iloc[0]]
    desire = _desire(labels, _by_part(had, parts, wanted), wanted)
    found: dict[str, str] = {}
    for i in _rarest_first(labels, names):
        if names[i] not in found:
            found[names[i]] = _choose(labels[i], desire, wanted)
    return found


def _by_group(rows: pd.DataFrame) -> tuple[list[str], NDArray[np.float64]]:
    """Names of the groups, and for each its labels and 1 for itself, shape (groups, 6 + 1)."""
    positive = pd.DataFrame(targets(rows) > 0.5, index=rows.index, columns=[*CATEGORIES])
    joined = positive.groupby(rows.group.to_numpy()).any()
    ones = np.ones((len(joined), 1))
    return [str(name) for name in joined.index], np.hstack([joined.to_numpy(float), ones])


def _by_part(
    placed: pd.DataFrame, parts: pd.Series, wanted: Iterable[str]
) -> dict[str, NDArray[np.float64]]:
    zero = np.zeros(len(CATEGORIES) + 1)
    found = {}
    for part in wanted:
        rows = placed[parts[placed.index] == part]
        found[part] = _by_group(rows)[1].sum(axis=0) if len(rows) else zero
    return found


def _desire(
    labels: NDArray[np.float64], had: Mapping[str, NDArray[np.float64]], wanted: _Shares
) -> dict[str, NDArray[np.float64]]:
    """How many groups of each label a part still lacks."""
    everything = labels.sum(axis=0) + sum(had.values())
    return {part: share * everything - had[part] for part, share in wanted.items()}


def _rarest_first(labels: NDArray[np.float64], names: list[str]) -> Iterator[int]:
    """Numbers of the groups, those with the rarest label first, in an order of their own by hash
    that no file's order changes."""
    order = sorted(range(len(names)), key=lambda i: _hash(names[i]))
    counts = Counter({label: labels[:, label].sum() for label in range(labels.shape[1])})
    for label, _ in sorted(counts.items(), key=lambda item: (item[1], item[0])):
        yield from (i for i in order if labels[i, label])


def _choose(
    labels: NDArray[np.float64], desire: dict[str, NDArray[np.float64]], wanted: _Shares
) -> str:
    """The part that lacks most of the group's rarest label, then most groups; it gets the group."""
    has = np.flatnonzero(labels)
    rarest = min(has, key=lambda label: sum(desire[part][label] for part in wanted))
    part = max(wanted, key=lambda p: (desire[p][rarest] / wanted[p], desire[p][-1] / wanted[p]))
    desire[part] = desire[part] - labels
    return part


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
