"""README.md of a model in the Hub's format: what it is for, can and can't do, and learned from."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from huggingface_hub import EvalResult, ModelCardData

from moderation import registry
from moderation.categories import TITLES, Category
from moderation.classifier import ModelError
from moderation.registry import ModelCard
from trainer import findings, views
from trainer.card import README
from trainer.config import TrainingError
from trainer.findings import BASE, CANDIDATE, CHAMPION, MACRO, Evaluation, Figure, Model
from trainer.wording import EN, category, decimal, model, percent, span

_TEMPLATE = Path(__file__).with_name("hub_card.md")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_METRICS = {"ap": "average_precision", "roc_auc": "roc_auc", "f1": "f1"}  # the Hub's names
_FIGURES = ("ap", "roc_auc", "precision", "recall", "f1")
_SLICES = ("clean_chat", "length", "source")
_MEANINGS = {
    Category.OBSCENITY: "Russian obscene words (мат), abbreviated or disguised ones too",
    Category.INSULT: "degrades a person or the opponents as people",
    Category.THREAT: "states, wishes or calls for physical harm, death or another retribution",
    Category.DISCRIMINATION: "hostility or stereotypes because of nation, religion, sex, health...",
    Category.RUDE: "rude, vulgar or contemptuous without being one of the above",
    Category.NON_TOXIC: "none of the five",
}
_WEAKNESSES = (
    "Reads a message alone: irony, banter and reported speech are easily misjudged.",
    "Rudeness is the least certain label, for people too; see its figures.",
    "Disguises that the normaliser doesn't know get past it.",
    "Training texts are mostly comments from the web; everyday chat is quieter.",
)


def write(directory: Path, evaluation: Evaluation | None = None) -> Path:
    """Write README.md of a finished model; returns its path.

    It has no part in the version or in `files` of card.json, so it may be written at any time.
    Raises TrainingError if the model has no card or the file can't be written.
    """
    try:
        card = registry.card(directory)
        path = directory / README
        path.write_text(render(card, evaluation), encoding="utf-8")
    except ModelError as error:
        raise TrainingError(str(error)) from error
    except OSError as error:
        msg = f"{directory / README}: {error.strerror}"
        raise TrainingError(msg) from error
    return path


def found(directory: Path, model_directory: Path) -> Evaluation:
    """The evaluation of a directory; TrainingError if it is of another model."""
    evaluation = findings.read(directory)
    try:
        version = registry.card(model_directory).version
    except ModelError as error:
        raise TrainingError(str(error)) from error
    if evaluation.candidate.version != version:
        judged = evaluation.candidate.version
        msg = f"{directory}: an evaluation of {judged}, and {model_directory} has {version}"
        raise TrainingError(msg)
    return evaluation


def render(card: ModelCard, evaluation: Evaluation | None = None) -> str:
    """The whole file: the front matter for the Hub, then the text."""
    part, figures = _own(card)
    environment = jinja2.Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Markdown
    )
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        card_data=front_matter(card, evaluation).to_yaml(),
        version=card.version,
        licence=card.licence,
        licence_ru=_licence_ru(card),
        labels=[(c.value, TITLES[c][EN], _MEANINGS[c]) for c in Category],
        measured=evaluation is not None,
        data=evaluation.data if evaluation else None,
        preset=evaluation.preset if evaluation else "",
        resamples=evaluation.resamples if evaluation else 0,
        seed=evaluation.seed if evaluation else 0,
        part=part,
        decision="a score of .5",
        figures=list(_measured(evaluation) if evaluation else _plain(figures)),
        comparisons=_comparisons(evaluation) if evaluation else None,
        slices=list(_slices(evaluation)) if evaluation else [],
        thresholds=_thresholds(card),
        weaknesses=[*_WEAKNESSES, *(_failing(evaluation) if evaluation else ())],
        base=card.base,
        parent=card.parent,
        data_digest=card.data_digest,
        seed_trained=card.recipe.get("seed"),
        commands=list(_commands(card, evaluation)),
        recipe=[(name, json.dumps(value)) for name, value in card.recipe.items()],
        sources=card.sources,
    )


def front_matter(card: ModelCard, evaluation: Evaluation | None = None) -> ModelCardData:
    """What the Hub reads. `datasets` is left out: the sources are files of public repositories,
    not data sets of the Hub; they stand in the text with their licences.
    """
    return ModelCardData(
        language="ru",
        license="other",
        license_name="see-sources",
        license_link=f"{README}#sources-and-licences",
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["toxicity", "moderation", "multi-label"],
        base_model=card.base if _HUB_ID.fullmatch(card.base) else None,
        metrics=[*_METRICS.values()],
        model_name=card.version,
        eval_results=list(_results(card, evaluation)) or None,
    )


def _results(card: ModelCard, evaluation: Evaluation | None) -> Iterator[EvalResult]:
    part, plain = _own(card)
    name = evaluation.data.name if evaluation else "gold rows"
    revision = (evaluation.data.digest if evaluation else card.data_digest)[:12]
    for kind in (MACRO, *Category):
        for figure, metric in _METRICS.items():
            if evaluation:
                value = getattr(evaluation.candidate.of(kind), figure).value
            else:
                value = plain.get(kind, {}).get(figure)
            if value is not None:
                yield EvalResult(
                    task_type="text-classification",
                    dataset_type="own",
                    dataset_name=name,
                    dataset_split=evaluation.data.part if evaluation else part,
                    dataset_revision=revision,
                    dataset_config=str(kind),
                    metric_type=metric,
                    metric_name=f"{category(kind, EN)}: {metric}",
                    metric_value=round(value, 4),
                )


def _own(card: ModelCard) -> tuple[str, Mapping[str, Any]]:
    """The part of the card's own figures that says most, and the figures."""
    part = "test" if "test" in card.metrics else "validation"
    return part, card.metrics.get(part, {})


