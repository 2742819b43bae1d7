"""Label statistics of a data set, as tables, JSON and a bar chart."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from moderation.categories import TITLES, TOXIC, Category
from trainer.config import TrainingError
from trainer.data import CATEGORIES, Loaded
from trainer.sources import family

_COMBINATIONS = 10
_REASONS = 5


def describe(
    loaded: dict[str, Loaded], labelled: pd.DataFrame, others: pd.DataFrame
) -> dict[str, Any]:
    """What the files hold: `loaded` by file name as read, `labelled` with parts and groups,
    `others` the rows of corpus and pool that may be learnt from."""
    words = np.array([len(text.split()) for text in labelled.text])
    return {
        "files": {_short(name, loaded): _file(found) for name, found in loaded.items()},
        "rows": len(labelled),
        "groups": int(labelled.group.nunique()),
        "in_groups_of_several": int(labelled.group.duplicated(keep=False).sum()),
        "words": {f"p{q}": int(np.percentile(words, q)) for q in (50, 90, 99, 100)},
        "labels": _labels(labelled),
        "parts": {str(p): _labels(rows) for p, rows in labelled.groupby("part")},
        "sources": {str(s): _labels(rows) for s, rows in _by_source(labelled)},
        "others": _labels(others),
        "other_sources": {str(s): _labels(rows) for s, rows in _by_source(others)},
        "combinations": _combinations(labelled),
    }


def table(statistics: dict[str, Any]) -> str:
    """The statistics as lines of text."""
    lines = [
        f"{name}: {found['read']} rows read, {found['rejected']} left out, {found['merged']} "
        f"duplicates merged, {found['contradictions']} texts with contradictory labels"
        for name, found in statistics["files"].items()
    ]
    for name, found in statistics["files"].items():
        lines += [f"  {name}: {n} x {reason}" for reason, n in found["reasons"].items()]
    words = ", ".join(f"{name} {n}" for name, n in statistics["words"].items())
    lines += [
        f"labelled: {statistics['rows']} texts in {statistics['groups']} groups, "
        f"{statistics['in_groups_of_several']} of them with near-duplicates; words: {words}",
        "",
        f"{'yes/no, the rest unknown':34}{'rows':>8}" + "".join(f"{c.value:>23}" for c in Category),
        _line("all", statistics["labels"]),
        *(_line(f"part {name}", found) for name, found in statistics["parts"].items()),
        *(_line(name, found) for name, found in statistics["sources"].items()),
        *_other_lines(statistics),
        "",
        "most frequent combinations:",
        *(f"{n:>8}  {labels}" for labels, n in statistics["combinations"].items()),
    ]
    return "\n".join(lines)


def write(statistics: dict[str, Any], directory: Path) -> None:
    """statistics.json and labels.png; TrainingError if they can't be written."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "statistics.json"
        path.write_text(json.dumps(statistics, ensure_ascii=False, indent=1) + "\n", "utf-8")
        chart(statistics["labels"]).savefig(directory / "labels.png", dpi=150)
    except OSError as error:
        msg = f"{directory}: {error.strerror}"
        raise TrainingError(msg) from error


def chart(labels: dict[str, Any]) -> Figure:
    """Bars of how many texts have each label, with their share of those where it is known."""
    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    rows = [labels[c.value] for c in reversed(CATEGORIES)]
    counts = [row["positive"] for row in rows]
    colours = ["#4477aa" if c in TOXIC else "#888888" for c in reversed(CATEGORIES)]
    bars = axes.barh([TITLES[c]["ru"] for c in reversed(CATEGORIES)], counts, color=colours)
    shown = [
        f"{_spaced(row['positive'])} · {row['share']:.1%}".replace(".", ",")
        if row["share"] is not None
        else "нет данных"
        for row in rows
    ]
    axes.bar_label(bars, shown, padding=4)
    axes.set_xlim(0, max([*counts, 1]) * 1.25)
    axes.set_xlabel("Текстов с меткой и доля среди текстов, где она известна")
    axes.xaxis.set_major_formatter(lambda value, _: _spaced(round(value)))
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("Метки")
    return figure


def _short(name: str, names: Iterable[str]) -> str:
    """A file's name, with its folder if another has the same: no path of one machine is kept."""
    path = Path(name)
    same = [other for other in names if Path(other).name == path.name]
    return path.name if len(same) == 1 else f"{path.parent.name}/{path.name}"


def _other_lines(statistics: dict[str, Any]) -> list[str]:
    if not statistics["others"]["rows"]:
        return []
    return [
        _line("corpus and pool, to be learnt", statistics["others"]),
        *(_line(name, found) for name, found in statistics["other_sources"].items()),
    ]


def _file(found: Loaded) -> dict[str, Any]:
    reasons = Counter(rejected.reason for rejected in found.rejected)
    return {
        "read": found.read + len(found.rejected),
        "rejected": len(found.rejected),
        "reasons": dict(reasons.most_common(_REASONS)),
        "merged": found.read - len(found.frame),
        "contradictions": found.contradictions,
    }


def _labels(rows: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {"rows": len(rows)}
    for category in Category:
        labels = rows[category]
        positive, negative = int((labels == 1).sum()), int((labels == 0).sum())
        known = positive + negative
        found[category.value] = {
            "positive": positive,
            "negative": negative,
            "unknown": len(rows) - known,
            "share": round(positive / known, 4) if known else None,
        }
    return found


def _by_source(labelled: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    groups = labelled.groupby(labelled.source.map(family))
    return sorted(((str(name), rows) for name, rows in groups), key=lambda pair: -len(pair[1]))


def _combinations(labelled: pd.DataFrame) -> dict[str, int]:
    known = labelled[(labelled[[*CATEGORIES]] >= 0).all(axis=1)]
    positive = known[[*CATEGORIES]].to_numpy() > 0.5
    names = [" + ".join(c.value for c, is_it in zip(CATEGORIES, row, strict=True) if is_it)
             for row in positive]  # fmt: skip
    return dict(Counter(names).most_common(_COMBINATIONS))


def _line(name: str, found: dict[str, Any]) -> str:
    cells = (_counts(found[category.value]) for category in Category)
    return f"{name:34}{found['rows']:>8}" + "".join(cells)


def _counts(found: dict[str, Any]) -> str:
    """Positive and negative rows; the others are unknown."""
    share = "" if found["share"] is None else f"{found['share']:.1%}"
    return f"{found['positive']:>8}/{found['negative']:<7}{share:>7}"


def _spaced(n: int) -> str:
    return f"{n:,}".replace(",", "\N{NO-BREAK SPACE}")
