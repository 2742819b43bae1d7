"""What came of a retraining, for the process that asked for it: result.json."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from moderation.categories import TOXIC, Category
from trainer import wording
from trainer.findings import BASE, CHAMPION, MACRO, Evaluation, Figure, Model
from trainer.split import TEST
from trainer.verdict import Verdict
from trainer.votes import Settled

FILE = "result.json"
ANY = "any"
PROMOTED, KEPT, TOO_FEW = 0, 3, 4  # exit statuses


@dataclass(frozen=True, slots=True)
class Counts:
    """The labels of a retraining: texts learnt from or chosen by, texts kept for the test, and
    those of either that only moderators who deviate speak for."""

    used: int
    held_out: int
    by_category: dict[str, int]
    moderators: int
    doubted: int

    @property
    def total(self) -> int:
        """All labelled texts."""
        return self.used + self.held_out


def count(settled: Settled, gold: pd.DataFrame, doubted: int) -> Counts:
    """The counts of the settled labels; `gold` holds all labelled rows with their part."""
    frame = settled.loaded.frame
    held_out = int(frame.key.isin(gold.key[gold.part == TEST]).sum())
    yes = {c.value: int((frame[c] == 1).sum()) for c in Category}
    return Counts(len(frame) - held_out, held_out, yes, settled.votes.moderator.nunique(), doubted)


def missing(directory: Path, number: int) -> None:
    """Say that so many labels are missing."""
    _write(directory, {"missing": number})


def write(
    directory: Path, evaluation: Evaluation, verdict: Verdict, labels: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of result.json, written; nothing is promoted yet."""
    incumbent = evaluation.incumbent()
    base = evaluation.model(BASE)
    report = directory / "report"
    content = {
        "version": verdict.candidate,
        "promote": verdict.promote,
        "promoted": False,
        "champion": incumbent.version if incumbent else None,
        "base": base.version if base else None,
        "labels": dict(labels),
        "images": sorted(f"report/{path.name}" for path in report.glob("*.png")),
        "report": "report/report.html",
        "summary_ru": wording.headline(evaluation, verdict.incumbent),
        "summary_en": wording.headline(evaluation, verdict.incumbent, wording.EN),
        "reasons_ru": [c.ru for c in verdict.reasons],
        "reasons_en": [c.en for c in verdict.reasons],
        "table": [_row(evaluation, name) for name in (MACRO, *map(str, TOXIC), ANY)],
    }
    _write(directory, content)
    return content


def promoted(directory: Path, content: dict[str, Any]) -> dict[str, Any]:
    """The same with the candidate in service."""
    content = content | {"promoted": True}
    _write(directory, content)
    return content


def read(directory: Path) -> dict[str, Any] | None:
    """What a finished run said; None of one that isn't finished or had too few labels."""
    path = directory / FILE
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if "version" in found else None


def status(content: Mapping[str, Any]) -> int:
    """The exit status of a finished run."""
    return PROMOTED if content["promote"] else KEPT


def _row(evaluation: Evaluation, name: str) -> dict[str, Any]:
    """The figures of a category, of the mean or of «any of the five»; without a champion of its
    own the base is in service."""
    models = {
        BASE: evaluation.model(BASE),
        CHAMPION: evaluation.incumbent(),
        "candidate": evaluation.candidate,
    }
    return {"category": name} | {key: _figures(model, name) for key, model in models.items()}


def _figures(model: Model | None, name: str) -> dict[str, float | None]:
    """AP, precision and recall, each with its interval as `<figure>_low` and `<figure>_high`."""
    found = None if model is None else model.any_toxic if name == ANY else model.of(name)
    shown: dict[str, float | None] = {}
    for key in ("ap", "precision", "recall"):
        figure: Figure = getattr(found, key, Figure())
        shown |= {key: figure.value, f"{key}_low": figure.low, f"{key}_high": figure.high}
    return shown


def _write(directory: Path, content: Mapping[str, Any]) -> None:
    staging = directory / f".{FILE}.{os.getpid()}"
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    staging.write_text(text, encoding="utf-8")
    staging.replace(directory / FILE)
