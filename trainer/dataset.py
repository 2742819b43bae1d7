"""The rows of one training run: labelled ones in their parts, and the other texts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from moderation.categories import TOXIC
from trainer import data
from trainer.baseline import Baseline, check_classes, soften
from trainer.config import Recipe, TrainingError, source_weights
from trainer.data import CATEGORIES, Examples, Loaded, targets
from trainer.feedback import read_labels
from trainer.groups import group, near
from trainer.progress import Report
from trainer.sources import family
from trainer.split import (
    CALIBRATION,
    FIT,
    PARTS,
    TEST,
    VALIDATION,
    Ledger,
    assign,
    known_parts,
    without,
)

ROWS = Path(__file__).parent / "rows"  # texts written for this project


@dataclass(frozen=True, slots=True)
class Files:
    """What a data set is read from; every file may be of any format of trainer/formats.py.

    `gold`: complete labels; `corpus`: labels known in part; `pool`: none; `labels`: the bot's
    database; `splits`: the ledger of parts, read if it is there and written. Without `gold` the
    texts written for this project that no model has learnt from yet are what is judged.
    """

    gold: tuple[Path, ...]
    corpus: tuple[Path, ...] = ()
    pool: tuple[Path, ...] = ()
    labels: str | None = None
    splits: Path | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """`gold`: labelled rows, with the column `part`; `extra`: labels known in part or not."""

    gold: pd.DataFrame
    extra: pd.DataFrame
    digest: str

    def part(self, name: str) -> pd.DataFrame:
        """The labelled rows of one part."""
        return self.gold[self.gold.part == name].reset_index(drop=True)


def load(files: Files, recipe: Recipe, report: Report, feedback: Loaded | None = None) -> Dataset:
    """Read the files, report every bad row, and keep the learnt rows clear of the others.

    `feedback` holds moderators' labels that were read already; they don't change what this
    project's texts are. Raises TrainingError if a file can't be used, a part is empty or a category
    has but one class.
    """
    ledger = Ledger.read(files.splits)
    frames = [checked(found, report) for found in _read_labelled(files).values()]
    if feedback:
        ours = {key for path in ROWS.glob("*.tsv") for key in data.read_gold(path).frame.key}
        said = checked(feedback, report)
        frames.append(said[~said.key.isin(ours)])
    if not files.gold:
        frames.insert(0, examination(ledger))
    labelled = _join(frames, ledger)
    labelled["part"] = assign(labelled, recipe, ledger)
    _tell_of_near(labelled, report)
    labelled = pd.concat([labelled, _own(labelled, recipe)], ignore_index=True)
    _check_parts(labelled, str((*files.gold, "labels")[0]), report, calibrated=bool(files.gold))
    others = [checked(found, report) for found in _read_others(files).values()]
    extra = _extra(others, labelled)
    parts = [labelled, *(frame.assign(part=FIT) for frame in others)]
    version = data.digest(pd.concat(parts, ignore_index=True))
    dataset = Dataset(labelled, extra, version)
    check_apart(dataset)
    if files.splits:
        ledger.write(files.splits)
    counts = ", ".join(f"{n} {part}" for part, n in labelled.part.value_counts().items())
    report(f"data {version[:12]}: labelled: {counts}; other texts: {len(extra)}")
    return dataset


def count(files: Files, recipe: Recipe) -> tuple[dict[str, Loaded], pd.DataFrame, pd.DataFrame]:
    """Every file as it was read, the labelled rows with parts, and the other ones that would be
    learnt from; the ledger isn't written.

    Raises TrainingError if a file can't be used.
    """
    loaded, others = _read_labelled(files), _read_others(files)
    ledger = Ledger.read(files.splits)
    labelled = _join([found.frame for found in loaded.values()], ledger)
    labelled["part"] = assign(labelled, recipe, ledger)
    extra = _extra([found.frame for found in others.values()], labelled)
    return loaded | others, labelled, extra


def _read_labelled(files: Files) -> dict[str, Loaded]:
    """Labelled files by name, and the bot's database."""
    loaded = {str(path): data.read_gold(path) for path in files.gold}
    return loaded | ({"labels": read_labels(files.labels)} if files.labels else {})


def _read_others(files: Files) -> dict[str, Loaded]:
    loaded = {str(path): data.read_corpus(path) for path in files.corpus}
    return loaded | {str(path): data.read_pool(path) for path in files.pool}


def _join(frames: list[pd.DataFrame], ledger: Ledger) -> pd.DataFrame:
    """Rows of all files, duplicates merged, near ones grouped; one that is near to several groups
    joins the most held-out."""
    labelled = data.merge(pd.concat(frames, ignore_index=True)) if len(frames) > 1 else frames[0]
    known = labelled[labelled.grouped]
    ranks = [-PARTS.index(part) if part else 1 for part in known_parts(known, ledger)]
    known = known.assign(rank=ranks).sort_values(["rank", "group", "key"])
    labelled["group"] = group(labelled, known)
    return labelled


