"""What an evaluation found: evaluation.json as values."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from trainer.config import TrainingError
from trainer.views import View

MACRO = "macro"
CANDIDATE, CHAMPION, BASE = "model", "champion", "base"
_UNLISTED_THRESHOLD = 0.5  # of a category that the preset has no rule for


class _Value(BaseModel):
    # NaN and infinity are no figures: what can't be measured is null.
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Figure(_Value):
    """A figure with its 95 % interval; None where it has no meaning."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class Difference(Figure):
    """A difference with its 95 % interval and p."""

    p: float | None = None

    @property
    def sign(self) -> int:
        """1 or -1 where the interval leaves 0 out, else 0."""
        if self.low is None or self.high is None:
            return 0
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


def _known(given: Any) -> Any:
    """A dictionary without its nulls, which mean the same as a name left out."""
    if not isinstance(given, Mapping):
        return given
    return {name: value for name, value in given.items() if value is not None}


class Figures(_Value):
    """The figures of a model for one category; `alarms` are decisions for it in 1,000 texts."""

    roc_auc: Figure = Figure()
    ap: Figure = Figure()
    precision: Figure = Figure()
    recall: Figure = Figure()
    f1: Figure = Figure()
    alarms: Figure = Figure()
    brier: Figure = Figure()
    ece: Figure = Figure()
    threshold: float | None = None
    support: int = 0
    n: int = 0


class AnyToxic(_Value):
    """Figures of a model for «any of the five»."""

    roc_auc: Figure = Figure()
    ap: Figure = Figure()
    precision: Figure = Figure()
    recall: Figure = Figure()
    false_alarms: Figure = Figure()
    support: int = 0
    n: int = 0


class Speed(_Value):
    """How fast a model scores."""

    texts_per_second: float
    p95_ms: float


class Bin(_Value):
    """Texts whose score lies from `low` to `high`: mean score, and the share with the label."""

    low: float
    high: float
    n: int
    mean: float | None = None
    share: float | None = None


class Rate(_Value):
    """How many cases of a function pass."""

    suite: str
    function: str
    n: int
    passed: int


class Gap(_Value):
    """How far a term alone shifts a model from the mean of all terms."""

    term: str
    neutral: float
    alarms: float
    hostile: float


class Suites(_Value):
    """What the suites say about a model; a failed case is suite, function, text."""

    rates: list[Rate] = []
    gaps: list[Gap] = []
    failed: list[tuple[str, str, str]] = []
    views: list[View] = []


class Model(_Value):
    """A judged model or baseline."""

    name: str
    kind: Literal["model", "baseline"]
    version: str | None = None
    title: str = ""
    size_bytes: int | None = None
    data_digest: str | None = None
    sources: dict[str, int] | None = None
    speed: Speed | None = None
    figures: Annotated[
        dict[str, Annotated[Figures, BeforeValidator(_known)]], BeforeValidator(_known)
    ] = {}
    any_toxic: Annotated[AnyToxic, BeforeValidator(_known)] | None = None
    reliability: Annotated[dict[str, list[Bin]], BeforeValidator(_known)] = {}
    suites: Suites | None = None

    def of(self, category: str) -> Figures:
        """The figures of a category or of `macro`; empty ones if the model lacks it."""
        return self.figures.get(category, Figures())


class McNemar(_Value):
    """Texts that only one of two models decides rightly; p by Holm over the categories."""

    only_a_right: int
    only_b_right: int
    p: float | None = None
    p_holm: float | None = None


_Differences = Annotated[dict[str, Difference], BeforeValidator(_known)]


class Comparison(_Value):
    """Model `a` minus model `b`: category -> figure -> difference."""

    a: str
    b: str
    differences: Annotated[dict[str, _Differences], BeforeValidator(_known)] = {}
    mcnemar: Annotated[dict[str, McNemar], BeforeValidator(_known)] = {}

    def of(self, category: str, figure: str) -> Difference:
        """A difference; empty where it wasn't measured."""
        return self.differences.get(category, {}).get(figure, Difference())


class SliceFigures(_Value):
    """The figures of a model on a slice."""

    roc_auc: float | None = None
    ap: float | None = None
    precision: float | None = None
    recall: float | None = None
    false_alarms: float | None = None
    false_alarms_high: float | None = None


class Slice(_Value):
    """A part of the rows: a source, a length, or clean chat."""

    kind: str
    name: str
    n: int
    support: int = 0
    models: Annotated[dict[str, SliceFigures], BeforeValidator(_known)] = {}


class Raters(_Value):
    """The candidate's gains in AP without the labels of the two moderators whom it owes most."""

    rows: int
    ap: Annotated[dict[str, Difference], BeforeValidator(_known)] = {}


class Gain(_Value):
    """What share of categories the candidate, and the incumbent, decides rightly on labels."""

    rows: int
    right: float | None = None
    before: float | None = None
    difference: Difference = Difference()


class Labels(_Value):
    """How many of the labels are new, how many it takes, and how many are in doubt."""

    new: int
    needed: int
    total: int = 0
    doubted: int = 0


class Data(_Value):
    """The rows that all models were judged on."""

    name: str
    digest: str
    part: str
    rows: int
    groups: int
    positives: dict[str, int]


class Evaluation(_Value):
    """evaluation.json."""

    schema_: Literal[1] = Field(alias="schema")  # `schema` is a method of pydantic's models
    created: datetime
    command: str
    seed: int
    resamples: int
    preset: str
    thresholds: Annotated[dict[str, float], BeforeValidator(_known)]
    data: Data
    notes: list[str] = []
    models: list[Model]
    comparisons: list[Comparison] = []
    slices: list[Slice] = []
    raters: Raters | None = None
    gain: Gain | None = None  # where no gold rows can show one
    labels: Labels | None = None

    def model(self, name: str) -> Model | None:
        """The model of that name, if it was judged."""
        return next((m for m in self.models if m.name == name), None)

    @property
    def candidate(self) -> Model:
        """The model that the evaluation is about; TrainingError if there is none."""
        if found := self.model(CANDIDATE):
            return found
        raise TrainingError("the evaluation has no candidate")

    def incumbent(self, against: str | None = None) -> Model | None:
        """The model to compare with: the named one, else the champion, else the base."""
        return self.model(against) if against else self.model(CHAMPION) or self.model(BASE)

    def comparison(self, with_: str) -> Comparison | None:
        """The candidate's comparison with a model."""
        return next((c for c in self.comparisons if (c.a, c.b) == (CANDIDATE, with_)), None)

    def threshold(self, category: str) -> float:
        """The score from which on a category is decided for."""
        return self.thresholds.get(category, _UNLISTED_THRESHOLD)


def read(directory: Path) -> Evaluation:
    """The evaluation in a directory; TrainingError if it is missing or not one."""
    path = directory / "evaluation.json"
    try:
        found = Evaluation.model_validate_json(path.read_bytes())
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise TrainingError(msg) from error
    except ValidationError as error:
        first = error.errors()[0]
        msg = f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise TrainingError(msg) from error
    if not found.model(CANDIDATE):
        msg = f"{path}: no model named {CANDIDATE!r}"
        raise TrainingError(msg)
    return found
