"""Commands that learn from what the bot's moderators say."""

from pathlib import Path
from typing import Annotated

import typer

from trainer import background, config, options
from trainer.options import Corpus, Pool


def retrain(
    labels: Annotated[str, typer.Option(help="The bot's database: a file or a URL.")],
    models: Annotated[Path, typer.Option(help="Directory of the published versions.")],
    directory: Annotated[
        Path, typer.Option("--run", help="Directory of this run: progress, report, result.json.")
    ],
    gold: Annotated[
        list[Path] | None,
        typer.Option(help="Rows with complete labels; without, the base's knowledge is replayed."),
    ] = None,
    corpus: Corpus = None,
    pool: Pool = None,
    base: Annotated[
        str | None, typer.Option(help="Directory or hub id of a model to start from.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="A shipped recipe or a .toml file.")] = "retrain",
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="name=value: change the recipe.")
    ] = None,
    min_labels: Annotated[
        int, typer.Option(min=1, help="Labelled texts new since the model in service, at least.")
    ] = 200,
    resume: Annotated[bool, typer.Option(help="Go on with a run that was cut off.")] = False,
    promote: Annotated[
        bool, typer.Option(help="Put the model into service if the gate lets it pass.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who promotes, for the record.")] = "trainer",
    idle: Annotated[
        bool, typer.Option(help="Take only processor time that no other program wants.")
    ] = False,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, envvar="RETRAIN_THREADS", help="Threads; by default all but one core's."
        ),
    ] = None,
) -> None:
    """Learn from the moderators' labels and publish the model: exit status 0 if the gate says to
    promote it, 3 if to keep the model in service, 4 if labels are missing."""
    made = config.load(recipe, changes or ())
    background.start(threads, idle=idle)
    from moderation import registry
    from trainer import outcome
    from trainer import retrain as retraining

    options.hush()
    given = retraining.Retraining(
        labels=labels,
        models=models,
        directory=directory,
        files=options.files(gold or [], corpus, pool, None, None),
        base=base or str(registry.EMBEDDED),
        recipe=made,
        least=min_labels,
        resume=resume,
        promote=promote,
        by=by,
        command=options.command(),
    )
    try:
        found = retraining.retrain(given, typer.echo)
    except retraining.TooFewError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(outcome.TOO_FEW) from error
    typer.echo("\n".join(found["summary_en"]))
    typer.echo(f"{models / found['version']}: {'promote' if found['promote'] else 'keep'}")
    if status := outcome.status(found):
        raise typer.Exit(status)


def suspects(
    labels: Annotated[str, typer.Option(help="The bot's database: a file or a URL.")],
    models: Annotated[
        Path | None,
        typer.Option(help="Directory of the published versions: the champion's base judges."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Labels to list, the likeliest first.")] = 50,
    target: Annotated[
        Path | None, typer.Option("--json", help="File for the result, for programs.")
    ] = None,
) -> None:
    """List labels of moderators that are likely wrong, and how far each moderator deviates."""
    from trainer import feedback, scorers, votes
    from trainer import suspects as doubts

    options.hush()
    settled = votes.settle(feedback.read_votes(labels), "labels")
    found = doubts.find(settled, scorers.load("base", doubts.base(models)))
    typer.echo(doubts.table(found, limit))
    if target:
        doubts.write(found, limit, target)
