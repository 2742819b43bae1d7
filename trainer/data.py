"""Labelled and unlabelled texts: their files, bad rows, duplicates and digest."""

import gzip
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moderation.categories import TOXIC, Category
from moderation.text import normalize, sanitize
from trainer.config import TrainingError
from trainer.sources import source

CATEGORIES = list(Category)
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that aren't UTF-8, as Python escapes them
UNKNOWN = -1.0  # a label that the source doesn't decide: neither positive nor negative

Matrix = NDArray[np.float32]
Vector = dict[Category, float]
Fields = dict[str, str]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be used."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Usable rows and the others.

    Columns of `frame`: text, key (normalised), group, source, split, trust, and one number for
    each category: 1 yes, 0 no, -1 unknown.
    """

    frame: pd.DataFrame
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """What a model learns from: texts, targets of shape (n, 6) with -1 for unknown, row weights."""

    texts: Sequence[str]
    targets: Matrix
    weights: Matrix


def read_gold(path: Path) -> Loaded:
    """Rows with complete label vectors: `text, labels, split, group, source`, or the original
    recipe's `text_res, mark1, mark2, mark3`.

    Raises TrainingError if the file can't be read or has no usable row.
    """
    recipe = "text_res" in _header(path)
    return _load(path, _recipe_labels if recipe else _gold_labels)


def read_corpus(path: Path) -> Loaded:
    """Rows whose labels are known in part: `text, labels, source, weak_labels, group, split`."""
    return _load(path, _corpus_labels)


def read_pool(path: Path) -> Loaded:
    """Texts without labels: `text, source`."""
    return _load(path, lambda fields: dict.fromkeys(Category, UNKNOWN))


def read_texts(path: Path) -> list[str]:
    """The text column of a file to be scored, every row kept, the empty ones too."""
    column = "text_res" if "text_res" in _header(path) else "text"
    return [fields.get(column, "") for _, fields, _ in _rows(path)]


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
    merged["split"] = by_key.split.agg(lambda splits: "test" if "test" in set(splits) else "train")
    known = votes[[*CATEGORIES]].where(votes[[*CATEGORIES]] >= 0)
    mean = known.groupby(votes.key, sort=False).mean()
    vote = (mean > 0.5).astype(float).where(mean.notna() & (mean != 0.5), UNKNOWN)
    merged[[*CATEGORIES]] = vote
    return pd.concat([frame[~repeated], merged.reset_index()[list(frame)]], ignore_index=True)


def digest(frame: pd.DataFrame) -> str:
    """SHA-256 over the sorted (text hash, labels, split) of all rows: the version of the data."""
    labels = targets(frame)
    lines = sorted(
        f"{hashlib.sha256(text.encode()).hexdigest()}\t{'|'.join(f'{v:g}' for v in row)}\t{split}"
        for text, row, split in zip(frame.text, labels, frame.split, strict=True)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def key(text: str) -> str:
    """What makes two texts duplicates: the normalised text without case and spacing."""
    return " ".join(normalize(text).casefold().replace("ё", "е").split())


def targets(frame: pd.DataFrame) -> Matrix:
    """The labels of all rows, shape (n, 6)."""
    return frame[[*CATEGORIES]].to_numpy(dtype=np.float32)


def _load(path: Path, labels: Callable[[Fields], Vector]) -> Loaded:
    rows, rejected = [], []
    for line, fields, fault in _rows(path):
        try:
            if fault:
                raise ValueError(fault)
            rows.append(_row(fields, labels(fields)))
        except ValueError as error:
            rejected.append(Rejected(path, line, str(error)))
    if not rows:
        reason = f"no usable row; first: {rejected[0]}" if rejected else "no rows"
        msg = f"{path}: {reason}"
        raise TrainingError(msg)
    return Loaded(merge(pd.DataFrame(rows)), tuple(rejected))


def _row(fields: Fields, labels: Vector) -> dict[str, object]:
    text = sanitize(fields.get("text_res", fields.get("text", "")).strip())
    if not text:
        raise ValueError("no text")
    split = fields.get("split") or "train"
    if split not in ("train", "test"):
        msg = f"split must be train or test, not {split!r}"
        raise ValueError(msg)
    same = key(text)
    origin = fields.get("source") or "unlisted"
    row: dict[str, object] = {
        "text": text,
        "key": same,
        "group": fields.get("group") or same,
        "source": origin,
    }
    row |= {"split": split, "trust": source(origin).trust}
    return row | {category.value: label for category, label in labels.items()}


def _gold_labels(fields: Fields) -> Vector:
    return _complete(_named(fields.get("labels", "")))


def _recipe_labels(fields: Fields) -> Vector:
    marks = [fields.get(f"mark{i}", "").strip() for i in (1, 2, 3)]
    return _complete(_named("|".join(filter(None, marks))))


def _corpus_labels(fields: Fields) -> Vector:
    """`non_toxic` decides every category; other labels only themselves and that it is toxic."""
    stated = [label for label in fields.get("labels", "").split("|") if label]
    named = _named("|".join(label for label in stated if label != "toxic"), empty=bool(stated))
    if Category.NON_TOXIC in named:
        labels = _complete(named)
    else:
        labels = dict.fromkeys(Category, UNKNOWN) | dict.fromkeys(named, 1.0)
        labels[Category.NON_TOXIC] = 0.0
    for category in _named(fields.get("weak_labels", ""), empty=True):
        labels |= {category: 1.0, Category.NON_TOXIC: 0.0}
    return labels


def _named(labels: str, *, empty: bool = False) -> list[Category]:
    found = []
    for label in filter(None, labels.split("|")):
        category = Category.of(label)
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


def _header(path: Path) -> list[str]:
    for _, fields in _lines(path):
        if not {"text", "text_res"} & set(fields):
            msg = f"{path}: no column 'text' or 'text_res' in the first line"
            raise TrainingError(msg)
        return fields
    msg = f"{path}: empty"
    raise TrainingError(msg)


def _rows(path: Path) -> Iterator[tuple[int, Fields, str]]:
    """Line number, fields by column and what is wrong with the row, if anything."""
    names = _header(path)
    for line, values in _lines(path):
        if line == 1:
            continue
        fault = "" if len(values) == len(names) else f"{len(values)} fields, not {len(names)}"
        if any(map(_ESCAPED.search, values)):
            fault = "not UTF-8"
        yield line, dict(zip(names, values, strict=False)), fault


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Numbered lines as fields; tabs part them, quotes are letters like any other."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, 1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8", "surrogateescape")
                yield number, text.rstrip("\r\n").split("\t")
    except (OSError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        msg = f"{path}: {reason}"
        raise TrainingError(msg) from error
