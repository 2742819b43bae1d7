"""A base that has never seen one category, and rows for those who teach and judge it.

The base is made as the embedded model is, only smaller and in minutes: pretrained from nothing,
fine-tuned, n-grams beside it, calibrated. No text of the category is among its rows, so all that it
knows of the category is that nothing is of it.
"""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save_file
from transformers import set_seed

from moderation.categories import TOXIC, Category
from moderation.ngrams import FILE
from trainer import calibrate, card, data, dataset, models, ngrams, run
from trainer.config import Recipe
from trainer.data import CATEGORIES, targets
from trainer.pretrain import pretrain
from trainer.progress import Report
from trainer.split import CALIBRATION, FIT, VALIDATION
from trainer.train import fine_tune

EXAM, STREAM = 0.08, 0.6  # the groups up to here judge, and teach; the base learns from the rest
SMALL = replace(
    Recipe(), layers=2, hidden=96, heads=3, intermediate=288, vocabulary=6000,
    pretraining_epochs=5.0, pretraining_learning_rate=2e-3, epochs=3,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled rows by their use; near-duplicates are never in two."""

    exam: pd.DataFrame  # never learnt from
    stream: pd.DataFrame  # what people write in the groups
    base: pd.DataFrame  # without the category


def share(path: Path, category: Category) -> Rows:
    """The training rows of a file, shared out by a hash of their group; its test rows are for
    reports of models that are shipped."""
    frame = data.read_gold(path).frame
    frame = frame[(frame.split == "train") & (frame[[*Category]] >= 0).all(axis=1)]
    place = frame.group.map(data.fraction)
    base = frame[(place >= STREAM) & (frame[category] == 0)]
    exam, stream = frame[place < EXAM], frame[(place >= EXAM) & (place < STREAM)]
    return Rows(*(part.reset_index(drop=True) for part in (exam, stream, base)))


def hold_back(category: Category, directory: Path) -> pd.DataFrame:
    """Take the category out of this project's texts, too, which every retraining learns from;
    those that only judge stay. Returns the ones that are learnt from."""
    directory.mkdir(parents=True, exist_ok=True)
    own = data.read_gold(dataset.ROWS / "own.tsv").frame
    own = own[own[category] == 0]
    columns = ["text", *Category, "group", "source"]
    own.astype(dict.fromkeys(Category, int))[columns].to_csv(
        directory / "own.tsv", sep="\t", index=False, quoting=3
    )
    (directory / "more.tsv").write_bytes((dataset.ROWS / "more.tsv").read_bytes())
    dataset.ROWS = directory
    return own


def make(rows: pd.DataFrame, own: pd.DataFrame, category: Category, out: Path, say: Report) -> None:
    """Write the base into `out`, its card last."""
    work = out / "work"
    work.mkdir(parents=True)
    place = rows.group.map(lambda name: data.fraction(f"base:{name}"))
    parts = pd.cut(place, [-1, 0.1, 0.2, 1], labels=[CALIBRATION, VALIDATION, FIT])
    rows = pd.concat([rows.assign(part=parts.astype(str)), own.assign(part=FIT)], ignore_index=True)
    fitted, chosen, held = (rows[rows.part == part] for part in (FIT, VALIDATION, CALIBRATION))
    set_seed(SMALL.seed)
    pretrain(dataset.complete(fitted), SMALL, work, say)
    network, tokenizer = models.load_pretrained(work / "pretrained", SMALL)
    examples = dataset.complete(fitted), dataset.complete(chosen)
    network = fine_tune(network, tokenizer, *examples, SMALL, work, say)
    run.save(network, tokenizer, out)
    shutil.rmtree(work)
    _save_ngrams(fitted, category, out)
    scores = calibrate.calibrate(out, list(held.text), targets(held))
    _calibrate_like_others(out / "calibration.json", category)
    card.write(
        out,
        base=run.SCRATCH,
        recipe=asdict(SMALL),
        data_digest=data.digest(rows),
        texts=rows,
        thresholds=calibrate.thresholds(scores, targets(held), SMALL.targets),
        metrics={},
    )


def _save_ngrams(fitted: pd.DataFrame, category: Category, out: Path) -> None:
    """The branch. Without a positive no regression can be fitted, so another category's labels
    stand in, and its weights are replaced by none: each text is as little of the category."""
    other = next(c for c in CATEGORIES if c is not category)
    ngrams.fit(fitted.assign(**{category: fitted[other]}), SMALL.seed).save(out)
    tensors, column = load_file(out / FILE), CATEGORIES.index(category)
    tensors["weights"][:, column] = 0
    tensors["intercept"][column] = np.log(0.5 / len(fitted))
    save_file(tensors, out / FILE)


def _calibrate_like_others(path: Path, category: Category) -> None:
    """Blend the category's branches as those of the others are on average: there is nothing to fit
    it on, and without n-grams in it the loop couldn't teach by them."""
    lines = json.loads(path.read_text(encoding="utf-8"))
    others = [line for name, line in lines.items() if name in TOXIC and name != category]
    lines[category.value] = {
        name: float(np.mean([line.get(name, 0.0) for line in others]))
        for name in ("slope", "ngrams", "intercept")
    }
    path.write_text(json.dumps(lines, indent=2) + "\n", encoding="utf-8")
