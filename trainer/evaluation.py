"""An evaluation: models and baselines on the same rows, with paired intervals, written to files."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moderation.categories import TOXIC, Category
from moderation.policy import PRESETS, Policy
from trainer import bootstrap, data, raters, score_table, scorers, suites, views
from trainer.bootstrap import Samples
from trainer.comparisons import CANDIDATE, compare
from trainer.config import TrainingError
from trainer.data import Matrix
from trainer.figures import ANY, MACRO, Judged, Limits, acts, is_toxic, sample
from trainer.findings import CHAMPION
from trainer.intervals import interval
from trainer.progress import Report
from trainer.scorers import Scorer
from trainer.slices import slices
from trainer.views import Flagged

SCHEMA = 1
_SHOWN = ("roc_auc", "ap", "precision", "recall", "f1", "alarms", "brier", "ece")
_ANY = ("roc_auc", "ap", "precision", "recall", "false_alarms")
_NO_RULE = 0.5  # the threshold of what a preset has no rule for


@dataclass(frozen=True, slots=True)
class Settings:
    """How the rows are judged."""

    preset: str = "standard"
    resamples: int = 1000
    seed: int = 1
    suites: bool = True
    lexicon: Path | None = None  # obscene words; else roots decide
    command: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """What is judged, what baselines learn from, and what there is to say about it; `raters`: the
    moderators behind each judged row, `labels`: how many are new and how many it takes,
    `has_gold`: whether the other rows are like those that the models will meet."""

    name: str
    part: str
    judged: pd.DataFrame
    train: pd.DataFrame
    notes: tuple[str, ...] = ()
    raters: Sequence[frozenset[int]] | None = None
    labels: Mapping[str, int] | None = None
    has_gold: bool = True


def evaluate(
    rows: Rows, models: Sequence[Scorer], settings: Settings, report: Report
) -> tuple[dict[str, Any], pd.DataFrame]:
    """evaluation.json as a dictionary, and the scores of every row.

    The first of `models` is the candidate. Raises TrainingError if there is no such preset.
    """
    policy = _policy(settings.preset)
    rules = {c: rule.threshold for c, rule in policy.rules.items()}
    limits = {c: rules.get(c, _NO_RULE) for c in Category}
    baselines, missing = _baselines(rows, settings, report)
    compared = [*models, *baselines]
    labels = data.targets(rows.judged)
    scores = {}
    for scorer in compared:
        report(f"scoring {len(rows.judged)} texts: {scorer.name}")
        scores[scorer.name] = scorer.predict(list(rows.judged.text))
    report(f"{settings.resamples} resamples of the groups")
    weights = bootstrap.resample(rows.judged.group.to_numpy(str), settings.resamples, settings.seed)
    toxic = is_toxic(labels)
    judged = {name: Judged(p, acts(p, rules)) for name, p in scores.items()}
    sampled = {name: sample(j, labels, toxic, limits, weights) for name, j in judged.items()}
    incumbents = _incumbents(models, scores)
    report("timing")
    times = scorers.time_each(models, list(rows.judged.text))
    result = {
        "schema": SCHEMA,
        "created": datetime.now(UTC).replace(microsecond=0).isoformat(),
        "command": settings.command,
        "seed": settings.seed,
        "resamples": settings.resamples,
        "preset": settings.preset,
        "thresholds": {c.value: limit for c, limit in limits.items()},
        "data": _data(rows, labels),
        "notes": [*rows.notes, *missing, *_lacking(scores, labels)],
        "models": [
            _described(s, sampled[s.name], scores[s.name], labels, limits)
            | {
                "speed": times.get(s.name),
                "suites": _suites(s, _rows(rows, toxic, judged[s.name]), policy, settings, report),
            }
            for s in compared
        ],
        "comparisons": [
            compare(name, sampled, scores, labels, limits) for name in scores if name != CANDIDATE
        ],
        "slices": slices(rows.judged, toxic, judged),
        "raters": raters.without_two(rows.raters, incumbents, labels, weights),
        "gain": None
        if rows.has_gold
        else raters.on_labels(rows.raters, incumbents, labels, limits, weights),
        "labels": rows.labels,
    }
    return result, _scored(rows.judged, scores)


def _incumbents(models: Sequence[Scorer], scores: Mapping[str, Matrix]) -> list[Matrix]:
    """The scores of the candidate and of what it would replace: the champion, else the base."""
    names = [model.name for model in models]
    replaced = CHAMPION if CHAMPION in names else next(iter(names[1:]), None)
    return [scores[name] for name in (names[0], replaced) if name]


def write(result: dict[str, Any], scored: pd.DataFrame, directory: Path) -> None:
    """evaluation.json and scores.tsv.gz, the first one last; TrainingError if that can't be."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        score_table.write(scored, directory)
        staging = directory / f".evaluation.json.{os.getpid()}"
        staging.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")
        staging.replace(directory / "evaluation.json")
    except OSError as error:
        msg = f"{directory}: {error.strerror}"
        raise TrainingError(msg) from error


def _policy(preset: str) -> Policy:
    if preset not in PRESETS:
        msg = f"{preset}: no such preset; known are {', '.join(PRESETS)}"
        raise TrainingError(msg)
    return PRESETS[preset]


