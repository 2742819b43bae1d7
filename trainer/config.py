"""The recipe of a training run: every number it depends on, read from TOML."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

RECIPES = Path(__file__).parent / "recipes"


class TrainingError(Exception):
    """A run that can't start or go on; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a model is made of and how it learns; the defaults are those of the embedded model."""

    seed: int = 1
    # Parts of the labelled rows kept from fitting. Test rows are those that a file marks as such;
    # of files that mark none, this share of the groups.
    test_share: float = 0.15
    calibration_share: float = 0.1
    validation_share: float = 0.1
    own_rows: bool = True  # learn from the texts that were written for this project, too
    more_rows: bool = False  # and from those written after the embedded model was made

    # The network from scratch. Twelve thousand pieces hold most obscene stems whole.
    vocabulary: int = 12000
    layers: int = 3
    hidden: int = 160
    heads: int = 4
    intermediate: int = 480
    positions: int = 128
    dropout: float = 0.1  # of fine-tuning; pretraining sees too few epochs to over-fit
    neighbours: int = 5  # pieces to each side that make a piece's first embedding

    # Pretraining: masked words and the soft labels of the n-gram model, in one pass.
    pretraining_epochs: float = 4.0
    pretraining_learning_rate: float = 1e-3
    pretraining_batch_tokens: int = 2048
    masked: float = 0.15  # share of pieces hidden; Devlin et al. 2019
    distillation: float = 4.0  # weight of the soft labels beside the loss of the masked words

    # Fine-tuning on complete labels, with soft-labelled rows replayed beside them.
    epochs: int = 4
    learning_rate: float = 3e-4
    batch_tokens: int = 2048
    weight_decay: float = 0.01
    warmup: float = 0.06  # share of the steps
    patience: int = 2  # epochs without a better validation AP
    replay: float = 0.5  # soft-labelled rows for each completely labelled one
    replay_weight: float = 0.5
    # Positives count (negatives / positives) ** class_weight times, at most eight; 0: once. Ranks
    # rare categories better, and costs calibration, which is mended afterwards.
    class_weight: float = 0.0
    # "name=weight" for the rows of a source, by its name in trainer/sources.py; the others weigh 1.
    source_weights: tuple[str, ...] = ()

    # Share of rows shown disguised, as people do to get past a filter, and of letters in them.
    noise: float = 0.18
    noise_letters: float = 0.3

    # Fit the n-gram branch in the end on calibration and validation rows, too; the network and the
    # calibration stay as they are.
    refit: bool = True

    # The precision that a threshold must reach by the lower Wilson bound.
    targets: tuple[float, ...] = (0.8, 0.9, 0.95, 0.97)


_TYPES: dict[str, type] = {field.name: type(field.default) for field in fields(Recipe)}


def load(name: str, changes: Iterable[str] = ()) -> Recipe:
    """The recipe of a shipped name or a TOML file, changed by `name=value` items.

    Raises TrainingError for an unknown recipe, an unknown name or a value of the wrong type.
    """
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
        msg = f"{name}: no such recipe; known are {known}, or give a .toml file"
        raise TrainingError(msg)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{path}: not readable as TOML: {error}"
        raise TrainingError(msg) from error
    for change in changes:
        values |= _parse(change)
    checked: dict[str, Any] = {key: _typed(key, value) for key, value in values.items()}
    return replace(Recipe(), **checked)


def dump(recipe: Recipe) -> str:
    """The recipe as TOML that `load` reads back."""
    lines = [f"{name} = {_literal(value)}" for name, value in asdict(recipe).items()]
    return "\n".join(lines) + "\n"


def _literal(value: object) -> str:
    return json.dumps(value)  # of numbers, strings and lists of them TOML reads the same


def source_weights(recipe: Recipe) -> dict[str, float]:
    """The weight of each source that the recipe names; TrainingError if an item isn't one."""
    found = {}
    for item in recipe.source_weights:
        name, equals, weight = item.partition("=")
        try:
            found[name.strip()] = float(weight)
        except ValueError:
            equals = ""
        if not equals or not 0 <= found[name.strip()] < 1000:
            msg = f"recipe: source_weights: {item!r} is no name=weight"
            raise TrainingError(msg)
    return found


def _items(name: str, values: list[object]) -> tuple[object, ...]:
    """Numbers, or strings where the recipe's own are; TrainingError for anything else."""
    kind = str if name == "source_weights" else float
    try:
        return tuple(kind(value) for value in values)  # type: ignore[arg-type] # checked by `float`
    except (TypeError, ValueError) as error:
        msg = f"recipe: {name} must hold {kind.__name__} values, not {values!r}"
        raise TrainingError(msg) from error


def _parse(change: str) -> dict[str, Any]:
    name, equals, value = change.partition("=")
    try:
        return tomllib.loads(f"{name.strip()} = {value.strip()}") if equals else {change: None}
    except ValueError as error:
        msg = f"--set {change}: the value must be a number, or numbers in brackets"
        raise TrainingError(msg) from error


def _typed(name: str, value: object) -> object:
    kind = _TYPES.get(name)
    if kind is None:
        msg = f"recipe: unknown name {name!r}; known are {', '.join(_TYPES)}"
        raise TrainingError(msg)
    if kind is tuple and isinstance(value, list):
        return _items(name, value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        msg = f"recipe: {name} must be of type {kind.__name__}, not {value!r}"
        raise TrainingError(msg)
    return value
