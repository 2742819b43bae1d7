"""The verdict on a candidate: promote or keep, with every criterion and its reason."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from trainer.config import TrainingError
from trainer.wording import RU


class Outcome(StrEnum):
    """What became of a criterion; the first two leave the way open."""

    PASSED = "passed"
    NOT_APPLICABLE = "not applicable"
    FAILED = "failed"
    INSUFFICIENT = "insufficient"  # too little evidence, which keeps the incumbent

    @property
    def blocks(self) -> bool:
        """Whether it keeps the incumbent."""
        return self in (Outcome.FAILED, Outcome.INSUFFICIENT)


@dataclass(frozen=True, slots=True)
class Criterion:
    """A question to the figures, its number and limit, and the answer in plain words."""

    name: str
    outcome: Outcome
    number: float | None
    limit: float | None
    ru: str
    en: str

    def text(self, language: str = RU) -> str:
        """The answer in a language."""
        return self.ru if language == RU else self.en


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to put the candidate into the incumbent's place."""

    promote: bool
    candidate: str | None
    incumbent: str
    incumbent_version: str | None
    data: str
    data_digest: str
    criteria: tuple[Criterion, ...]

    @property
    def reasons(self) -> tuple[Criterion, ...]:
        """What keeps the incumbent; empty for a promotion."""
        return tuple(c for c in self.criteria if c.outcome.blocks)


_MARKS = {
    Outcome.PASSED: "✓",
    Outcome.NOT_APPLICABLE: "·",
    Outcome.FAILED: "✗",
    Outcome.INSUFFICIENT: "?",
}
_HEADS = {
    True: {"ru": "Новая модель лучше: можно ставить.", "en": "The new model is better: promote."},
    False: {"ru": "Оставить прежнюю модель.", "en": "Keep the incumbent."},
}


def head(verdict: Verdict, language: str = RU) -> str:
    """The verdict in a sentence."""
    return _HEADS[verdict.promote][language]


def text(verdict: Verdict, language: str = RU) -> str:
    """The verdict and all criteria, a line each, and the rows that both were judged on."""
    rows = "Обе модели проверены на одних строках" if language == RU else "Both judged on"
    lines = [head(verdict, language), ""]
    lines += [f"{_MARKS[c.outcome]} {c.text(language)}" for c in verdict.criteria]
    return "\n".join([*lines, "", f"{rows}: {verdict.data}, {verdict.data_digest[:12]}"])


def write(verdict: Verdict, path: Path) -> None:
    """Write the verdict as JSON; raises TrainingError if that can't be done."""
    content = {**asdict(verdict), "reasons": [c.name for c in verdict.reasons]}
    try:
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise TrainingError(msg) from error