def _baselines(
    rows: Rows, settings: Settings, report: Report
) -> tuple[list[Scorer], tuple[str, ...]]:
    """The baselines that can be had, and why the others can't."""
    lexicon = scorers.lexicon(settings.lexicon)
    if rows.train.empty:
        return [lexicon], ("no training rows: without the baselines majority and n-grams",)
    found = [scorers.majority(rows.train), lexicon]
    report(f"fitting n-grams on {len(rows.train)} training rows")
    try:
        return [*found, scorers.ngrams(rows.train, settings.seed)], ()
    except TrainingError as error:  # too few rows to learn from are no fault of the models
        return found, (f"without the baseline n-grams: {error}",)


def _lacking(scores: Mapping[str, Matrix], labels: Matrix) -> Iterator[str]:
    """What explains the gaps among the figures."""
    for i, category in enumerate(Category):
        if not ((labels[:, i] == 1).any() and (labels[:, i] == 0).any()):
            yield f"{category}: no texts both with and without it, so no figures, nor in the mean"
    for name, found in scores.items():
        if lacks := [c.value for i, c in enumerate(TOXIC) if np.isnan(found[:, i]).all()]:
            rest = len(TOXIC) - len(lacks)
            means = f"differences of means are over the other {rest}" if rest > 1 else "no means"
            yield f"{name} doesn't know {', '.join(lacks)}: {means}"


def _data(rows: Rows, labels: Matrix) -> dict[str, Any]:
    positives = {c.value: int((labels[:, i] == 1).sum()) for i, c in enumerate(Category)}
    return {
        "name": rows.name,
        "digest": data.digest(rows.judged),
        "part": rows.part,
        "rows": len(rows.judged),
        "groups": int(rows.judged.group.nunique()),
        "positives": positives,
    }


def _described(
    scorer: Scorer,
    sampled: Mapping[str, Samples],
    scores: Matrix,
    labels: Matrix,
    limits: Limits,
) -> dict[str, Any]:
    toxic = is_toxic(labels)
    listed = scorer.card.get("sources")
    figures = {
        name: {figure: interval(sampled[name][figure]) for figure in _SHOWN}
        for name in (MACRO, *map(str, Category))
    }
    any_of_them: dict[str, Any] = {name: interval(sampled[ANY][name]) for name in _ANY}
    counted = {"support": int((toxic == 1).sum()), "n": int((toxic >= 0).sum())}
    bins = {
        c.value: bootstrap.reliability(scores[:, i], labels[:, i]) for i, c in enumerate(Category)
    }
    return {
        "name": scorer.name,
        "kind": "model" if scorer.classifier else "baseline",
        "version": scorer.classifier.version if scorer.classifier else None,
        "title": scorer.title,
        "size_bytes": scorer.size_bytes,
        "data_digest": scorer.card.get("data_digest"),
        "sources": {s["name"]: s["texts"] for s in listed} if listed else None,
        "figures": figures | _counted(figures, labels, limits),
        "any_toxic": any_of_them | counted,
        "reliability": bins,
    }


def _counted(
    figures: Mapping[str, dict[str, Any]], labels: Matrix, limits: Limits
) -> dict[str, dict[str, Any]]:
    """The figures with threshold, positives and rows."""
    found = {
        MACRO: {**figures[MACRO], "threshold": None, "support": 0, "n": len(labels)},
    }
    for i, category in enumerate(Category):
        known = labels[:, i][labels[:, i] >= 0]
        counts = {"support": int(known.sum()), "n": len(known)}
        found[category.value] = {**figures[category], "threshold": limits[category], **counts}
    return found


def _rows(rows: Rows, toxic: NDArray[Any], judged: Judged) -> list[Flagged]:
    """The rows whose labels say whether they're toxic, with what a model decides of them."""
    named = {0: "clean", 1: "toxic"}
    return [
        Flagged(named[int(label)], rows.part, text, bool(flagged))
        for text, label, flagged in zip(rows.judged.text, toxic, judged.acts, strict=True)
        if label in named
    ]


def _suites(
    scorer: Scorer, judged: Sequence[Flagged], policy: Policy, settings: Settings, report: Report
) -> dict[str, Any] | None:
    if scorer.classifier is None or not settings.suites:
        return None
    report(f"suites: {scorer.name}")
    result = suites.run(scorer.classifier, policy)
    return {
        "rates": [asdict(rate) for rate in result.rates],
        "gaps": [asdict(gap) for gap in result.gaps],
        "views": [
            asdict(view)
            for view in (*result.views, *views.compare(scorer.classifier, policy, judged))
        ],
        "failed": [[f.case.suite, f.case.function, f.case.text] for f in result.failures],
    }


def _scored(frame: pd.DataFrame, scores: Mapping[str, Matrix]) -> pd.DataFrame:
    """text, source, group, the labels, then a column for each model and category."""
    labels = {c.value: frame[c].astype(int) for c in Category}
    columns: dict[str, Any] = {
        f"{name}/{c.value}": found[:, i].astype(float)
        for name, found in scores.items()
        for i, c in enumerate(Category)
        if not np.isnan(found[:, i]).all()
    }
    return frame[["text", "source", "group"]].assign(**labels, **columns)
