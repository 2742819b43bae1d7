"""An evaluation as lines of text that a person understands."""

from collections.abc import Iterator, Mapping
from typing import Any

from moderation.categories import Category

_ROWS = ("macro", *map(str, Category))
_WIDTH = 24


def table(result: Mapping[str, Any]) -> str:
    """Quality of all models by category, the candidate's decisions, differences and slices."""
    data = result["data"]
    lines = [
        f"{data['name']}, {data['part']}: {data['rows']} texts in {data['groups']} groups, "
        f"data {data['digest'][:12]}; 95 % intervals from {result['resamples']} resamples of "
        f"groups, seed {result['seed']}",
        *result["notes"],
        "",
        *_figure(result, "ap", "average precision (AP)"),
        *_figure(result, "roc_auc", "ROC-AUC"),
        *_decisions(result),
        *_differences(result),
        *_slices(result),
        *_suites(result),
    ]
    return "\n".join(lines)


def _figure(result: Mapping[str, Any], figure: str, title: str) -> Iterator[str]:
    models = result["models"]
    yield f"{title:{_WIDTH}}" + "".join(f"{_name(m):>{_WIDTH}}" for m in models)
    for row in _ROWS:
        cells = (_interval(m["figures"][row][figure]) for m in models)
        yield f"{row:{_WIDTH}}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)
    yield ""


def _decisions(result: Mapping[str, Any]) -> Iterator[str]:
    model = result["models"][0]
    names = ("precision", "recall", "f1")
    title = f"decisions, {result['preset']}"
    yield (
        f"{title:{_WIDTH}}{'threshold':>10}"
        + "".join(f"{name:>{_WIDTH}}" for name in names)
        + f"{'Brier':>8}{'ECE':>8}{'positive':>10}"
    )
    for row in _ROWS:
        found = model["figures"][row]
        limit = "" if found["threshold"] is None else f"{found['threshold']:.2f}"
        cells = "".join(f"{_interval(found[name]):>{_WIDTH}}" for name in names)
        errors = "".join(f"{_number(found[name]['value']):>8}" for name in ("brier", "ece"))
        yield f"{row:{_WIDTH}}{limit:>10}{cells}{errors}{found['support'] or '':>10}"
    toxic = model["any_toxic"]
    cells = "".join(f"{_interval(toxic[name]):>{_WIDTH}}" for name in ("precision", "recall"))
    yield f"{'any toxic':{_WIDTH}}{'':10}{cells}, false alarms {_interval(toxic['false_alarms'])}"
    yield ""


def _differences(result: Mapping[str, Any]) -> Iterator[str]:
    for comparison in result["comparisons"]:
        title = f"{comparison['a']} - {comparison['b']}"
        yield (
            f"{title:{_WIDTH}}{'AP':>28}{'p':>8}{'ROC-AUC':>28}{'p':>8}"
            f"{'right alone':>14}{'wrong alone':>14}{'McNemar p':>12}"
        )
        for row in _ROWS:
            found = comparison["differences"][row]
            cells = "".join(
                f"{_interval(found[name], signed=True):>28}{_number(found[name]['p']):>8}"
                for name in ("ap", "roc_auc")
            )
            test = comparison["mcnemar"].get(row)
            tested = (
                f"{test['only_a_right']:>14}{test['only_b_right']:>14}{_number(test['p_holm']):>12}"
                if test
                else ""
            )
            yield f"{row:{_WIDTH}}{cells}{tested}"
        yield ""


def _slices(result: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{'slice, any toxic':34}{'texts':>8}{'toxic':>8}{'AP':>8}{'ROC-AUC':>9}{'recall':>8}"
        f"{'false alarms':>14}{'at most':>9}"
    )
    for part in result["slices"]:
        found = part["models"]["model"]
        yield (
            f"{part['name'][:33]:34}{part['n']:>8}{part['support']:>8}{_number(found['ap']):>8}"
            f"{_number(found['roc_auc']):>9}{_number(found['recall']):>8}"
            f"{_percent(found['false_alarms']):>14}{_percent(found['false_alarms_high']):>9}"
        )
    yield ""


def _suites(result: Mapping[str, Any]) -> Iterator[str]:
    for model in result["models"]:
        speed = model["speed"]
        if speed:
            yield (
                f"{_name(model)}: {speed['texts_per_second']:.0f} texts/s, alone 95 of 100 within "
                f"{speed['p95_ms']:.1f} ms, {model['size_bytes'] / 1e6:.1f} MB"
            )
        if model["suites"] is None:
            continue
        passed: dict[str, list[int]] = {}
        for rate in model["suites"]["rates"]:
            total = passed.setdefault(rate["suite"], [0, 0])
            total[0] += rate["passed"]
            total[1] += rate["n"]
        shown = ", ".join(f"{suite} {a} of {n}" for suite, (a, n) in passed.items())
        yield f"{_name(model)}: suites passed: {shown}"


def _name(model: Mapping[str, Any]) -> str:
    return str(model["name"])


def _interval(found: Mapping[str, Any], *, signed: bool = False) -> str:
    if found["value"] is None:
        return "-"
    sign = "+" if signed else ""
    low, high = found["low"], found["high"]
    bounds = "" if low is None else f" [{low:{sign}.3f}, {high:{sign}.3f}]"
    return f"{found['value']:{sign}.3f}{bounds}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
