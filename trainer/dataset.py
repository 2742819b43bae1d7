"""The rows of one training run: complete labels in their parts, and the other texts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trainer import data
from trainer.baseline import Baseline, check_classes, soften
from trainer.config import Recipe, TrainingError
from trainer.data import CATEGORIES, Examples, Loaded, targets
from trainer.progress import Report
from trainer.split import CALIBRATION, FIT, TEST, VALIDATION, assign, without


@dataclass(frozen=True, slots=True)
class Dataset:
    """`gold`: complete labels, with the column `part`; `extra`: labels known in part or not."""

    gold: pd.DataFrame
    extra: pd.DataFrame
    digest: str

    def part(self, name: str) -> pd.DataFrame:
        """The rows with complete labels of one part."""
        return self.gold[self.gold.part == name].reset_index(drop=True)


def load(
    gold: Path, corpus: Path | None, pool: Path | None, recipe: Recipe, report: Report
) -> Dataset:
    """Read the files, report every bad row, and keep the learnt rows clear of the others.

    Raises TrainingError if a file can't be used or a category has but one class.
    """
    labelled = _checked(data.read_gold(gold), report)
    labelled["part"] = assign(labelled, recipe)
    for part in (FIT, CALIBRATION, VALIDATION):
        if not (labelled.part == part).any():
            msg = f"{gold}: too few rows: none falls into the {part} part"
            raise TrainingError(msg)
    check_classes(labelled[labelled.part == FIT])
    others = [_checked(data.read_corpus(corpus), report)] if corpus else []
    others += [_checked(data.read_pool(pool), report)] if pool else []
    frames = [labelled, *others]
    extra = pd.concat(others, ignore_index=True) if others else labelled.iloc[:0]
    extra = extra[~extra.key.duplicated() & ~extra.key.isin(labelled.key)]
    extra = without(extra, labelled[labelled.part != FIT]).reset_index(drop=True)
    version = data.digest(pd.concat(frames, ignore_index=True))
    dataset = Dataset(labelled, extra, version)
    check_apart(dataset)
    parts = ", ".join(f"{n} {part}" for part, n in labelled.part.value_counts().items())
    report(f"data {version[:12]}: complete labels: {parts}; other texts: {len(extra)}")
    return dataset


def check_apart(dataset: Dataset) -> None:
    """Assert that no row which is learnt from is a test row, nor shares a text with one."""
    learnt, test = dataset.part(FIT), dataset.part(TEST)
    for frame in (learnt, dataset.extra):
        assert not (frame.split == "test").any(), "a test row would be trained on"
        assert not frame.key.isin(test.key).any(), "the text of a test row would be trained on"
        assert not frame.group.isin(test.group).any(), "a test row's double would be trained on"


def soften_extra(dataset: Dataset, teacher: Baseline, recipe: Recipe) -> Examples:
    """The other texts with soft labels where their source leaves a category open."""
    extra = dataset.extra
    if extra.empty:
        return Examples([], np.empty((0, len(CATEGORIES)), np.float32), np.empty(0, np.float32))
    soft = soften(targets(extra), teacher.predict(list(extra.text)), extra.trust.to_numpy())
    return Examples(list(extra.text), soft, np.full(len(soft), recipe.replay_weight, np.float32))


def complete(frame: pd.DataFrame) -> Examples:
    """Rows with complete labels, each of full weight."""
    return Examples(list(frame.text), targets(frame), np.ones(len(frame), np.float32))


def join(*parts: Examples) -> Examples:
    """The examples of all parts, in order."""
    return Examples(
        [text for part in parts for text in part.texts],
        np.concatenate([part.targets for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def sample(examples: Examples, n: int, seed: int) -> Examples:
    """At most `n` of the examples, drawn without replacement."""
    rows = np.random.default_rng(seed).permutation(len(examples.texts))[:n]
    texts = [examples.texts[row] for row in rows]
    return Examples(texts, examples.targets[rows], examples.weights[rows])


def _checked(loaded: Loaded, report: Report) -> pd.DataFrame:
    for rejected in loaded.rejected[:20]:
        report(f"row left out: {rejected}")
    if loaded.rejected:
        report(f"rows left out: {len(loaded.rejected)} in {loaded.rejected[0].path}")
    return loaded.frame
