"""From moderators' labels to a published model: learnt from the base, judged, never half-done."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from moderation import registry
from moderation.classifier import ModelError
from trainer import (
    candidate,
    compare,
    config,
    evaluation,
    feedback,
    findings,
    hub_card,
    material,
    outcome,
    report,
    run,
    score_table,
    scorers,
    votes,
)
from trainer.config import Recipe, TrainingError
from trainer.dataset import Files
from trainer.evaluation import Rows
from trainer.findings import BASE, CANDIDATE, CHAMPION
from trainer.material import Material
from trainer.progress import Report
from trainer.scorers import Scorer
from trainer.split import FIT, TEST
from trainer.steps import FILE, Steps
from trainer.votes import Settled

LEDGER = "splits.tsv"
_STEPS = {"data": 4, "evaluate": 16}  # reports of the phases that say nothing of their length


@dataclass(frozen=True, slots=True)
class Retraining:
    """What a retraining is given; `files` has neither labels nor ledger."""

    labels: str
    models: Path
    directory: Path
    files: Files
    base: str
    recipe: Recipe
    least: int = 200
    resume: bool = False
    promote: bool = False
    by: str = "trainer"
    command: str = ""

    @property
    def work(self) -> Path:
        """What is kept until the run is finished."""
        return self.directory / "work"

    @property
    def model(self) -> Path:
        """The candidate until it is published."""
        return self.work / "model"


class TooFewError(TrainingError):
    """Labels are missing."""

    def __init__(self, number: int, needed: int) -> None:
        super().__init__(f"too few labels: {number} more are needed to make {needed} new ones")
        self.number = number


def retrain(given: Retraining, say: Report) -> dict[str, Any]:
    """Make, judge and publish a model; returns the content of result.json.

    Raises TooFewError if labels are missing, and TrainingError for what can't be used. What was
    done stays, and the same run goes on with `resume`.
    """
    if found := _finished(given):
        return found
    champion = _champion(given.models)
    settled, new = _labels(given, champion)
    _open(given)
    steps = Steps(given.directory / FILE)
    steps.begin("data")
    base = scorers.load(BASE, given.base)
    origin = candidate.origin(
        given.base,
        base,
        registry.card(champion).version if _has_card(champion) else None,
        given.recipe,
        has_gold=bool(given.files.gold),
        command=given.command,
    )
    tell = _counted(say, steps, "data")
    ledger = given.models / LEDGER
    made = material.gather(given.files, ledger, given.recipe, settled, new, base, tell)
    run.check_same_data(given.work / "data_digest", made.data.digest)
    if not _has_card(given.model):
        steps.begin("train")
        candidate.learn(origin, made.data, given.model, given.work, steps, say)
        steps.begin("calibrate")
        candidate.finish(origin, made, given.model, say)
    steps.begin("evaluate")
    _judge(given, base, made, _counted(say, steps, "evaluate"))
    steps.begin("compare")
    judged = given.directory / "evaluation"
    verdict = compare.compare(judged, None, None, None)
    steps.begin("report")
    report.write(judged, given.directory / "report")
    hub_card.write(given.model, hub_card.found(judged, given.model))
    steps.begin("publish")
    _publish(given.model, given.models)
    labels = asdict(made.counts)
    content = outcome.write(given.directory, findings.read(judged), verdict, labels)
    content = _promote(given, content)
    _forget_texts(given)
    steps.update(1.0, must=True)
    return content


def _finished(given: Retraining) -> dict[str, Any] | None:
    """What a run that has ended said; it may still have to be promoted."""
    found = outcome.read(given.directory)
    if (found or given.work.exists()) and not given.resume:
        msg = f"{given.directory}: holds a run; give another directory, or --resume to go on"
        raise TrainingError(msg)
    if found is None:
        return None
    found = _promote(given, found)
    _forget_texts(given)
    return found


def _forget_texts(given: Retraining) -> None:
    """Keep no copy of what people wrote once the run has ended: who asks the bot to be forgotten
    must not live on in a file. The report shows no moderated text either."""
    shutil.rmtree(given.work, ignore_errors=True)
    (given.directory / "evaluation" / score_table.FILE).unlink(missing_ok=True)


def _champion(models: Path) -> Path:
    try:
        return registry.champion(models)
    except ModelError as error:
        raise TrainingError(str(error)) from error


def _labels(given: Retraining, champion: Path) -> tuple[Settled, int]:
    """The settled labels, and how many texts more there are than the champion had."""
    kept = given.work / "votes.jsonl"
    goes_on = given.resume and kept.exists()
    cast = votes.read(kept) if goes_on else feedback.read_votes(given.labels)
    settled = votes.settle(cast, "labels")
    had = registry.card(champion).metrics.get("labels", {}) if _has_card(champion) else {}
    new = max(len(settled.loaded.frame) - int(had.get("total", 0)), 0)
    given.directory.mkdir(parents=True, exist_ok=True)
    if new < given.least and not goes_on:
        outcome.missing(given.directory, given.least - new)
        raise TooFewError(given.least - new, given.least)
    given.work.mkdir(exist_ok=True)
    votes.write(cast, kept)
    return settled, new


def _has_card(directory: Path) -> bool:
    return (directory / "card.json").exists()


def _open(given: Retraining) -> None:
    """Check that a run which goes on has the recipe and base that it was begun with."""
    said = {
        "recipe": config.dump(given.recipe),
        "base": Path(given.base).name,
        "files": [str(path) for path in (*given.files.gold, *given.files.corpus)],
    }
    path = given.work / "run.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != said:
        msg = f"{given.directory}: the run to resume has another recipe, base or rows"
        raise TrainingError(msg)
    path.write_text(json.dumps(said), encoding="utf-8")
    given.model.mkdir(exist_ok=True)
    (given.model / "recipe.toml").write_text(config.dump(given.recipe), encoding="utf-8")


def _counted(say: Report, steps: Steps, phase: str) -> Report:
    """A report whose calls are steps of the phase."""

    def tell(line: str) -> None:
        say(line)
        steps.tick(_STEPS[phase])

    return tell


def _judge(given: Retraining, base: Scorer, made: Material, say: Report) -> None:
    """Judge the candidate beside the base and the champion, unless that was done already."""
    directory = given.directory / "evaluation"
    new = scorers.load(CANDIDATE, str(given.model))
    champion = scorers.load(CHAMPION, str(_champion(given.models)))
    models = [new, base]
    version = _version(champion)
    if version not in (_version(base), _version(new)):
        models.append(champion)
    if (directory / "evaluation.json").exists():
        judged = {m.name: m.version for m in findings.read(directory).models}
        known = {judged.get(CHAMPION, judged[BASE]), _version(new)}
        if judged[CANDIDATE] == _version(new) and version in known:
            return
    test = made.data.part(TEST)
    by_key = made.settled.votes.groupby("key").moderator.agg(frozenset)
    nobody: frozenset[int] = frozenset()
    rows = Rows(
        "labels" if not given.files.gold else given.files.gold[0].name,
        TEST,
        test,
        made.data.part(FIT),
        raters=[by_key.get(key, nobody) for key in test.key],
        labels={
            "new": made.new,
            "needed": given.least,
            "total": made.counts.total,
            "doubted": made.counts.doubted,
        },
        has_gold=bool(given.files.gold),
    )
    settings = evaluation.Settings(seed=given.recipe.seed, command=given.command)
    result, scored = evaluation.evaluate(rows, models, settings, say)
    evaluation.write(result, scored, directory)


def _version(scorer: Scorer) -> str:
    assert scorer.classifier is not None, "a model, no baseline"
    return scorer.classifier.version


def _publish(model: Path, models: Path) -> None:
    """Put the model into the registry; one that a killed run put there already is as good."""
    try:
        version = registry.card(model).version
        there = models / version
        if there.is_dir() and registry.verify(there).files == registry.card(model).files:
            return
        for half in models.glob(".publishing-*"):  # of a run that was killed meanwhile
            shutil.rmtree(half, ignore_errors=True)
        registry.publish(model, models)
    except ModelError as error:
        raise TrainingError(str(error)) from error


def _promote(given: Retraining, content: dict[str, Any]) -> dict[str, Any]:
    """Put the published model into service where that was asked for and the gate lets it pass."""
    if not (given.promote and content["promote"]) or content["promoted"]:
        return content
    try:
        current = registry.promotion(given.models)
        if current is None or current.version != content["version"]:
            registry.promote(given.models, content["version"], given.by)
    except ModelError as error:
        raise TrainingError(str(error)) from error
    return outcome.promoted(given.directory, content)
