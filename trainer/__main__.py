"""Command line of the trainer."""

from pathlib import Path
from typing import Annotated

import typer

from trainer import config, disk, feedback_commands, options
from trainer.config import TrainingError
from trainer.options import Against, Corpus, Evaluated, Gold, Labels, NewLabels, Pool, Splits

app = typer.Typer(
    help="Train models that score Russian messages for toxicity, and score files with them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command()(feedback_commands.retrain)
app.command()(feedback_commands.suspects)


@app.command()
def data(
    gold: Gold,
    corpus: Corpus = None,
    pool: Pool = None,
    labels: Labels = None,
    splits: Splits = None,
    recipe: Annotated[str, typer.Option(help="Whose shares the parts have.")] = "default",
    out: Annotated[
        Path | None, typer.Option(help="Directory for statistics.json and labels.png.")
    ] = None,
) -> None:
    """Count rows and labels, bad rows and duplicates, by part and source."""
    made = config.load(recipe)
    from trainer import dataset, statistics

    files = options.files(gold, corpus, pool, labels, splits)
    found = statistics.describe(*dataset.count(files, made))
    typer.echo(statistics.table(found))
    if out:
        statistics.write(found, out)
        typer.echo(f"\n{out}: statistics.json, labels.png")


@app.command()
def train(
    gold: Gold,
    output: Annotated[Path, typer.Option(help="New directory for the model.")],
    corpus: Corpus = None,
    pool: Pool = None,
    labels: Labels = None,
    splits: Splits = None,
    recipe: Annotated[str, typer.Option(help="A shipped recipe or a .toml file.")] = "default",
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="name=value: change the recipe.")
    ] = None,
    base: Annotated[
        str, typer.Option(help="Directory or hub id of a model to start from.")
    ] = "from scratch",
    resume: Annotated[bool, typer.Option(help="Go on with a run that was cut off.")] = False,
) -> None:
    """Train, calibrate and evaluate a model."""
    made = config.load(recipe, changes or ())
    # Loading PyTorch takes seconds, which `--help` and a misspelt name shouldn't cost.
    from trainer import run, summary

    options.hush()
    files = options.files(
        gold, corpus, pool, labels, splits or output.resolve().parent / "splits.tsv"
    )
    given = run.Run(files, made, output, base=base, resume=resume, command=options.command())
    card = run.train(given, typer.echo)
    typer.echo(f"\n{summary.tables(card.metrics)}\n{output}: version {card.version}")


@app.command()
def calibrate(
    model: Annotated[Path, typer.Option(help="Directory of a finished model; changed in place.")],
    gold: Gold,
    corpus: Corpus = None,
    pool: Pool = None,
    labels: Labels = None,
    splits: Splits = None,
) -> None:
    """Fit a model's n-grams, calibration, thresholds and card anew, as after a new normaliser."""
    from trainer import run, summary

    options.hush()
    made = config.load(str(model / "recipe.toml"), ())
    beside = model.resolve().parent / "splits.tsv"
    files = options.files(
        gold, corpus, pool, labels, splits or (beside if beside.exists() else None)
    )
    given = run.Run(files, made, model, command=options.command())
    card = run.recalibrate(given, typer.echo)
    typer.echo(f"\n{summary.tables(card.metrics)}\n{model}: version {card.version}")


@app.command()
def evaluate(
    model: Annotated[str, typer.Option(help="Directory or hub id of the candidate.")],
    base: Annotated[str, typer.Option(help="Directory or hub id of what it began with.")],
    data: Annotated[Path, typer.Option(help="Rows with labels; its test rows are judged.")],
    out: Annotated[Path, typer.Option(help="Directory for evaluation.json and scores.tsv.gz.")],
    champion: Annotated[str | None, typer.Option(help="The model in service.")] = None,
    part: Annotated[str, typer.Option(help="test, validation, calibration or all.")] = "test",
    splits: Splits = None,
    train: Annotated[
        Path | None, typer.Option(help="Rows that the baselines learn from; else the file's own.")
    ] = None,
    lexicon: Annotated[Path | None, typer.Option(help="Obscene words, one a line.")] = None,
    preset: Annotated[str, typer.Option(help="The preset whose thresholds decide.")] = "standard",
    resamples: Annotated[int, typer.Option(min=1, help="Of the groups, for intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the resamples and the n-grams.")] = 1,
    suites: Annotated[bool, typer.Option(help="Try each model on the suites, too.")] = True,
) -> None:
    """Judge a model beside its base, the champion and simple baselines, with intervals."""
    from trainer import evaluation, evaluation_table, findings, scorers, selection

    options.hush()
    ledger = splits or selection.ledger(model)
    rows = selection.select(data, part, train, ledger, selection.recipe(model), typer.echo)
    named = {"model": model, "base": base} | ({"champion": champion} if champion else {})
    models = [scorers.load(name, given) for name, given in named.items()]
    settings = evaluation.Settings(preset, resamples, seed, suites, lexicon, options.command())
    result, scored = evaluation.evaluate(rows, models, settings, typer.echo)
    evaluation.write(result, scored, out)
    typer.echo(
        f"\n{evaluation_table.table(findings.read(out))}\n\n{out}: evaluation.json, scores.tsv.gz"
    )