def _plain(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    for kind, row in figures.items():
        values = [decimal(row.get(name), 3, EN) for name in _FIGURES]
        yield [f"`{kind}`", *values, str(row.get("support", ""))]


def _measured(evaluation: Evaluation) -> Iterator[list[str]]:
    for kind in (MACRO, *Category):
        found = evaluation.candidate.of(kind)
        values = [_interval(getattr(found, name)) for name in _FIGURES]
        support = "" if kind == MACRO else str(found.support)
        yield [f"`{kind}`", *values, support]


def _interval(figure: Figure) -> str:
    between = span(figure, 3, EN)
    return f"{decimal(figure.value, 3, EN)} ({between})" if between else "—"


def _comparisons(evaluation: Evaluation) -> dict[str, Any] | None:
    shown = [m for m in evaluation.models if m.name != CANDIDATE]
    if not shown:
        return None
    rows = [
        [f"`{kind}`", *(_interval(m.of(kind).ap) for m in shown)] for kind in (MACRO, *Category)
    ]
    return {"names": [_named(m) for m in shown], "rows": rows}


def _named(shown: Model) -> str:
    said = model(shown.name, EN)
    return f"{said} {shown.version}" if shown.version and shown.name in (BASE, CHAMPION) else said


def _slices(evaluation: Evaluation) -> Iterator[list[str]]:
    for kind in _SLICES:
        for part in evaluation.slices:
            own = part.models.get(CANDIDATE)
            if part.kind != kind or own is None:
                continue
            if own.false_alarms is None and own.ap is None and own.recall is None:
                continue  # too few texts to measure anything
            alarms = percent(own.false_alarms, 1, EN)
            if own.false_alarms_high is not None:
                alarms = f"{alarms} (at most {percent(own.false_alarms_high, 1, EN)})"
            values = [decimal(v, 3, EN) for v in (own.ap, own.precision, own.recall)]
            yield [f"{kind.replace('_', ' ')}: {part.name}", str(part.n), *values, alarms]


def _thresholds(card: ModelCard) -> dict[str, Any]:
    targets = sorted({target for row in card.thresholds.values() for target in row})
    rows = [
        [f"`{kind}`", *(decimal(row.get(target), 2, EN) for target in targets)]
        for kind, row in card.thresholds.items()
    ]
    return {"targets": [f"precision {target}" for target in targets], "rows": rows}


def _failing(evaluation: Evaluation) -> Iterator[str]:
    """The functions of the suites that go wrong most often, and the widest identity gap."""
    tried = evaluation.candidate.suites
    if tried is None:
        return
    worst = sorted((r for r in tried.rates if r.n > r.passed), key=lambda r: r.passed / r.n)
    for rate in worst[:5]:
        yield (
            f"Of our own cases for {rate.function.replace('_', ' ')} ({rate.suite}) "
            f"{rate.passed} of {rate.n} are right."
        )
    if tried.views:
        found = [views.total(tried.views, suite) for suite in ("evasions", "mirror")]
        caught, alarms = (
            [f"{n} of {one.n}" for n in (one.as_written, one.by_views)] for one in found if one.n
        )
        yield (
            f"Without undoing disguises it flags {caught[0]} disguised texts, with it {caught[1]}; "
            f"of harmless texts that look disguised {alarms[0]} and {alarms[1]}."
        )
    widest = max(tried.gaps, key=lambda gap: gap.alarms, default=None)
    if widest and widest.alarms > 0:
        yield (
            f"Where a harmless text names «{widest.term}», false alarms are "
            f"{decimal(100 * widest.alarms, 1, EN)} percentage points above the average."
        )


def _commands(card: ModelCard, evaluation: Evaluation | None) -> Iterator[tuple[str, str]]:
    if command := card.metrics.get("command"):
        yield "Training", command
    if command := card.metrics.get("recalibrated"):
        yield "Calibrated anew", command
    if evaluation:
        yield "Evaluation", evaluation.command


def _licence_ru(card: ModelCard) -> str:
    licences: Sequence[str] = [str(s.get("licence", "")) for s in card.sources]
    bound = any("NC" in said or "education only" in said for said in licences)
    silent = any("none stated" in said for said in licences)
    said = ["Не для коммерческого использования." if bound else ""]
    said += ["У части источников лицензия не указана." if silent else ""]
    return " ".join(filter(None, said))
