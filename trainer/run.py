"""One training run, from files of texts to a directory that can be served."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from transformers import PreTrainedModel, PreTrainedTokenizerFast, set_seed

from moderation import registry
from moderation.registry import ModelCard
from trainer import card, config, dataset, hub_card, ngrams
from trainer.baseline import Baseline
from trainer.calibrate import calibrate, served_scores, thresholds
from trainer.config import Recipe, TrainingError
from trainer.data import Examples, targets
from trainer.dataset import Dataset, Files
from trainer.models import load_base, load_pretrained
from trainer.pretrain import pretrain
from trainer.progress import Report
from trainer.split import CALIBRATION, FIT, TEST, VALIDATION
from trainer.summary import evaluate
from trainer.train import fine_tune

SCRATCH = "from scratch"


@dataclass(frozen=True, slots=True)
class Run:
    """What a training run is given."""

    files: Files
    recipe: Recipe
    output: Path
    base: str = SCRATCH
    resume: bool = False
    command: str = ""


def train(run: Run, report: Report) -> ModelCard:
    """Train, calibrate and evaluate a model into `run.output`, its card last.

    Raises TrainingError if something given can't be used.
    """
    work = _open(run)
    data = dataset.load(run.files, run.recipe, report)
    check_same_data(work / "data_digest", data.digest)
    baseline = Baseline(data.part(FIT), run.recipe.seed)
    report("teacher: character n-grams fitted")
    soft = dataset.soften_extra(data, baseline, run.recipe)
    model, tokenizer = _start(run, data, soft, work, report)
    _fine_tune(run, data, soft, (model, tokenizer), work, report)
    return _finish(run, data, baseline, work, report)


def _open(run: Run) -> Path:
    """The work directory of the run; TrainingError if the output holds something else."""
    work, recipe = run.output / "work", run.output / "recipe.toml"
    written = config.dump(run.recipe)
    if run.output.exists() and not run.output.is_dir():
        msg = f"{run.output}: not a directory"
        raise TrainingError(msg)
    if (run.output / "card.json").exists() and run.resume:
        msg = f"{run.output}: this run is finished, there is nothing to resume"
        raise TrainingError(msg)
    if run.output.is_dir() and any(run.output.iterdir()) and not run.resume:
        msg = f"{run.output}: not empty; give another directory, or --resume to go on"
        raise TrainingError(msg)
    if recipe.exists() and recipe.read_text(encoding="utf-8") != written:
        msg = f"{recipe}: the run to resume has another recipe"
        raise TrainingError(msg)
    work.mkdir(parents=True, exist_ok=True)
    recipe.write_text(written, encoding="utf-8")
    return work


def check_same_data(path: Path, digest: str) -> None:
    """Note the digest of a run's data; TrainingError if it was begun with other data."""
    if path.exists() and path.read_text(encoding="utf-8") != digest:
        raise TrainingError("the run to resume was begun with other data")
    path.write_text(digest, encoding="utf-8")


def _start(
    run: Run, data: Dataset, soft: Examples, work: Path, report: Report
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    if run.base != SCRATCH:
        return load_base(run.base, report)
    if not (work / "pretrained" / "tokenizer.json").exists():
        examples = dataset.join(dataset.complete(data.part(FIT)), soft)
        pretrain(examples, run.recipe, work, report)
    return load_pretrained(work / "pretrained", run.recipe)


def _fine_tune(
    run: Run,
    data: Dataset,
    soft: Examples,
    start: tuple[PreTrainedModel, PreTrainedTokenizerFast],
    work: Path,
    report: Report,
) -> None:
    """Fine-tune and write the model's files, weights in half precision."""
    set_seed(run.recipe.seed)
    hard = dataset.complete(dataset.weigh(data.part(FIT), run.recipe))
    replayed = dataset.sample(soft, int(run.recipe.replay * len(hard.texts)), run.recipe.seed)
    examples, validation = dataset.join(hard, replayed), dataset.complete(data.part(VALIDATION))
    model, tokenizer = start
    model = fine_tune(model, tokenizer, examples, validation, run.recipe, work, report)
    save(model, tokenizer, run.output)


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, directory: Path) -> None:
    """Write a network's files, its weights in half precision."""
    # `half` has no annotations.
    model.cpu().half().save_pretrained(directory)  # type: ignore[no-untyped-call]
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(directory)


