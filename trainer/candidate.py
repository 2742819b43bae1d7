"""The candidate of a retraining: learnt from the base, calibrated, with its card."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from transformers import set_seed

from trainer import calibrate, card, dataset, ngrams, replay, run
from trainer.baseline import Baseline
from trainer.config import Recipe, TrainingError
from trainer.data import Examples, targets
from trainer.dataset import Dataset
from trainer.material import ANCHORS, Material, is_taught
from trainer.models import load_base
from trainer.progress import Report
from trainer.scorers import Scorer
from trainer.split import CALIBRATION, FIT, TEST, VALIDATION
from trainer.steps import Steps, Watched
from trainer.train import fine_tune

Limits = dict[str, dict[str, float | None]]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a candidate is made from: the base by directory and name, and what it would replace."""

    directory: Path
    name: str
    scorer: Scorer
    parent: str | None
    recipe: Recipe
    has_gold: bool  # else the base's own scores stand for its rows
    command: str


def learn(
    origin: Origin, found: Dataset, model: Path, work: Path, steps: Steps, say: Report
) -> None:
    """Fit the n-gram branch, and the network from the base's on, into the directory `model`; goes
    on with what a run that was cut off left in `work`."""
    recipe, fit = origin.recipe, found.part(FIT)
    set_seed(recipe.seed)
    network, tokenizer = load_base(str(origin.directory), say)
    examples = dataset.complete(dataset.weigh(fit, recipe))
    if origin.has_gold:
        soft = dataset.soften_extra(found, Baseline(fit, recipe.seed), recipe)
        soft = dataset.sample(soft, int(recipe.replay * len(fit)), recipe.seed)
        branch = ngrams.fit(fit, recipe.seed)
        examples = dataset.join(examples, soft)
    else:
        knows = replay.recall(origin.directory, network, tokenizer, examples.texts, recipe)
        is_base = ~is_taught(fit).to_numpy()
        if knows.ngrams is None:
            branch = ngrams.fit(fit, recipe.seed)
        else:
            branch = ngrams.correct(origin.directory, replay.keep(examples, knows.ngrams, is_base))
        examples = replay.keep(examples, knows.network, is_base)
    branch.save(model)
    if (work / "fitted").exists():
        return
    validation = dataset.complete(found.part(VALIDATION))
    set_seed(recipe.seed)
    network = fine_tune(
        network, tokenizer, examples, validation, recipe, work, say, [Watched(steps)]
    )
    run.save(network, tokenizer, model)
    (work / "fitted").touch()


def finish(origin: Origin, made: Material, model: Path, say: Report) -> None:
    """Calibrate, measure, and write the card, with which the candidate is whole."""
    found, recipe = made.data, origin.recipe
    if origin.has_gold:
        limits, metrics = run.measure(
            model, recipe, found, Baseline(found.part(FIT), recipe.seed), say
        )
        texts = run.learnt(found, recipe)
    else:
        limits = _calibrate(origin, found, model)
        metrics = run.figures(model, found, VALIDATION) | run.figures(model, found, TEST)
        texts = found.part(FIT)
    labels = asdict(made.counts) | {"total": made.counts.total}
    card.write(
        model,
        base=origin.name,
        parent=origin.parent,
        recipe=asdict(recipe),
        data_digest=found.digest,
        texts=texts,
        thresholds=limits,
        metrics={"command": origin.command, "labels": labels, **metrics},
    )


def _calibrate(origin: Origin, found: Dataset, model: Path) -> Limits:
    """Calibrate without gold rows: near to the base, which was calibrated on more rows than there
    are labels, and with its thresholds. A base that never was, by what rows there are."""
    part = found.part(CALIBRATION)
    if not calibrate.is_whole(origin.directory):
        rows = pd.concat([part, found.part(VALIDATION)], ignore_index=True)
        scores = calibrate.calibrate(model, list(rows.text), targets(rows))
        return calibrate.thresholds(scores, targets(rows), origin.recipe.targets)
    own = found.part(FIT)
    own = own[~is_taught(own)]
    own = own.sample(n=min(ANCHORS, len(own)), random_state=origin.recipe.seed)
    texts = list(own.text)
    anchors = Examples(texts, origin.scorer.predict(texts), np.ones(len(own), np.float32))
    calibrate.adjust(model, origin.directory, dataset.join(anchors, dataset.complete(part)))
    known: Mapping[str, Any] = origin.scorer.card.get("thresholds") or {}
    return dict(known)


def origin(
    base: str, scorer: Scorer, parent: str | None, recipe: Recipe, *, has_gold: bool, command: str
) -> Origin:
    """What a candidate is made from; TrainingError if a directory of the base can't be had."""
    if scorer.directory is None:
        msg = f"{base}: not a directory or a model of the hub"
        raise TrainingError(msg)
    name = str(scorer.card.get("version") or (Path(base).name if Path(base).is_dir() else base))
    return Origin(scorer.directory, name, scorer, parent, recipe, has_gold, command)
