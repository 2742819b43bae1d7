"""Which rows of a file are judged, and which ones the baselines learn from."""

from pathlib import Path

import pandas as pd

from trainer import config, data
from trainer.config import Recipe, TrainingError
from trainer.dataset import checked
from trainer.evaluation import Rows
from trainer.groups import group
from trainer.progress import Report
from trainer.split import CALIBRATION, TEST, VALIDATION, Ledger, assign, known_parts

ALL = "all"
PARTS = (TEST, VALIDATION, CALIBRATION, ALL)


def select(
    path: Path, part: str, train: Path | None, splits: Path | None, recipe: Recipe, report: Report
) -> Rows:
    """The rows of `part`; of a file without test rows all are judged, and a note says so.

    Baselines learn from the other rows of the file, or from those of `train`, that share no group
    with a judged one. Raises TrainingError if nothing is left to judge.
    """
    _check(part, splits)
    frame, notes = _read(path, report), []
    known = Ledger.read(splits)
    placed = _parts(frame, part, recipe, known)
    if part == TEST and not (placed == TEST).any():
        notes.append(f"{path.name}: no row is marked as a test row, so all are judged")
        part = ALL
    if part in (VALIDATION, CALIBRATION):
        # The n-grams learn them in the end, if the recipe refits; another ledger's model, all.
        notes.append(f"any model may have learnt rows of the {part} part, which would flatter it")
    chosen = frame if part == ALL else frame[placed == part]
    if chosen.empty:
        msg = f"{path}: no row in the {part} part"
        raise TrainingError(msg)
    others = frame.drop(chosen.index) if train is None else _read(train, report, chosen)
    # Held-out rows are none of the baselines' business either, when another part is judged.
    others = others[known_parts(others, known) != TEST]
    clear = others[~others.group.isin(chosen.group) & ~others.key.isin(chosen.key)]
    notes += _overlap(len(others) - len(clear), len(others))
    for note in notes:
        report(note)
    return Rows(
        path.name, part, chosen.reset_index(drop=True), clear.reset_index(drop=True), tuple(notes)
    )


def recipe(model: str) -> Recipe:
    """The recipe that a model was made by, whose shares its parts have; else the default one."""
    path = Path(model) / "recipe.toml"
    return config.load(str(path)) if path.is_file() else Recipe()


def ledger(model: str) -> Path | None:
    """The ledger beside a model's directory, by which it was trained; None if there is none."""
    path = Path(model).resolve().parent / "splits.tsv"
    return path if Path(model).is_dir() and path.is_file() else None


def _check(part: str, splits: Path | None) -> None:
    if part not in PARTS:
        msg = f"{part}: no such part; known are {', '.join(PARTS)}"
        raise TrainingError(msg)
    if splits is not None and not splits.is_file():
        msg = f"{splits}: no such ledger"
        raise TrainingError(msg)


def _read(path: Path, report: Report, judged: pd.DataFrame | None = None) -> pd.DataFrame:
    """The rows of a file; near-duplicates of `judged` ones are in their groups."""
    frame = checked(data.read_gold(path), report)
    frame["group"] = group(frame, pd.concat([judged, frame[frame.grouped]]))
    return frame


def _parts(frame: pd.DataFrame, part: str, recipe: Recipe, ledger: Ledger) -> pd.Series:
    """Test rows are those that file or ledger say; other parts are drawn as in training."""
    if part in (VALIDATION, CALIBRATION):
        return assign(frame, recipe, ledger)
    return known_parts(frame, ledger)


def _overlap(shared: int, n: int) -> list[str]:
    """What there is to say of training rows that share text or group with judged ones."""
    if not n:
        return []
    if not shared:
        return [f"none of {n} training rows shares its text or group with a judged one"]
    return [
        f"{shared} of {n} training rows share text or group with judged ones: no baseline learns "
        "from them, and a model that has is flattered"
    ]
