"""Files of texts and labels, whatever their format, as numbered rows of named fields."""

import csv
import gzip
import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moderation.categories import Category
from trainer.config import TrainingError

Fields = dict[str, str]

# The column of texts, the first that is there; `text_res` is the original recipe's.
TEXT = ("text", "text_res", "comment", "message")
_FASTTEXT = re.compile(r"(?:__label__[^\s,]+[\s,]+)+(?=\S|$)")
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that aren't UTF-8, as Python escapes them
_NOTHING = frozenset({"nan", "none", "null"})


@dataclass(frozen=True, slots=True)
class Row:
    """The fields of a row, all as text, its line in the file, and what is wrong with it, if any.

    The text stands under `text` whatever its column is called.
    """

    line: int
    fields: Fields
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of a file, and its columns."""

    columns: frozenset[str]
    rows: Iterator[Row]


def read(path: Path) -> Source:
    """The rows of a TSV, CSV, JSON-lines, Parquet or fastText file; all but Parquet may be gzipped.

    A `.txt` or `.fasttext` file, or one whose first line begins with `__label__`, is fastText's;
    one of an unknown suffix is a TSV. Raises TrainingError if it can't be read or has no texts.
    """
    kind = path.suffixes[-2] if path.suffix == ".gz" and len(path.suffixes) > 1 else path.suffix
    if kind == ".parquet":
        return _named(path, _parquet(path))
    first = _first_line(path)
    if kind in (".txt", ".fasttext", ".ft") or first.startswith("__label__"):
        return Source(frozenset({"text", "labels"}), _fasttext(path))
    if kind in (".jsonl", ".ndjson", ".json"):
        return _named(path, _jsonl(path))
    return _named(path, _csv(path) if kind == ".csv" else _tsv(path))


def category(label: str) -> Category | None:
    """The category of a label or a column; the OK ML Cup's NORMAL is not toxic."""
    return Category.NON_TOXIC if label.casefold() == "normal" else Category.of(label)


def label_list(value: str) -> list[str]:
    """The labels of a cell: JSON's list, or names parted by `|`, `,` or `;`."""
    if value.startswith("["):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError) as error:
            msg = f"labels are no JSON list: {value[:60]!r}"
            raise ValueError(msg) from error
        return [str(label).strip() for label in found]
    return [label.strip() for label in re.split(r"[|,;]", value) if label.strip()]


def _named(path: Path, rows: Iterator[Row]) -> Source:
    """`rows`, their columns taken from the first, and the text brought under its name."""
    head = next(rows, None)
    if head is None:
        msg = f"{path}: no rows"
        raise TrainingError(msg)
    column = next((name for name in TEXT if name in head.fields), None)
    if column is None:
        wanted = ", ".join(map(repr, TEXT))
        msg = f"{path}: none of the columns {wanted}: {', '.join(head.fields)[:200]}"
        raise TrainingError(msg)
    return Source(frozenset(head.fields), (_with_text(row, column) for row in rows))


def _with_text(row: Row, column: str) -> Row:
    fields = {name: _blank(value, name, column) for name, value in row.fields.items()}
    fields["text"] = row.fields.get(column, "")
    fault = "not UTF-8" if any(map(_ESCAPED.search, row.fields.values())) else row.fault
    return Row(row.line, fields, fault)


def _blank(value: str, name: str, column: str) -> str:
    """A cell without the ways in which tables write that it is empty; a text may say «none»."""
    bare = value.strip()
    return "" if name != column and bare.lower() in _NOTHING else bare


# Each of the four begins with a row whose fields are the columns.


def _tsv(path: Path) -> Iterator[Row]:
    """Tabs part the fields, quotes are letters like any other."""
    names: list[str] = []
    for number, text in _lines(path):
        values = text.rstrip("\r\n").split("\t")
        if number == 1:
            names = values
            yield Row(1, dict(zip(names, values, strict=True)))
            continue
        yield _counted(number, names, values)


def _csv(path: Path) -> Iterator[Row]:
    """Commas or semicolons part the fields; quoted ones may hold line breaks."""
    first = _first_line(path)
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader((text for _, text in _lines(path)), delimiter=delimiter)
    try:
        names = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        msg = f"{path}: the first line is not readable as CSV: {error}"
        raise TrainingError(msg) from error
    yield Row(1, {name: name for name in names})
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(reader.line_num, {}, f"not CSV: {error}")
            continue
        # An empty line is a row of a single empty cell, and no row of several.
        if values or len(names) == 1:
            yield _counted(reader.line_num, names, values or [""])


def _counted(line: int, names: list[str], values: list[str]) -> Row:
    fault = "" if len(values) == len(names) else f"{len(values)} fields, not {len(names)}"
    return Row(line, dict(zip(names, values, strict=False)), fault)


def _jsonl(path: Path) -> Iterator[Row]:
    """An object a line; columns are those of any of the first thousand."""
    begun: list[Row] = []
    rows = (_object(number, text) for number, text in _lines(path) if text.strip())
    for row in rows:
        begun.append(row)
        if len(begun) == 1000:
            break
    columns = dict.fromkeys(name for row in begun for name in row.fields)
    if begun:
        yield Row(0, {name: name for name in columns} or {"": ""})
    yield from begun
    yield from rows


def _object(number: int, text: str) -> Row:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Row(number, {}, "not JSON")
    if not isinstance(found, dict):
        return Row(number, {}, "not a JSON object")
    return Row(number, {str(name): _cell(value) for name, value in found.items()})


def _parquet(path: Path) -> Iterator[Row]:
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError as error:
        msg = f"{path}: Parquet needs pyarrow: pip install 'toxicity-bot[parquet]'"
        raise TrainingError(msg) from error
    except Exception as error:  # pyarrow raises kinds of its own
        reason = str(error).strip().split("\n")[0]
        msg = f"{path}: not readable as Parquet: {reason}"
        raise TrainingError(msg) from error
    names = [str(name) for name in frame.columns]
    yield Row(0, {name: name for name in names})
    for number, values in enumerate(frame.itertuples(index=False, name=None), 1):
        yield Row(number, dict(zip(names, map(_cell, values), strict=True)))


def _cell(value: Any) -> str:
    """A value of JSON or Parquet as the text of a table's cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return json.dumps(dict(value), ensure_ascii=False)
    if isinstance(value, Iterable):
        return json.dumps([str(item) for item in value], ensure_ascii=False)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _fasttext(path: Path) -> Iterator[Row]:
    """`__label__A,__label__B text`, or with blanks between the labels."""
    for number, line in _lines(path):
        text = line.strip()
        fault = "not UTF-8" if _ESCAPED.search(text) else ""
        found = _FASTTEXT.match(f"{text} ")
        labels = found[0].replace("__label__", " ").replace(",", " ").split() if found else []
        rest = text[found.end() :] if found else text
        fields = {"text": rest.strip(), "labels": "|".join(labels)}
        yield Row(number, fields, fault or ("" if labels or not text else "no __label__"))


def _first_line(path: Path) -> str:
    for _, text in _lines(path):
        return text
    msg = f"{path}: empty"
    raise TrainingError(msg)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines with their ends; bytes that aren't UTF-8 are escaped."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, 1):
                coding = "utf-8-sig" if number == 1 else "utf-8"
                yield number, line.decode(coding, "surrogateescape")
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        msg = f"{path}: {reason}"
        raise TrainingError(msg) from error
