"""How fast the loop learns what its base can't know, and whether the queue's order helps:
python benchmarks/learning_curve.py --gold gold.tsv.gz --out DIR

A category is held back from a base; people write, moderators label some of it, and a model is
retrained from the base on all labels so far, round after round. Each is judged on rows from which
nothing is learnt. The newest model's scores decide what is asked about next, whatever the gate says
of it: the order of the questions is compared, not the gate.

Writes curve.csv, differences.csv and learning_curve.png; a retraining takes half a minute or more.
A run that was cut off goes on with the first arm that isn't finished.
"""

import argparse
import asyncio
import json
import random
import shutil
import time
from pathlib import Path
from typing import Any

import learning_base as bases
import learning_figures as figures
import numpy as np
import pandas as pd
from learning_loop import Arm, Message, Round, Setup, answer, stream

from moderation import registry
from moderation.categories import Category
from trainer import config, data, options, retrain, scorers
from trainer.dataset import Files
from trainer.retrain import Retraining
from trainer.scorers import Scorer

LEAST = 20  # labels: with fewer nothing is retrained


def run(setup: Setup, arm: Arm, seed: int) -> None:
    """All rounds of one arm, each learning from the labels of those before it, too."""
    place = setup.out / f"{arm}-{seed}"
    if (place / f"round-{setup.rounds}.json").exists():
        return
    shutil.rmtree(place, ignore_errors=True)
    version = registry.publish(setup.base, place / "models")
    registry.promote(place / "models", version, "benchmark")
    written = stream(setup.rows.stream, seed, setup.rounds * setup.messages)
    messages: list[Message] = []
    serving, chance = scorers.load("serving", str(setup.base)), random.Random(f"{arm}{seed}")
    for number in range(1, setup.rounds + 1):
        begun = time.perf_counter()
        new = written.iloc[len(messages) : len(messages) + setup.messages]
        messages += _scored(new, serving, len(messages))
        asked = Round(arm, messages, len(new), setup.labels, version)
        asyncio.run(answer(f"sqlite+aiosqlite:///{place / 'bot.sqlite3'}", asked, chance))
        found = _retrained(setup, place, number, seed)
        version = found["version"]
        serving = scorers.load("serving", str(place / "models" / version))
        np.save(place / f"exam-{number}.npy", serving.predict(list(setup.rows.exam.text)))
        (place / f"round-{number}.json").write_text(json.dumps(found, ensure_ascii=False, indent=1))
        took = time.perf_counter() - begun
        verdict = "promote" if found["promote"] else f"keep: {' '.join(found['reasons_en'])}"
        print(f"{arm}, seed {seed}, round {number}: {took:.0f} s; {verdict}", flush=True)


def _scored(rows: pd.DataFrame, model: Scorer, first: int) -> list[Message]:
    """The messages as the model in service scores them; what it doesn't know has no score."""
    found = model.predict(list(rows.text))
    vectors = rows[[*Category]].astype(int).to_dict("records")
    return [
        Message(
            first + i,
            text,
            {c: float(p) for c, p in zip(Category, scores, strict=True) if not np.isnan(p)},
            {c: vector[c] for c in Category},
        )
        for i, (text, scores, vector) in enumerate(zip(rows.text, found, vectors, strict=True))
    ]


def _retrained(setup: Setup, place: Path, number: int, seed: int) -> dict[str, Any]:
    """What `python -m trainer retrain` says, with the base as the model in service."""
    given = Retraining(
        labels=str(place / "bot.sqlite3"),
        models=place / "models",
        directory=place / f"run-{number}",
        files=Files(()),
        base=str(setup.base),
        recipe=config.load("retrain", [f"seed={seed}"]),
        least=LEAST,
        command="benchmarks/learning_curve.py",
    )
    with (place / "log.txt").open("a", encoding="utf-8") as log:
        return retrain.retrain(given, lambda line: print(line, file=log, flush=True))


def _prepared(given: argparse.Namespace) -> Setup:
    """The rows and the base, made if it isn't there."""
    category, base = Category(given.category), given.out / "base"
    rows = bases.share(given.gold, category)
    own = bases.hold_back(category, given.out / "rows")
    if not (base / "card.json").exists():
        shutil.rmtree(base, ignore_errors=True)
        bases.make(rows.base, own, category, base, print)
    counts = ", ".join(
        f"{len(part)} {name} ({int((part[category] == 1).sum())} {category}), "
        f"digest {data.digest(part)[:12]}"
        for name, part in (("base", rows.base), ("stream", rows.stream), ("exam", rows.exam))
    )
    print(f"{counts}; base {registry.card(base).version}", flush=True)
    return Setup(given.out, base, rows, category, given.rounds, given.labels, given.messages)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gold", type=Path, required=True, help="rows with complete labels")
    parser.add_argument("--out", type=Path, required=True, help="directory, made or gone on with")
    parser.add_argument("--category", default=Category.THREAT.value, help="the one held back")
    parser.add_argument("--arms", nargs="+", default=[*Arm], type=Arm)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each arm")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--labels", type=int, default=100, help="of a round")
    parser.add_argument("--messages", type=int, default=900, help="of a round")
    given = parser.parse_args()
    options.hush()
    setup = _prepared(given)
    for seed in range(1, given.seeds + 1):
        for arm in given.arms:
            run(setup, arm, seed)
    found, base = figures.points(setup, given.arms, given.seeds), figures.before(setup)
    figures.tables(setup, found, base)
    figures.draw(setup, found, base)


if __name__ == "__main__":
    main()
