"""What came of the rounds: tables, and labels drawn against average precision."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from learning_loop import Arm, Setup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from moderation.categories import TOXIC, Category
from moderation.ngrams import NGrams
from moderation.policy import PRESETS
from moderation.text import normalize
from trainer import bootstrap, data, scorers
from trainer.bootstrap import Samples
from trainer.data import CATEGORIES, Matrix
from trainer.intervals import difference, interval, mean

RESAMPLES = 1000
# Colours of the Okabe and Ito palette, and a marker each: told apart without colour, too.
STYLES = {
    Arm.RANDOM: ("#6e6e6e", "s", "any message, at random"),
    Arm.FLAGGED: ("#0072b2", "^", "any flagged message, at random"),
    Arm.QUEUE: ("#d55e00", "o", "as the review queue serves"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One round of an arm, over its seeds: what was labelled, and the figures on the resamples."""

    arm: Arm
    round: int
    yes: float  # labelled texts of the category
    seen: Samples  # means over the seeds
    each: Sequence[float]  # AP by seed
    promoted: int


def points(setup: Setup, arms: Sequence[Arm], seeds: int) -> list[Point]:
    """The figures of every round; all models on the same resamples of the examination's groups."""
    weights = bootstrap.resample(setup.rows.exam.group.to_numpy(str), RESAMPLES, 1)
    labels = data.targets(setup.rows.exam)
    found = []
    for arm in arms:
        for number in range(1, setup.rounds + 1):
            places = [setup.out / f"{arm}-{seed}" for seed in range(1, seeds + 1)]
            said = [json.loads((p / f"round-{number}.json").read_text()) for p in places]
            scores = [np.load(p / f"exam-{number}.npy") for p in places]
            each = [_figures(one, labels, weights, setup.category) for one in scores]
            for place, one, record in zip(places, each, said, strict=True):
                one |= _branch(setup, place / "models" / record["version"], weights)
            found.append(
                Point(
                    arm,
                    number,
                    float(np.mean([s["labels"]["by_category"][setup.category] for s in said])),
                    {name: np.mean([one[name] for one in each], axis=0) for name in each[0]},
                    [float(one["ap"][0]) for one in each],
                    sum(s["promote"] for s in said),
                )
            )
    return found


def _figures(scores: Matrix, labels: Matrix, weights: NDArray[Any], category: Category) -> Samples:
    """AP of the category, precision and recall where the standard preset acts, and the mean AP of
    the other toxic categories."""
    rules = PRESETS["standard"].rules
    measured: dict[Category, Samples] = {
        c: bootstrap.measure(p := scores[:, i], p >= rules[c].threshold, labels[:, i], weights)
        for i, c in enumerate(TOXIC)
    }
    others = mean([measured[c]["ap"] for c in TOXIC if c is not category])
    own = measured[category]
    return {name: own[name] for name in ("ap", "precision", "recall")} | {"others": others}


def _branch(setup: Setup, model: Path, weights: NDArray[Any]) -> Samples:
    """The AP of the category by a model's n-grams alone."""
    ngrams, column = NGrams.load(model), CATEGORIES.index(setup.category)
    assert ngrams is not None, "our models have them"
    found = [ngrams.logits(normalize(text))[column] for text in setup.rows.exam.text]
    scores = np.array(found, float)
    yes = setup.rows.exam[setup.category].to_numpy()
    return {"ngrams": bootstrap.measure(scores, scores >= 0, yes, weights)["ap"]}


def before(setup: Setup) -> Samples:
    """The base's figures on the same resamples."""
    scores = scorers.load("base", str(setup.base)).predict(list(setup.rows.exam.text))
    weights = bootstrap.resample(setup.rows.exam.group.to_numpy(str), RESAMPLES, 1)
    found = _figures(scores, data.targets(setup.rows.exam), weights, setup.category)
    return found | _branch(setup, setup.base, weights)


def tables(setup: Setup, found: Sequence[Point], base: Samples) -> None:
    """curve.csv and differences.csv; the first is printed, too."""
    names = ("ap", "ngrams", "others", "precision", "recall")
    lines: list[dict[str, Any]] = [{"arm": "base", "labels": 0, "yes": 0} | _cells(base, names)]
    for one in found:
        said = {"arm": one.arm.value, "labels": one.round * setup.labels, "yes": round(one.yes, 1)}
        seeds = " ".join(f"{ap:.3f}" for ap in one.each)
        lines.append(said | _cells(one.seen, names) | {"seeds": seeds, "promoted": one.promoted})
    _write(setup.out / "curve.csv", lines)
    at = {(one.arm, one.round): one.seen for one in found}
    pairs = [
        {"arm": arm.value, "labels": number * setup.labels, "figure": name}
        | difference(seen[name], at[Arm.RANDOM, number][name])
        for (arm, number), seen in at.items()
        for name in ("ap", "ngrams", "others")
        if arm is not Arm.RANDOM and (Arm.RANDOM, number) in at
    ]
    _write(setup.out / "differences.csv", pairs)
    print((setup.out / "curve.csv").read_text())


def _cells(seen: Samples, names: Sequence[str]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for name in names:
        ends = interval(seen[name])
        cells |= {name: ends["value"], f"{name}_low": ends["low"], f"{name}_high": ends["high"]}
    return cells


def _write(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    columns = list(dict.fromkeys(name for line in lines for name in line))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(lines)


def draw(setup: Setup, found: Sequence[Point], base: Samples) -> None:
    """Labels against AP: the category, and below it the others, for what is forgotten."""
    figure = Figure(figsize=(8, 7.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.4))
    for axes, name in ((upper, "ap"), (lower, "others")):
        axes.axhline(base[name][0], color="black", linestyle="--", linewidth=1)
        for arm in STYLES:
            if own := [one for one in found if one.arm is arm]:
                _curve(axes, own, name, base, setup.labels)
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=12)
    upper.set_title(
        f"AP of «{setup.category}», of which the base (dashed) has seen no example\n"
        "dotted: by the n-grams of each model alone",
        fontsize=13,
    )
    upper.set_ylim(0, 1)
    upper.legend(loc="upper left", fontsize=12)
    lower.set_title("mean AP of the four other categories (dashed: the base)", fontsize=13)
    lower.set_xlabel("labels by moderators", fontsize=13)
    figure.savefig(setup.out / "learning_curve.png", dpi=120)


def _curve(axes: Axes, own: Sequence[Point], name: str, base: Samples, labels: int) -> None:
    colour, marker, title = STYLES[own[0].arm]
    x = [0, *(one.round * labels for one in own)]
    seen = [base, *(one.seen for one in own)]
    value, low, high = zip(*(interval(one[name]).values() for one in seen), strict=True)
    axes.plot(x, value, color=colour, marker=marker, label=title)
    axes.fill_between(x, low, high, color=colour, alpha=0.15)
    if name == "ap":
        axes.plot(x, [one["ngrams"][0] for one in seen], color=colour, linestyle=":")
