"""The original recipe from its file to its tables and plots."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from transformers import PreTrainedModel, set_seed

from trainer import (
    seed,
    seed_honest,
    seed_model,
    seed_plots,
    seed_tables,
    seed_training,
)
from trainer.config import TrainingError
from trainer.models import Tokenizer
from trainer.progress import Report
from trainer.seed import Labels, Prepared, Settings

BASE, RAW, TUNED = "base", "base, raw text", "fine-tuned"
_RUSSIAN = {BASE: "исходная", TUNED: "дообученная"}
Models = dict[str, Labels]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of the original recipe is given."""

    rows: pd.DataFrame  # as seed.read gives them
    base: str
    out: Path
    settings: Settings
    text: str  # for the bar chart


@dataclass(frozen=True, slots=True)
class _Scorer:
    model: PreTrainedModel
    tokenizer: Tokenizer
    length: int

    def __call__(self, texts: Sequence[str]) -> Labels:
        """Uncalibrated probabilities, shape (n, 5)."""
        found = seed_model.logits(self.model, self.tokenizer, texts, self.length)
        return seed_model.sigmoid(found)


def run(given: Run, report: Report) -> str:
    """Fine-tune and test; returns the tables.

    Leaves model/, test.tsv, tables.txt and the plots in `given.out`. Raises TrainingError for
    what can't be done.
    """
    settings, out = given.settings, given.out
    _check_empty(out)
    prepared = seed.prepare(given.rows, settings.seed, report)
    set_seed(settings.seed)
    model, tokenizer = seed_model.load(given.base, report)
    score = _Scorer(model, tokenizer, seed_model.longest(model, tokenizer, settings.max_length))
    _create(out)
    prepared.test.to_csv(out / "test.tsv", sep="\t")

    report("scoring the test rows with the base")
    test, one = prepared.test, [seed.clean(given.text)]
    models, shown = {BASE: score([*test.text]), RAW: score([*test.raw])}, {BASE: score(one)}
    epochs = seed_training.fine_tune(model, tokenizer, prepared, settings, out / "model", report)
    _save(model, tokenizer, out / "model")
    report("scoring the test rows with the fine-tuned model")
    models[TUNED], shown[TUNED] = score([*test.text]), score(one)

    written = "\n\n".join(_sections(prepared, epochs, models))
    (out / "tables.txt").write_text(written + "\n", encoding="utf-8")
    report("drawing")
    drawn, bars = ({title: of[name] for name, title in _RUSSIAN.items()} for of in (models, shown))
    seed_plots.draw(prepared, drawn, bars, given.text, out)
    return written


def _sections(prepared: Prepared, epochs: pd.DataFrame, models: Models) -> Iterator[str]:
    """Every table under its title: the notebooks', each followed by what is honest."""
    text, truth = seed_tables.text, seed.labels(prepared.test)
    two = {name: models[name] for name in (BASE, TUNED)}
    yield f"Rows and labels after each step\n{text(prepared.steps)}"
    yield f"Epochs, on validation rows of which copies were fitted\n{text(epochs, 4)}"
    for name, scores in two.items():
        table = text(seed_tables.categories(truth, scores))
        yield f"Categories, {name}, as the notebook counted: means over both classes\n{table}"
    table = text(seed_honest.positive_class(truth, two))
    yield f"Honest: precision and recall of the positive class, 95 % intervals\n{table}"
    for name, scores in two.items():
        table = text(seed_tables.outputs(truth, scores))
        yield f"Multi-label, {name}, as the notebook counted: P and R of two outputs\n{table}"
    yield f"Honest: whole rows, 95 % intervals\n{text(seed_honest.whole_rows(truth, two))}"
    for name, scores in two.items():
        table = text(seed_tables.aggregate(truth, scores))
        yield f"Toxic or not, {name}, as the notebook counted: roc_auc of zeros and ones\n{table}"
    twins = seed.twins(prepared)
    share = f"{twins.sum()} of {len(twins)} test rows have a twin that was fitted"
    table = text(seed_honest.areas(truth, models, ~twins))
    yield f"Honest: ROC-AUC, 95 % intervals; {share}\n{table}"
    table = text(seed_honest.average_precisions(truth, models))
    yield f"Honest: average precision, 95 % intervals\n{table}"


def _check_empty(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        msg = f"{out}: not an empty directory; give another one"
        raise TrainingError(msg)


def _create(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{out}: {error.strerror}"
        raise TrainingError(msg) from error


def _save(model: PreTrainedModel, tokenizer: Tokenizer, directory: Path) -> None:
    model.save_pretrained(directory)
    (directory / "model.safetensors").chmod(0o644)  # safetensors gives it to the owner alone
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(directory)