@app.command()
def predict(
    model: Annotated[Path, typer.Option(help="Directory of a model.")],
    source: Annotated[Path, typer.Option("--input", help="Rows with a column of texts.")],
    target: Annotated[Path, typer.Option("--output", help="File for one JSON line a text.")],
) -> None:
    """Score every text of a file."""
    from trainer.predict import predict as write

    options.hush()
    typer.echo(f"{target}: {write(model, source, target, typer.echo)} texts")


@app.command()
def seed(
    data: Annotated[
        Path, typer.Option(help="Rows of text_res, mark1, mark2, mark3 (.tsv or .tsv.gz).")
    ],
    base: Annotated[str, typer.Option(help="Directory or hub id of a model to start from.")],
    out: Annotated[Path, typer.Option(help="New directory for the model, tables and plots.")],
    epochs: Annotated[
        int, typer.Option(min=1, help="Passes over the rows; the last is kept.")
    ] = 15,
    learning_rate: Annotated[float, typer.Option(min=0.0, help="Falls linearly to 0.")] = 1e-5,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts in a step.")] = 3,
    seed: Annotated[int, typer.Option(help="Of samples, splits, shuffles and training.")] = 3208,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Take a sample of so many rows, for a short try.")
    ] = None,
    max_length: Annotated[
        int, typer.Option(min=8, help="Tokens of a text, at most; the base may allow fewer.")
    ] = 512,
    pad_to_longest: Annotated[
        bool, typer.Option(help="Pad every text to the longest of all; slow, and changes nothing.")
    ] = True,
    text: Annotated[str, typer.Option(help="The text of the bar chart.")] = "Что за долб@ебы",
) -> None:
    """Repeat the original recipe, its tables and plots; the honest figures stand beside them."""
    from trainer.seed import Settings, read

    settings = Settings(epochs, learning_rate, batch_size, seed, max_length, pad_to_longest)
    frame = read(data, rows, seed)
    # Loading PyTorch takes seconds, which a missing file shouldn't cost.
    from trainer import seed_run

    options.hush()
    given = seed_run.Run(frame, base, out, settings, text)
    typer.echo(f"\n{seed_run.run(given, typer.echo)}")
    typer.echo(f"\n{out}: model/, tables.txt, test.tsv and the plots")


@app.command()
def suites(
    model: Annotated[Path, typer.Option(help="Directory of a model.")],
    preset: Annotated[str, typer.Option(help="The preset whose thresholds decide.")] = "standard",
    failures: Annotated[bool, typer.Option(help="List the cases that fail.")] = False,
    target: Annotated[
        Path | None, typer.Option("--json", help="File for the result, for programs.")
    ] = None,
) -> None:
    """Judge a model by texts of our own: functions, identities, disguises, regressions."""
    from trainer import suites as cases

    options.hush()
    result = cases.run(*cases.judges(model, preset))
    typer.echo(cases.report(result))
    if failures:
        typer.echo("\n".join(["", "failures:", *map(cases.describe, result.failures)]))
    if target:
        cases.write(result, target)


@app.command()
def compare(
    evaluation: Evaluated,
    against: Against = None,
    new_labels: NewLabels = None,
    out: Annotated[
        Path | None, typer.Option(help="File for the verdict; verdict.json beside the evaluation.")
    ] = None,
    language: Annotated[str, typer.Option(help="ru or en.")] = "ru",
) -> None:
    """Decide whether a model may replace another: exit status 0 to promote, 3 to keep."""
    from trainer import compare as gate
    from trainer import verdict

    if language not in ("ru", "en"):
        msg = f"--language {language}: must be ru or en"
        raise TrainingError(msg)
    found = gate.compare(evaluation, against, new_labels, out)
    typer.echo(verdict.text(found, language))
    if not found.promote:
        raise typer.Exit(3)


@app.command()
def report(
    evaluation: Evaluated,
    out: Annotated[
        Path | None, typer.Option(help="Directory for the report; the evaluation's by default.")
    ] = None,
    against: Against = None,
    new_labels: NewLabels = None,
    card: Annotated[
        Path | None, typer.Option(help="Directory of the model, for its README.md.")
    ] = None,
) -> None:
    """Write the evaluation as one page, charts for a phone, and the model's README.md."""
    from trainer import hub_card
    from trainer import report as page

    written = [page.write(evaluation, out or evaluation, against, new_labels)]
    if card:
        written.append(hub_card.write(card, hub_card.found(evaluation, card)))
    typer.echo("\n".join(map(str, written)))


def main() -> None:
    """Run a command; what can't be done is said in one line, with exit status 1."""
    try:
        app()
    except TrainingError as error:
        typer.echo(f"error: {' '.join(str(error).split())}", err=True)
        raise SystemExit(1) from error
    except Exception as error:
        if not disk.is_full(error):
            raise
        typer.echo("error: no space left on the disk; `train --resume` goes on", err=True)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
