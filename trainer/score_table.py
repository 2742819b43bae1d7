"""The scores of an evaluation's rows, scores.tsv.gz: a table that the report is drawn from."""

import csv
import gzip
from pathlib import Path

import pandas as pd

from moderation.categories import Category
from trainer.config import TrainingError

FILE = "scores.tsv.gz"
# The line and field breaks of a table, and all that a reader might take for a line's end.
_BREAKS = r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+"


def write(table: pd.DataFrame, directory: Path) -> None:
    """Write a table without quotes, as the trainer reads them; OSError if that can't be done."""
    texts = table.text.str.replace(_BREAKS, " ", regex=True)
    lines = ["\t".join(table.columns)]
    for row in table.assign(text=texts).itertuples(index=False, name=None):
        cells = (f"{v:.9g}" if isinstance(v, float) else str(v) for v in row)
        lines.append("\t".join("" if cell == "nan" else cell for cell in cells))
    with gzip.open(directory / FILE, "wt", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines) + "\n")


def read(directory: Path) -> pd.DataFrame:
    """text, source, group, a column of 1, 0 or -1 for each category, and <model>/<category>.

    Raises TrainingError if the file is missing or lacks a column.
    """
    path = directory / FILE
    try:
        # A message may be "null" or have a lone quotation mark: only the scores can be absent.
        frame = pd.read_csv(
            path, sep="\t", dtype=str, keep_default_na=False, quoting=csv.QUOTE_NONE
        )
    except (OSError, ValueError) as error:
        msg = f"{path}: {getattr(error, 'strerror', None) or error}"
        raise TrainingError(msg) from error
    if missing := {"text", "source", *map(str, Category)} - set(frame.columns):
        msg = f"{path}: no column {', '.join(sorted(missing))}"
        raise TrainingError(msg)
    numbers = frame.columns.difference(["text", "source", "group"])
    frame[numbers] = frame[numbers].apply(pd.to_numeric, errors="coerce")
    return frame
