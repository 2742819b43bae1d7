"""Decisions in the report: right and wrong ones, and what other thresholds would give."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moderation.categories import Category
from trainer.calibrate import wilson
from trainer.findings import CANDIDATE, Evaluation
from trainer.report_tables import Cell, Row, Table, below
from trainer.wording import category, decimal, percent, whole

_THRESHOLDS = tuple(i / 10 for i in range(1, 10))


def thresholds(evaluation: Evaluation, scores: pd.DataFrame) -> Iterator[Table]:
    """What other thresholds of the candidate would give, with intervals after Wilson."""
    head = ("находит", "верно", "срабатываний на 1000")
    for kind in Category:
        column = f"{CANDIDATE}/{kind}"
        if column not in scores.columns:
            continue
        known = scores[(scores[kind] >= 0) & scores[column].notna()]
        truth, given = known[kind].to_numpy() == 1, known[column].to_numpy(dtype=float)
        shipped = evaluation.threshold(kind)
        rows = []
        for threshold in sorted({*_THRESHOLDS, shipped}):
            said = given >= threshold
            hits = int((said & truth).sum())
            cells = (
                _share(hits, int(truth.sum())),
                _share(hits, int(said.sum())),
                _share(int(said.sum()), len(said), 1000),
            )
            rows.append(Row(decimal(threshold), cells))
        yield Table(category(kind), head, rows, marked=decimal(shipped))


def confusion(evaluation: Evaluation, scores: pd.DataFrame, incumbent: str) -> Table:
    """Right and wrong decisions at the thresholds, the incumbent's below the candidate's."""
    rows = []
    for kind in Category:
        new, old = (_decisions(evaluation, scores, kind, n) for n in (CANDIDATE, incumbent))
        if new is None:
            continue
        before = [whole(n) for n in old] if old else [""] * 4
        cells = [Cell(whole(n), note) for n, note in zip(new, before, strict=True)]
        rows.append(Row(category(kind), cells))
    head = ("найдено верно", "ложно", "пропущено", "оставлено верно")
    return Table("Решения при рабочих порогах", head, rows, below(incumbent))


def _decisions(
    evaluation: Evaluation, scores: pd.DataFrame, kind: Category, name: str
) -> tuple[int, int, int, int] | None:
    column = f"{name}/{kind}"
    if column not in scores.columns:
        return None
    known = scores[(scores[kind] >= 0) & scores[column].notna()]
    truth: NDArray[np.bool_] = known[kind].to_numpy() == 1
    said = known[column].to_numpy(dtype=float) >= evaluation.threshold(kind)
    parts = (said & truth, said & ~truth, ~said & truth, ~said & ~truth)
    hits, false, missed, left = (int(part.sum()) for part in parts)
    return hits, false, missed, left


def _share(hits: int, n: int, times: int = 100) -> Cell:
    if not n:
        return Cell("—")
    found, total = np.array([hits]), np.array([n])
    low, rest = float(wilson(found, total)[0]), float(wilson(total - found, total)[0])
    note = f"{decimal(times * low, 0)}–{decimal(times * (1 - rest), 0)}"
    shown = percent(hits / n) if times == 100 else decimal(times * hits / n, 0)
    return Cell(shown, note)
