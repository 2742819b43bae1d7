"""Labels as files: JSON lines without personal data, out of one database and into another."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.redaction import redact
from moderation.states import Source
from moderation.tables import Label
from moderation.text import sanitize

_CONTENT = {"text", "vector", "model_version", "scores", "probability", "created_at"}
_CELLS: dict[int | None, Literal[0, 1]] = {0: 0, 1: 1}
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class LabelsError(Exception):
    """A file of labels that can't be used; the message names its line."""


class Line(BaseModel):
    """One label of a file. What isn't said is unknown, and only text and vector must be said."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    text: str
    vector: dict[Category, Literal[0, 1] | None]
    source: Source = Source.IMPORT
    model_version: str = Field(default="", max_length=128)
    scores: dict[Category, Share] = Field(default_factory=dict)
    probability: Share | None = None
    created_at: AwareDatetime | None = None
    moderator: str = Field(default="m1", pattern=r"^m[1-9][0-9]{0,8}$")  # pseudonyms: a number
    case: str = Field(default="c0", pattern=r"^c[0-9]{1,18}$")  # within the file

    @field_validator("text")
    @classmethod
    def _has_words(cls, text: str) -> str:
        text = sanitize(text)
        if not text.strip():
            raise ValueError("empty")
        return text

    @field_validator("vector")
    @classmethod
    def _is_possible(
        cls, vector: dict[Category, Literal[0, 1] | None]
    ) -> dict[Category, Literal[0, 1] | None]:
        if vector.get(Category.NON_TOXIC) == 1 and any(vector.get(c) == 1 for c in TOXIC):
            raise ValueError("not toxic and toxic at once")
        return {category: vector.get(category) for category in Category}

    @field_validator("created_at")
    @classmethod
    def _is_past(cls, moment: datetime | None) -> datetime | None:
        if moment and (not 2000 <= moment.year < 9999 or moment > now() + timedelta(days=1)):
            raise ValueError("not in the past")
        return moment

    def content(self) -> str:
        """What was said of which text, in one form: without the file's pseudonyms, which differ
        between exports of one label."""
        found = self.model_dump(mode="json", include=_CONTENT)
        found["text"] = redact(self.text)
        if self.created_at:
            found["created_at"] = self.created_at.astimezone(UTC).isoformat()
        return json.dumps(found, sort_keys=True, ensure_ascii=False)


class Suspect(BaseModel):
    """A label that is likely wrong, as the trainer wrote it down."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    cases: tuple[int, ...]


class Suspects(BaseModel):
    """What the trainer's command of that name found."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    suspects: tuple[Suspect, ...]

    @property
    def case_ids(self) -> set[int]:
        """The cases to look at again."""
        return {case_id for suspect in self.suspects for case_id in suspect.cases}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    added: int
    known: int  # there before, or twice in the file


async def export(session: AsyncSession) -> tuple[list[Line], int]:
    """The latest label of each moderator for each case, texts redacted; and how many were left out
    because their text isn't stored any more.

    Pseudonyms follow the order of the labels, so a later export goes on with the same ones.
    """
    moderators: dict[int, int] = {}
    cases: dict[int | str, int] = {}
    latest: dict[tuple[int, int], Label] = {}
    for label in await session.scalars(select(Label).order_by(Label.id)):
        moderator = moderators.setdefault(label.moderator_id, len(moderators) + 1)
        # Imported labels have no case: those on one text belong together.
        case = cases.setdefault(label.case_id or label.text, len(cases) + 1)
        latest[moderator, case] = label
    found = [_line(label, *names) for names, label in latest.items() if label.text.strip()]
    return found, len(latest) - len(found)


def written(lines: Iterable[Line]) -> str:
    """The lines as a file."""
    return "".join(
        json.dumps(line.model_dump(mode="json"), ensure_ascii=False) + "\n" for line in lines
    )


def read(content: bytes) -> list[Line]:
    """The labels of a file; LabelsError says what is wrong with the first line that is wrong."""
    found = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(Line.model_validate_json(line))
        except ValidationError as error:
            msg = f"line {number}: {_reason(error)}"
            raise LabelsError(msg) from error
    return found


async def add(session: AsyncSession, lines: Sequence[Line]) -> Imported:
    """Add the labels that this database doesn't have yet. A database's own export adds nothing.

    Every moderator of the file is a new negative number, save those whose labels are there.
    """
    imported = await session.scalars(select(Label).where(Label.import_key.is_not(None)))
    known = {label.import_key: label.moderator_id for label in imported}
    own = {key for key, _ in _keyed((await export(session))[0])} - known.keys()
    keyed = list(_keyed(lines))
    moderators = {line.moderator: known[key] for key, line in keyed if key in known}
    lowest = min(await session.scalar(select(func.min(Label.moderator_id))) or 0, 0)
    rows: dict[str, Label] = {}
    for key, line in keyed:
        if key in known or key in own or key in rows:
            continue
        if line.moderator not in moderators:
            lowest -= 1
            moderators[line.moderator] = lowest
        rows[key] = _row(line, key, moderators[line.moderator])
    session.add_all(rows.values())
    await session.flush()
    return Imported(len(rows), len(lines) - len(rows))


def _keyed(lines: Iterable[Line]) -> Iterator[tuple[str, Line]]:
    """A digest for each line. Several moderators may have said the same of a text at once: the
    digest then counts them."""
    votes: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        content = line.content()
        voters = votes[content]
        if line.moderator not in voters:
            voters.append(line.moderator)
        numbered = f"{voters.index(line.moderator)}\0{content}"
        yield hashlib.sha256(numbered.encode()).hexdigest(), line


def _line(label: Label, moderator: int, case: int) -> Line:
    return Line.model_construct(
        text=redact(sanitize(label.text)),
        vector={category: _CELLS.get(label.vector.get(category)) for category in Category},
        source=label.source,
        model_version=label.model_version,
        scores={
            category: label.scores[category] for category in Category if category in label.scores
        },
        probability=label.probability,
        created_at=label.created_at,
        moderator=f"m{moderator}",
        case=f"c{case}",
    )


def _row(line: Line, key: str, moderator_id: int) -> Label:
    return Label(
        moderator_id=moderator_id,
        source=Source.IMPORT,
        text=line.text,
        vector={category.value: value for category, value in line.vector.items()},
        model_version=line.model_version,
        scores={category.value: score for category, score in line.scores.items()},
        probability=line.probability,
        import_key=key,
        created_at=line.created_at or now(),
    )


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "[key]")
    said = first["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said
