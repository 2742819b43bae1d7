"""What a retraining learns from and is judged by: rows in their parts, labels weighed."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from trainer import data, dataset, deviations, outcome, weights
from trainer.config import Recipe
from trainer.dataset import Dataset, Files
from trainer.feedback import SOURCE
from trainer.outcome import Counts
from trainer.progress import Report
from trainer.scorers import Scorer
from trainer.split import CALIBRATION, FIT
from trainer.votes import Settled

ANCHORS = 500  # texts on which calibration keeps what the base says


@dataclass(frozen=True, slots=True)
class Material:
    """Rows, the labels among them, and how many there are; `new`: more than the champion had."""

    data: Dataset
    settled: Settled
    counts: Counts
    new: int


def gather(
    files: Files,
    ledger: Path,
    recipe: Recipe,
    settled: Settled,
    new: int,
    judge: Scorer,
    say: Report,
) -> Material:
    """The rows in the parts that the ledger says. Labels weigh as much as weights.py lets them,
    beside the fitted rows, and beside the anchors of calibration; `judge` is the base.

    Raises TrainingError if something can't be used.
    """
    found = dataset.load(replace(files, splits=ledger), recipe, say, settled.loaded)
    gold = found.gold
    taught = is_taught(gold) & gold.key.isin(settled.loaded.frame.key)
    base = gold[(gold.part == FIT) & ~taught]
    beside = {FIT: float(dataset.weigh(base, recipe).weight.sum()), CALIBRATION: float(ANCHORS)}
    for part, mass in beside.items():
        keys = gold.key[taught & (gold.part == part)]
        found_weights = weights.weigh(settled.votes[settled.votes.key.isin(keys)], mass)
        gold = gold.assign(weight=gold.key.map(found_weights).where(taught).fillna(gold.weight))
    fitted = gold.weight[taught & (gold.part == FIT)].sum()
    say(
        f"labels: {int(taught.sum())} texts by {settled.votes.moderator.nunique()} moderators; "
        f"those fitted weigh {fitted:.0f}, the base rows {beside[FIT]:.0f}"
    )
    everything = pd.concat([gold, found.extra.assign(part=FIT)], ignore_index=True)
    made = replace(found, gold=gold, digest=data.digest(everything))
    return Material(made, settled, outcome.count(settled, gold, _doubted(settled, judge)), new)


def _doubted(settled: Settled, judge: Scorer) -> int:
    """How many texts only moderators who deviate from the base speak for."""
    frame = settled.loaded.frame
    scores = judge.predict(list(frame.text))
    opposite = deviations.contradicts(settled.votes, list(frame.key), scores)
    return len(deviations.doubted(settled.votes, opposite))


def is_taught(frame: pd.DataFrame) -> pd.Series:
    """Whether each row is a moderator's label."""
    return frame.source.str.startswith(SOURCE)
