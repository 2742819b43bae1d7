"""A made-up evaluation with its scores, as `python -m trainer evaluate --out` writes them."""

import csv
import json
import random

import numpy as np
import pandas as pd
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from moderation.categories import TOXIC, Category
from tests.trainer.conftest import CLEAN, WORDS, sentence
from trainer.findings import Evaluation

THRESHOLDS = {
    "obscenity": 0.6,
    "insult": 0.75,
    "threat": 0.7,
    "discrimination": 0.7,
    "rude": 0.7,
    "non_toxic": 0.5,
}
# How loud the noise over the labels is, in logits.
NOISE = {"model": 1.6, "base": 3.6, "champion": 1.9, "lexicon": 4.0, "ngrams": 2.4, "majority": 0}
BASE_LACKS = ("discrimination",)


def rows(n=600, seed=0):
    """Texts of our own with complete labels, but for some unknown ones."""
    rng = random.Random(seed)
    made = []
    for i in range(n):
        labels = rng.sample(sorted(WORDS), rng.choice([1, 1, 2])) if i % 2 else []
        start = [rng.choice(WORDS[label]) for label in labels] or [rng.choice(CLEAN)]
        row = {c.value: int(c.value in labels) for c in TOXIC} | {"non_toxic": int(not labels)}
        if i % 50 == 7:
            row["rude"] = -1
        text = sentence(rng, *start)
        if i == 11:
            text = f"<b>{text}</b> & <script>fail()</script>"
        made.append({"text": text, "source": ["чат", "форум"][i % 3 > 0], "group": str(i)} | row)
    return pd.DataFrame(made)


def scored(frame, seed=0, names=tuple(NOISE)):
    """The rows with the scores of every model."""
    rng = np.random.default_rng(seed)
    frame = frame.copy()
    for category in map(str, Category):
        labels = (frame[category] == 1).to_numpy()
        shared = rng.normal(size=len(frame))
        for name in names:
            if name == "base" and category in BASE_LACKS:
                continue
            if name == "majority":
                scores = np.full(len(frame), labels.mean())
            else:
                noise = NOISE[name] * (0.8 * shared + 0.6 * rng.normal(size=len(frame)))
                scores = 1 / (1 + np.exp(-(np.where(labels, 2.5, -2.5) + noise)))
            frame[f"{name}/{category}"] = scores.round(4)
    return frame


def evaluation(frame, names=tuple(NOISE)):
    """The figures of the scored rows; intervals are made up, as wide as real ones."""
    names = [name for name in names if any(c.startswith(f"{name}/") for c in frame.columns)]
    models = [_model(frame, name) for name in names]
    by_name = {m["name"]: m for m in models}
    return {
        "schema": 1,
        "created": "2026-01-02T03:04:05Z",
        "command": "python -m trainer evaluate --model new --gold gold.tsv.gz --out report",
        "seed": 7,
        "resamples": 1000,
        "preset": "standard",
        "thresholds": THRESHOLDS,
        "data": {
            "name": "gold.tsv.gz",
            "digest": "0123456789abcdef" * 4,
            "part": "test",
            "rows": len(frame),
            "groups": frame.group.nunique(),
            "positives": {c.value: int((frame[c.value] == 1).sum()) for c in Category},
        },
        "notes": ["The champion was trained before the rows were frozen."],
        "models": models,
        "comparisons": [
            _comparison(by_name["model"], by_name[name]) for name in names if name != "model"
        ],
        "slices": list(_slices(frame, names)),
    }


def typed(content):
    """The content of evaluation.json as `findings.read` gives it."""
    return Evaluation.model_validate_json(json.dumps(content))


def write(directory, n=600, names=tuple(NOISE)):
    """Write both files into a directory; returns the content of evaluation.json."""
    frame = scored(rows(n), names=names)
    directory.mkdir(parents=True, exist_ok=True)
    save_scores(directory, frame)
    content = evaluation(frame, names)
    save(directory, content)
    return content


def save_scores(directory, frame):
    options = {"quoting": csv.QUOTE_NONE, "quotechar": None}
    frame.to_csv(directory / "scores.tsv.gz", sep="\t", index=False, **options)


def save(directory, content):
    text = json.dumps(content, ensure_ascii=False)
    (directory / "evaluation.json").write_text(text, encoding="utf-8")


def differences(content, against="champion"):
    """The differences of the candidate to a model, category -> figure."""
    return next(c for c in content["comparisons"] if c["b"] == against)["differences"]


def model(content, name="model"):
    """A judged model."""
    return next(m for m in content["models"] if m["name"] == name)


def set_ap(content, category, value, half=0.005, against="champion"):
    """Set the difference in AP, with an interval `half` to either side."""
    found = {"value": value, "low": value - half, "high": value + half, "p": 0.5}
    differences(content, against)[category]["ap"] = found


def better(content):
    """Make the candidate better everywhere."""
    for category in ("macro", *TOXIC):
        set_ap(content, category, 0.02)
    return content


def _figure(value, width=0.02):
    if value is None:
        return {"value": None, "low": None, "high": None}
    value = round(float(value), 4)
    low, high = max(0.0, value - width), min(1.0, value + width)
    return {"value": value, "low": round(low, 4), "high": round(high, 4)}