def _finish(run: Run, data: Dataset, baseline: Baseline, work: Path, report: Report) -> ModelCard:
    """Measure, clear up and write the card."""
    limits, metrics = measure(run.output, run.recipe, data, baseline, report)
    shutil.rmtree(work)
    written = card.write(
        run.output,
        # Of a directory its name: a path of one machine means nothing on another.
        base=Path(run.base).name if Path(run.base).is_dir() else run.base,
        recipe=asdict(run.recipe),
        data_digest=data.digest,
        texts=learnt(data, run.recipe),
        thresholds=limits,
        metrics={"command": run.command, **metrics},
    )
    hub_card.write(run.output)
    return written


def recalibrate(run: Run, report: Report) -> ModelCard:
    """Fit the n-gram branch, calibration, thresholds and card of the model in `run.output` anew:
    what its texts' views need after the normaliser changed. The network stays as it is.

    Raises TrainingError if something given can't be used.
    """
    before = registry.card(run.output)
    data = dataset.load(run.files, run.recipe, report)
    baseline = Baseline(data.part(FIT), run.recipe.seed)
    (run.output / "card.json").unlink()  # unfinished until it is written again
    (run.output / "recipe.toml").write_text(config.dump(run.recipe), encoding="utf-8")
    limits, metrics = measure(run.output, run.recipe, data, baseline, report)
    metrics["command"] = before.metrics.get("command", "")
    written = card.write(
        run.output,
        base=before.base,
        recipe=asdict(run.recipe),
        data_digest=data.digest,
        texts=learnt(data, run.recipe),
        thresholds=limits,
        metrics={**metrics, "recalibrated": run.command},
    )
    hub_card.write(run.output)
    return written


def learnt(data: Dataset, recipe: Recipe) -> pd.DataFrame:
    """Every row that the model has learnt from, for the sources in its card."""
    gold = data.gold[data.gold.part != TEST] if recipe.refit else data.part(FIT)
    return pd.concat([gold, data.extra])


def measure(
    directory: Path, recipe: Recipe, data: Dataset, baseline: Baseline, report: Report
) -> tuple[dict[str, dict[str, float | None]], dict[str, Any]]:
    """Add the n-gram branch and calibrate; thresholds of the calibration part, figures of
    validation and test.

    With `refit` the branch is fitted anew at the end, on every labelled row but the test ones, so
    the test figures alone are of the directory as it will be served.
    """
    report("fitting the n-gram branch")
    ngrams.fit(data.part(FIT), recipe.seed).save(directory)
    report("calibrating")
    part = data.part(CALIBRATION)
    scores = calibrate(directory, list(part.text), targets(part))
    limits = thresholds(scores, targets(part), recipe.targets)
    report("evaluating")
    metrics = figures(directory, data, VALIDATION, baseline)
    if recipe.refit:
        report("fitting the n-gram branch on all but the test rows")
        everything = data.gold[data.gold.part != TEST]
        ngrams.fit(everything, recipe.seed).save(directory)
        baseline = Baseline(everything, recipe.seed)
    return limits, metrics | figures(directory, data, TEST, baseline)


def figures(
    directory: Path, data: Dataset, name: str, baseline: Baseline | None = None
) -> dict[str, Any]:
    """The figures of a model and of the baseline on a part, if it has rows."""
    part = data.part(name)
    if part.empty:
        return {}
    texts, labels = list(part.text), targets(part)
    found = {name: evaluate(served_scores(directory, texts), labels)}
    if baseline:
        found[f"{name}_baseline"] = evaluate(baseline.predict(texts), labels)
    return found
