"""The texts that teach most: the worst errors, and what a candidate mends and breaks."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from moderation.categories import Category
from trainer.criteria_labels import FEEDBACK
from trainer.findings import CANDIDATE, Evaluation
from trainer.wording import category, decimal

_EACH = 5  # texts of a kind


@dataclass(frozen=True, slots=True)
class Example:
    """A text with the candidate's score, and the incumbent's where both are told."""

    text: str
    source: str
    score: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of one category; each list has the largest errors first."""

    title: str
    false_alarms: tuple[Example, ...]
    misses: tuple[Example, ...]
    mended: tuple[Example, ...]
    broken: tuple[Example, ...]

    @property
    def n(self) -> int:
        """How many texts are shown."""
        return sum(map(len, (self.false_alarms, self.misses, self.mended, self.broken)))


def errors(evaluation: Evaluation, scores: pd.DataFrame, incumbent: str) -> Iterator[Errors]:
    """The most instructive texts of each category that the candidate knows; none that moderators
    labelled, for a report is passed on, and its texts can't be forgotten."""
    scores = scores[~scores.source.str.startswith(FEEDBACK)]
    for kind in Category:
        column = f"{CANDIDATE}/{kind}"
        if column not in scores.columns:
            continue
        rows = scores[(scores[kind] >= 0) & scores[column].notna()]
        threshold = evaluation.threshold(kind)
        truth, new = rows[kind] == 1, rows[column]
        right = (new >= threshold) == truth
        error = (new - truth).abs()
        lists = [
            _examples(rows[~right & ~truth], error, column),
            _examples(rows[~right & truth], error, column),
        ]
        other = f"{incumbent}/{kind}"
        if other in rows.columns:
            old = rows[other]
            was_right, moved = (old >= threshold) == truth, (new - old).abs()
            both = old.notna()
            lists += [
                _examples(rows[both & right & ~was_right], moved, column, other),
                _examples(rows[both & ~right & was_right], moved, column, other),
            ]
        else:
            lists += [(), ()]
        yield Errors(category(kind), *lists)


def _examples(
    rows: pd.DataFrame, weight: "pd.Series[float]", column: str, other: str | None = None
) -> tuple[Example, ...]:
    """The weightiest rows, one of each group: near-copies teach nothing new."""
    # An empty frame would take over the index of the whole column.
    ranked = rows.assign(weight=weight[rows.index])
    ranked = ranked.sort_values("weight", ascending=False, kind="stable")
    if "group" in ranked.columns:
        ranked = ranked.drop_duplicates("group")
    return tuple(
        Example(
            text=str(row["text"]),
            source=str(row["source"]),
            score=decimal(row[column]),
            before=decimal(row[other]) if other else "",
        )
        for _, row in ranked.head(_EACH).iterrows()
    )