def _figures(frame, name, category):
    known = frame[frame[category] >= 0]
    truth, threshold = known[category].to_numpy(), THRESHOLDS[category]
    counts = {"threshold": threshold, "support": int(truth.sum()), "n": len(known)}
    names = ("roc_auc", "ap", "precision", "recall", "f1", "alarms", "brier", "ece")
    if f"{name}/{category}" not in frame.columns:
        return {figure: _figure(None) for figure in names} | counts
    scores = known[f"{name}/{category}"].to_numpy()
    said = scores >= threshold
    values = {
        "roc_auc": roc_auc_score(truth, scores),
        "ap": average_precision_score(truth, scores),
        "precision": precision_score(truth, said, zero_division=0),
        "recall": recall_score(truth, said),
        "f1": f1_score(truth, said),
        "alarms": said.mean(),
        "brier": brier_score_loss(truth, scores),
        "ece": abs(scores.mean() - truth.mean()),
    }
    return {figure: _figure(value) for figure, value in values.items()} | counts


def _model(frame, name):
    figures = {c.value: _figures(frame, name, c.value) for c in Category}
    macro = {}
    for figure in ("roc_auc", "ap", "precision", "recall", "f1", "alarms", "brier", "ece"):
        known = [figures[c][figure]["value"] for c in TOXIC]
        known = [value for value in known if value is not None]
        macro[figure] = _figure(np.mean(known), 0.01)
    judged = name in ("model", "base", "champion")
    return {
        "name": name,
        "kind": "model" if judged else "baseline",
        "version": f"20260102-{name}" if judged else None,
        "title": name,
        "size_bytes": {"model": 7_200_000, "base": 47_000_000}.get(name, 7_000_000),
        "data_digest": "fedcba98" * 8 if judged else None,
        "sources": {"gold": 9000, "feedback:10": 300} if name == "model" else {"gold": 9000},
        "speed": {"texts_per_second": 410.0, "p95_ms": 9.5} if judged else None,
        "figures": {"macro": macro | {"support": 0, "n": len(frame)}} | figures,
        "any_toxic": {"roc_auc": _figure(0.96), "ap": _figure(0.97), "precision": _figure(0.95)}
        | {"recall": _figure(0.84), "false_alarms": _figure(0.021, 0.01)}
        | {"support": 300, "n": len(frame)},
        "reliability": _reliability(frame, name),
        "suites": _suites(name) if judged else None,
    }


def _reliability(frame, name):
    bins = {}
    for category in map(str, Category):
        column = f"{name}/{category}"
        if column not in frame.columns:
            continue
        known = frame[frame[category] >= 0]
        cells = (known[column] * 10).astype(int).clip(upper=9)
        bins[category] = [
            {"low": i / 10, "high": (i + 1) / 10, "n": len(part)}
            | {"mean": round(part[column].mean(), 4), "share": round(part[category].mean(), 4)}
            for i, part in known.groupby(cells)
        ]
    return bins


def _suites(name):
    passed = {"model": 9, "champion": 9, "base": 6}[name]
    return {
        "rates": [
            {"suite": "functional", "function": "negated_threat", "n": 10, "passed": passed},
            {"suite": "functional", "function": "idiom", "n": 10, "passed": passed},
            {"suite": "counterfactual", "function": "neutral", "n": 20, "passed": 2 * passed},
            {"suite": "evasions", "function": "leet", "n": 20, "passed": 2 * passed},
            {"suite": "mirror", "function": "plate", "n": 10, "passed": passed},
            {"suite": "regressions", "function": "once_flagged", "n": 10, "passed": passed},
        ],
        "gaps": [
            {"term": "соседи", "neutral": 0.08, "alarms": 0.05, "hostile": 0.1},
            {"term": "гости", "neutral": -0.02, "alarms": -0.03, "hostile": -0.1},
        ],
        "failed": [["regressions", "once_flagged", f"случай {i}"] for i in range(10 - passed)]
        + [["functional", "idiom", "убью за чай"]],
    }


def _comparison(a, b):
    differences, mcnemar = {}, {}
    for category in ("macro", *map(str, Category)):
        differences[category] = {
            figure: _difference(a["figures"][category][figure], b["figures"][category][figure])
            for figure in ("roc_auc", "ap", "precision", "recall", "f1")
        }
        if category != "macro":
            mcnemar[category] = {"only_a_right": 12, "only_b_right": 5, "p": 0.04, "p_holm": 0.2}
    return {"a": a["name"], "b": b["name"], "differences": differences, "mcnemar": mcnemar}


def _difference(a, b):
    if a["value"] is None or b["value"] is None:
        return {"value": None, "low": None, "high": None, "p": None}
    value = a["value"] - b["value"]
    return {"value": value, "low": value - 0.009, "high": value + 0.009, "p": 0.01}


def _slices(frame, names):
    shown = {
        name: {"roc_auc": 0.95, "ap": 0.9, "precision": 0.93, "recall": 0.81}
        | {"false_alarms": 0.02, "false_alarms_high": 0.04}
        for name in names
    }
    clean = {
        name: dict.fromkeys(("roc_auc", "ap", "precision", "recall"))
        | {"false_alarms": 0.004, "false_alarms_high": 0.009}
        for name in names
    }
    for source in ("чат", "форум"):
        n = int((frame.source == source).sum())
        yield {"kind": "source", "name": source, "n": n, "support": n // 2, "models": shown}
    for name in ("1-5", "6-20", "21+"):
        yield {"kind": "length", "name": name, "n": 100, "support": 50, "models": shown}
    yield {"kind": "clean_chat", "name": "clean", "n": 500, "support": 0, "models": clean}