def _tell_of_near(labelled: pd.DataFrame, report: Report) -> None:
    """Say how many rows that were learnt from before are near to rows that are held out now."""
    fitted = labelled[labelled.part == FIT]
    n = int(fitted.group.isin(labelled.group[labelled.part != FIT]).sum())
    if n:
        report(f"{n} rows of the fit part are near to held-out ones; the ledger keeps them there")


def examination(ledger: Ledger) -> pd.DataFrame:
    """The project's texts that are kept to judge models by where there are no gold rows; `ledger`
    holds a quarter of their groups for validation, and the others for the test."""
    frame = data.read_gold(ROWS / "more.tsv").frame
    chosen = [data.fraction(group) for group in frame.group]
    parts = [VALIDATION if number < 0.25 else TEST for number in chosen]
    ledger.add(frame.key, parts)
    # Marked, so that they don't count among the shares of the rows that come unmarked.
    return frame.assign(split=["test" if part == TEST else "train" for part in parts])


def _own(labelled: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    """The texts written for this project that are in no file; they are only ever learnt from."""
    names = [*["own"] * recipe.own_rows, *["more"] * recipe.more_rows]
    if not names:
        return labelled.iloc[:0]
    frames = [data.read_gold(ROWS / f"{name}.tsv").frame for name in names]
    own = pd.concat(frames, ignore_index=True)
    held_out = labelled[labelled.part != FIT]
    own = own[~own.key.isin(labelled.key) & ~near(own, held_out)]
    return own.assign(part=FIT, group="own:" + own.group)


def _check_parts(labelled: pd.DataFrame, name: str, report: Report, *, calibrated: bool) -> None:
    """Raises TrainingError if a part is empty; says which category a part has no example of."""
    for part in (FIT, CALIBRATION, VALIDATION):
        rows = labelled[labelled.part == part]
        if part == CALIBRATION and not calibrated:
            continue
        if rows.empty:
            msg = f"{name}: too few rows: none falls into the {part} part"
            raise TrainingError(msg)
        lacking = [c for c in TOXIC if not (rows[c] == 1).any()]
        if part == VALIDATION and len(lacking) == len(TOXIC):
            msg = f"{name}: no toxic row in the validation part: nothing to choose by"
            raise TrainingError(msg)
        if part != FIT and lacking:
            report(f"no row of {', '.join(lacking)} in the {part} part: not judged there")
    check_classes(labelled[labelled.part == FIT])


def _extra(others: list[pd.DataFrame], labelled: pd.DataFrame) -> pd.DataFrame:
    """The other texts, each once, without those near to a row that is held out."""
    if not others:
        return labelled.iloc[:0]
    held_out = labelled[labelled.part != FIT]
    extra = pd.concat(others, ignore_index=True)
    extra = extra[~extra.key.duplicated() & ~extra.key.isin(labelled.key)]
    extra = extra.assign(group=group(extra, held_out))
    extra = without(extra, held_out)
    # Groups of two files can be compared only if both have them.
    return extra[~near(extra, held_out[~held_out.grouped])].reset_index(drop=True)


def check_apart(dataset: Dataset) -> None:
    """Assert that no row which is learnt from is a test row, nor shares a text with one.

    Of the labelled rows the ledger may keep one where it stood before a near-duplicate came.
    """
    learnt, test = dataset.part(FIT), dataset.part(TEST)
    for frame in (learnt, dataset.extra):
        assert not (frame.split == "test").any(), "a test row would be trained on"
        assert not frame.key.isin(test.key).any(), "the text of a test row would be trained on"
    doubles = dataset.extra.group.isin(test.group)
    assert not doubles.any(), "a test row's double would be trained on"


def soften_extra(dataset: Dataset, teacher: Baseline, recipe: Recipe) -> Examples:
    """The other texts with soft labels where their source leaves a category open."""
    extra = dataset.extra
    if extra.empty:
        return Examples([], np.empty((0, len(CATEGORIES)), np.float32), np.empty(0, np.float32))
    soft = soften(targets(extra), teacher.predict(list(extra.text)), extra.trust.to_numpy())
    weights = weigh(extra, recipe).weight.to_numpy(np.float32) * np.float32(recipe.replay_weight)
    return Examples(list(extra.text), soft, weights)


def complete(frame: pd.DataFrame) -> Examples:
    """Labelled rows, each of the weight that its file gives it."""
    return Examples(list(frame.text), targets(frame), frame.weight.to_numpy(np.float32))


def weigh(frame: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    """Rows with the recipe's weights of their sources in their own."""
    weights = source_weights(recipe)
    factors = frame.source.map(lambda name: weights.get(family(name), 1.0))
    return frame.assign(weight=frame.weight * factors)


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


def checked(loaded: Loaded, report: Report) -> pd.DataFrame:
    """The usable rows; says which ones are left out, and why."""
    for rejected in loaded.rejected[:20]:
        report(f"row left out: {rejected}")
    if loaded.rejected:
        report(f"rows left out: {len(loaded.rejected)} in {loaded.rejected[0].path}")
    return loaded.frame
