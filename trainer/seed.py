"""The original recipe's preparation: its outputs, de-duplication, cleaning, split, re-sampling."""

import csv
import io
import re
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import shuffle

from moderation.categories import RECIPE_NAMES, Category
from trainer.config import TrainingError
from trainer.progress import Report

# The outputs of cointegrated/rubert-tiny-toxicity, whose head the recipe goes on with.
OUTPUTS = ("non-toxic", "insult", "obscenity", "threat", "dangerous")
NON_TOXIC, THREAT = OUTPUTS.index("non-toxic"), OUTPUTS.index("threat")
COLUMN = {
    Category.NON_TOXIC: NON_TOXIC,
    Category.INSULT: OUTPUTS.index("insult"),
    Category.OBSCENITY: OUTPUTS.index("obscenity"),
    Category.THREAT: THREAT,
    Category.DISCRIMINATION: THREAT,
    Category.RUDE: OUTPUTS.index("dangerous"),
}
MARKS = ("mark1", "mark2", "mark3")
_OF_MARK = {RECIPE_NAMES[category]: column for category, column in COLUMN.items()}
_TEST_SHARE, _VALIDATION_SHARE = 0.1, 0.2
_NON_TOXIC_SHARE = 0.6  # of the non-toxic rows that aren't test ones
_THREAT_COPIES = 2
_FEWEST = 2  # rows of a class in each set; an area's interval needs as many

Labels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Settings:
    """The numbers of the training; the defaults are the original's."""

    epochs: int = 15
    learning_rate: float = 1e-5
    batch_size: int = 3
    seed: int = 3208
    max_length: int = 512  # tokens
    pad_to_longest: bool = True  # every row to the longest of all, as the notebook did


@dataclass(frozen=True, slots=True)
class Prepared:
    """The recipe's three sets; columns `text` (cleaned), `raw` and one for each output.

    `steps` has the rows and positive labels after each step, one line a step.
    """

    fit: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    given: pd.DataFrame
    unique: pd.DataFrame
    steps: pd.DataFrame


def read(path: Path, rows: int | None, seed: int) -> pd.DataFrame:
    """The rows of a file of the recipe's format, or a sample of `rows` of them.

    Raises TrainingError if it can't be read or isn't of that format.
    """
    try:
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            # Quotes are letters like any other: else they would join lines.
            frame = pd.read_csv(path, sep="\t", dtype=str, quoting=csv.QUOTE_NONE, index_col=False)
    except (OSError, EOFError, zlib.error, ValueError, pd.errors.ParserWarning) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        msg = f"{path}: {reason}"
        raise TrainingError(msg) from error
    missing = [column for column in ("text_res", *MARKS) if column not in frame]
    if missing:
        msg = f"{path}: no column {', '.join(missing)}: not a file of the original recipe"
        raise TrainingError(msg)
    frame = frame.dropna(subset="text_res")
    if rows is not None and rows < len(frame):
        frame = frame.sample(n=rows, random_state=seed)
    return frame


def vectors(frame: pd.DataFrame) -> Labels:
    """A multi-hot row of five outputs for each row of marks; an unknown mark counts for nothing."""
    found = np.zeros((len(frame), len(OUTPUTS)), np.float32)
    for mark in MARKS:
        columns = frame[mark].map(_OF_MARK)
        known = columns.notna().to_numpy()
        found[known, columns[known].astype(int)] = 1.0
    return found


def clean(text: str) -> str:
    """The recipe's cleaning: whatever isn't a Russian letter is gone, the rest is lower-cased."""
    return " ".join(re.sub(r"[^а-яА-ЯёЁ ]", " ", text).lower().split())


def prepare(frame: pd.DataFrame, seed: int, report: Report) -> Prepared:
    """The recipe's sets.

    Raises TrainingError if one of the outputs lacks a class in one of the sets.
    """
    steps = _Steps(report)
    given = _labelled(frame)
    steps.take("in the file", given)
    is_clean = given["non-toxic"] == 1
    kept = given[is_clean].drop_duplicates(subset="raw")
    unique = shuffle(pd.concat([kept, given[~is_clean]]), random_state=seed)
    steps.take("non-toxic repeats dropped", unique)
    rest, test = _split(unique, _TEST_SHARE, seed)
    test = _written_and_read(test)
    steps.take("test", test)
    resampled = _resample(rest, seed)
    steps.take("re-sampled", resampled)
    fit, validation = _split(resampled, _VALIDATION_SHARE, seed)
    steps.take("fitted", fit)
    steps.take("validation", validation)
    for name, part in (("fitted", fit), ("validation", validation), ("test", test)):
        _check_classes(name, part)
    return Prepared(fit, validation, test, given, unique, steps.table())


def labels(frame: pd.DataFrame) -> Labels:
    """The labels of prepared rows, shape (n, 5)."""
    return frame[[*OUTPUTS]].to_numpy(dtype=np.float32)


def twins(prepared: Prepared) -> NDArray[np.bool_]:
    """Which test rows have the cleaned text of a row that was fitted or validated on."""
    seen = {*prepared.fit.text, *prepared.validation.text}
    return prepared.test.text.isin(seen).to_numpy()


class _Steps:
    """Reports and keeps the rows and labels after each step."""

    def __init__(self, report: Report) -> None:
        self._report, self._lines = report, dict[str, dict[str, int]]()

    def take(self, step: str, frame: pd.DataFrame) -> None:
        self._report(f"preparing: {step}: {len(frame)} rows")
        counts = {output: int(frame[output].sum()) for output in OUTPUTS}
        self._lines[step] = {"rows": len(frame), **counts}

    def table(self) -> pd.DataFrame:
        return pd.DataFrame.from_dict(self._lines, orient="index")


def _labelled(frame: pd.DataFrame) -> pd.DataFrame:
    found = pd.DataFrame(vectors(frame), columns=[*OUTPUTS], index=frame.index)
    texts = {"raw": frame.text_res, "text": frame.text_res.map(clean)}
    return pd.concat([pd.DataFrame(texts), found], axis=1)


def _split(frame: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    try:
        rest, part = train_test_split(frame, test_size=share, random_state=seed)
    except ValueError as error:
        msg = f"{len(frame)} rows are too few for the recipe's splits"
        raise TrainingError(msg) from error
    return rest, part


def _written_and_read(test: pd.DataFrame) -> pd.DataFrame:
    """What the second notebook read of the file that the first wrote: blank texts are lost."""
    file = io.StringIO(test.drop(columns="raw").to_csv(sep="\t"))
    read_back = pd.read_csv(file, sep="\t", index_col=0).dropna()
    return read_back.assign(raw=test.raw.loc[read_back.index])


def _resample(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Fewer non-toxic rows and each threat several times, before validation is split off."""
    is_clean = frame["non-toxic"] == 1
    fewer = frame[is_clean].sample(frac=_NON_TOXIC_SHARE, random_state=seed)
    down = pd.concat([fewer, frame[~is_clean]])
    threats = [down[down.threat == 1]] * _THREAT_COPIES
    copied = pd.concat([down[down.threat != 1], *threats])
    resampled: pd.DataFrame = shuffle(copied, random_state=seed)
    return resampled


def _check_classes(name: str, frame: pd.DataFrame) -> None:
    for output in OUTPUTS:
        positive = int(frame[output].sum())
        fewest = min(positive, len(frame) - positive)
        if fewest < _FEWEST:
            which = "with" if positive == fewest else "without"
            msg = (
                f"only {fewest} of {len(frame)} {name} rows {which} {output}: "
                f"no figure can be had of so few, give more data"
            )
            raise TrainingError(msg)
