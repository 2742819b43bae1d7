"""Which training rows a model learns from, is calibrated on and is selected by."""

import hashlib

import pandas as pd

from trainer.config import Recipe

FIT, CALIBRATION, VALIDATION, TEST = "fit", "calibration", "validation", "test"


def part(group: str, recipe: Recipe) -> str:
    """The part of a group of training rows; depends on nothing else, so that no row ever moves."""
    place = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8]) / 2**64
    if place < recipe.calibration_share:
        return CALIBRATION
    return VALIDATION if place < recipe.calibration_share + recipe.validation_share else FIT


def assign(frame: pd.DataFrame, recipe: Recipe) -> pd.Series:
    """The part of every row: `test` as the file says, the others by their group."""
    parts = [
        TEST if split == "test" else part(group, recipe)
        for group, split in zip(frame.group, frame.split, strict=True)
    ]
    return pd.Series(parts, index=frame.index, dtype=object)


def without(frame: pd.DataFrame, kept_apart: pd.DataFrame) -> pd.DataFrame:
    """Rows of `frame` that are no test rows and share neither text nor group with `kept_apart`."""
    near = frame.group.isin(kept_apart.group) | frame.key.isin(kept_apart.key)
    return frame[~near & (frame.split != "test")]
