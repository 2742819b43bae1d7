"""Labelled and unlabelled texts: their files, bad rows, duplicates and digest."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moderation.categories import TOXIC, Category
from moderation.text import normalize, sanitize
from trainer import formats
from trainer.config import TrainingError
from trainer.formats import Fields, Row
from trainer.sources import source

CATEGORIES = list(Category)
UNKNOWN = -1.0  # a label that the source doesn't decide: neither positive nor negative
_SPLITS = ("", "train", "test")
_CELLS = {"1": 1.0, "1.0": 1.0, "true": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0, "": UNKNOWN}

Matrix = NDArray[np.float32]
Vector = dict[Category, float]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be used."""

    path: Path | str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Usable rows and the others.

    Columns of `frame`: text, key (normalised), group, grouped (whether the file gave the group),
    source, split (train, test, or empty where the file doesn't say), trust, weight, and one number
    for each category: 1 yes, 0 no, -1 unknown. `read` counts the rows before duplicates were
    merged, `contradictions` the texts whose duplicates disagree.
    """

    frame: pd.DataFrame
    rejected: tuple[Rejected, ...]
    read: int = 0
    contradictions: int = 0


@dataclass(frozen=True, slots=True)
class Examples:
    """What a model learns from: texts, targets of shape (n, 6) with -1 for unknown, row weights."""

    texts: Sequence[str]
    targets: Matrix
    weights: Matrix


def read_gold(path: Path) -> Loaded:
    """Rows whose labels are complete: a list of labels names all that apply. Of a file with a
    column for each category an empty or absent one is unknown.

    The original recipe's `mark1, mark2, mark3` are such a list. Raises TrainingError if the file
    can't be read or has no usable row.
    """
    source = formats.read(path)
    if "text_res" in source.columns and "mark1" in source.columns:
        return load(path, source.rows, _recipe_labels)
    return load(path, source.rows, _columns(source) or _gold_labels)


def read_corpus(path: Path) -> Loaded:
    """Rows whose labels are known in part: what a list of labels doesn't name is unknown, unless
    it says `non_toxic`; `weak_labels` are those of a lexicon."""
    source = formats.read(path)
    return load(path, source.rows, _columns(source) or _corpus_labels)


def read_pool(path: Path) -> Loaded:
    """Texts without labels, or whose labels don't count."""
    return load(path, formats.read(path).rows, lambda _: dict.fromkeys(Category, UNKNOWN))


def read_texts(path: Path) -> list[str]:
    """The texts of a file to be scored, every row kept, the empty ones too."""
    return [row.fields.get("text", "") for row in formats.read(path).rows]


def load(path: Path | str, rows: Iterable[Row], labels: Callable[[Fields], Vector]) -> Loaded:
    """Usable rows, duplicates merged, and the others with the reason.

    Raises TrainingError if none is usable.
    """
    usable, rejected = [], []
    for row in rows:
        try:
            if row.fault:
                raise ValueError(row.fault)
            usable.append(_row(row.fields, labels(row.fields)))
        except ValueError as error:
            rejected.append(Rejected(path, row.line, str(error)))
    if not usable:
        reason = f"no usable row; first: {rejected[0]}" if rejected else "no rows"
        msg = f"{path}: {reason}"
        raise TrainingError(msg)
    frame = pd.DataFrame(usable)
    return Loaded(merge(frame), tuple(rejected), len(frame), contradictions(frame))


def merge(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each normalised text, labels by vote; a tie leaves a label unknown.

    If one of the duplicates is a test row, so is the merged one.
    """
    repeated = frame.key.duplicated(keep=False)
    if not repeated.any():
        return frame
    votes = frame[repeated]
    by_key = votes.groupby("key", sort=False)
    merged = by_key.first()
    # A text that is a test row anywhere is one; train is said, an empty split is not.
    merged["split"] = by_key.split.agg(lambda splits: max(splits, key=_SPLITS.index))
    merged["grouped"] = by_key.grouped.any()
    merged["group"] = votes.sort_values("grouped", ascending=False).groupby("key").group.first()
    known = votes[[*CATEGORIES]].where(votes[[*CATEGORIES]] >= 0)
    mean = known.groupby(votes.key, sort=False).mean()
    vote = (mean > 0.5).astype(float).where(mean.notna() & (mean != 0.5), UNKNOWN)
    merged[[*CATEGORIES]] = vote
    return pd.concat([frame[~repeated], merged.reset_index()[list(frame)]], ignore_index=True)


def contradictions(frame: pd.DataFrame) -> int:
    """How many texts stand there several times with known labels that differ."""
    votes = frame[frame.key.duplicated(keep=False)]
    labels = votes[[*CATEGORIES]]
    differing = labels.where(labels >= 0).groupby(votes.key).nunique() > 1
    return int(differing.any(axis=1).sum())


def digest(frame: pd.DataFrame) -> str:
    """SHA-256 over the sorted (text hash, labels, part, weight) of all rows: the version of the
    data. The part is the file's split where rows have none."""
    parts = frame.part if "part" in frame else frame.split
    weights = frame.trust * frame.weight
    lines = sorted(
        f"{_hash(text)}\t{'|'.join(f'{v:g}' for v in row)}\t{part}\t{weight:g}"
        for text, row, part, weight in zip(frame.text, targets(frame), parts, weights, strict=True)
    )
    return _hash("\n".join(lines))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def fraction(name: str) -> float:
    """A number from 0 to 1 that is always the same for a name."""
    return int(_hash(name)[:8], 16) / 16**8


def key(text: str) -> str:
    """What makes two texts duplicates: the normalised text without case and spacing."""
    return " ".join(normalize(text).casefold().replace("ё", "е").split())


def targets(frame: pd.DataFrame) -> Matrix:
    """The labels of all rows, shape (n, 6)."""
    return frame[[*CATEGORIES]].to_numpy(dtype=np.float32)


def _row(fields: Fields, labels: Vector) -> dict[str, object]:
    text = sanitize(fields.get("text", "").strip())
    if not text:
        raise ValueError("no text")
    split = fields.get("split") or ""
    if split not in ("", "train", "test"):
        msg = f"split must be train or test, not {split!r}"
        raise ValueError(msg)
    same = key(text)
    origin = fields.get("source") or "unlisted"
    row: dict[str, object] = {
        "text": text,
        "key": same,
        "group": fields.get("group") or same,
        "grouped": bool(fields.get("group")),
        "source": origin,
        "split": split,
        "trust": source(origin).trust,
        "weight": _number(fields.get("weight") or "1", "weight"),
    }
    return row | {category.value: label for category, label in labels.items()}


def _number(value: str, name: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1000:
        msg = f"{name} must be a number from 0 to 1000, not {value!r}"
        raise ValueError(msg)
    return found


def _columns(given: formats.Source) -> Callable[[Fields], Vector] | None:
    """A reader of a column for each category, if the file has such and no list of labels."""
    named = {name: c for name in given.columns if (c := formats.category(name))}
    if "labels" in given.columns or not any(c in TOXIC for c in named.values()):
        return None
    return lambda fields: vector({c: fields.get(name, "") for name, c in named.items()})


def vector(cells: dict[Category, str]) -> Vector:
    """Labels from a cell for each category: yes, no or, if empty, unknown.

    Not toxic follows from the others where they decide it. Raises ValueError for another cell.
    """
    known = {c: _CELLS.get(cell.lower()) for c, cell in cells.items()}
    for category, label in known.items():
        if label is None:
            msg = f"{category} must be 1, 0 or empty, not {cells[category]!r}"
            raise ValueError(msg)
    labels = dict.fromkeys(Category, UNKNOWN) | {c: v for c, v in known.items() if v is not None}
    toxic = [labels[category] for category in TOXIC]
    if labels[Category.NON_TOXIC] == 1:
        if 1 in toxic:
            raise ValueError("not toxic and toxic at once")
        return labels | dict.fromkeys(TOXIC, 0.0)
    if 1 in toxic:
        labels[Category.NON_TOXIC] = 0.0
    elif all(label == 0 for label in toxic):
        labels[Category.NON_TOXIC] = 1.0
    return labels


def _gold_labels(fields: Fields) -> Vector:
    return _complete(_named(formats.label_list(fields.get("labels", ""))))


def _recipe_labels(fields: Fields) -> Vector:
    marks = [fields.get(f"mark{i}", "") for i in (1, 2, 3)]
    return _complete(_named([mark for mark in marks if mark]))


def _corpus_labels(fields: Fields) -> Vector:
    """`non_toxic` decides every category; other labels only themselves and that it is toxic."""
    stated = formats.label_list(fields.get("labels", ""))
    named = _named([label for label in stated if label != "toxic"], empty=bool(stated))
    if Category.NON_TOXIC in named:
        labels = _complete(named)
    else:
        labels = dict.fromkeys(Category, UNKNOWN) | dict.fromkeys(named, 1.0)
        labels[Category.NON_TOXIC] = 0.0
    for category in _named(formats.label_list(fields.get("weak_labels", "")), empty=True):
        labels |= {category: 1.0, Category.NON_TOXIC: 0.0}
    return labels


def _named(labels: Iterable[str], *, empty: bool = False) -> list[Category]:
    found = []
    for label in labels:
        category = formats.category(label)
        if category is None:
            msg = f"unknown label {label!r}"
            raise ValueError(msg)
        found.append(category)
    if not found and not empty:
        raise ValueError("no label")
    return found


def _complete(named: Sequence[Category]) -> Vector:
    if Category.NON_TOXIC in named and any(category in TOXIC for category in named):
        raise ValueError("not toxic and toxic at once")
    return {category: float(category in named) for category in Category}
