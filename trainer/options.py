"""Options that several commands share, and what every command does before its work."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trainer.dataset import Files

Gold = Annotated[
    list[Path], typer.Option(help="Rows with complete labels: TSV, CSV, JSONL, Parquet, fastText.")
]
Corpus = Annotated[list[Path] | None, typer.Option(help="Rows whose labels are known in part.")]
Pool = Annotated[list[Path] | None, typer.Option(help="Texts without labels.")]
Labels = Annotated[str | None, typer.Option(help="The bot's database: a file or a URL.")]
Splits = Annotated[
    Path | None,
    typer.Option(help="Ledger of parts; by default splits.tsv beside the model's directory."),
]
Evaluated = Annotated[Path, typer.Option(help="Directory of an evaluation.")]
Against = Annotated[
    str | None, typer.Option(help="champion, base or ngrams; the champion if there is one.")
]
NewLabels = Annotated[
    int | None, typer.Option(help="Corrections new to the candidate, if it can't be counted.")
]


def files(
    gold: Sequence[Path],
    corpus: Sequence[Path] | None,
    pool: Sequence[Path] | None,
    labels: str | None,
    splits: Path | None,
) -> "Files":
    from trainer import dataset

    return dataset.Files(tuple(gold), tuple(corpus or ()), tuple(pool or ()), labels, splits)


def hush() -> None:
    """Leave the console to our own progress: transformers draws a bar for each file it reads."""
    from transformers.utils import logging

    # Neither has annotations.
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]


def command() -> str:
    """The command for the card: a path of one machine means nothing on another, its name does."""
    shown = [
        Path(a).name if Path(a).is_absolute() or a.startswith("..") else a for a in sys.argv[1:]
    ]
    return shlex.join(["python", "-m", "trainer", *shown])
