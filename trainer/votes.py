"""Moderators' votes settled: one row a text, and who stands behind it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from moderation.agreement import resolve
from moderation.categories import Category
from moderation.states import Source
from trainer import data
from trainer.config import TrainingError
from trainer.data import Loaded
from trainer.feedback import SOURCE, Vote
from trainer.formats import Row

_CELL = {1: "1", 0: "0", None: ""}


@dataclass(frozen=True, slots=True)
class Settled:
    """`loaded`: a row for each text that its votes say something of. `votes`: a row for each of
    them: key, moderator, chat (NaN: none), author (0: unknown), probability (NaN: no audit), case
    (NaN: none), and what it says of each category (-1: nothing)."""

    loaded: Loaded
    votes: pd.DataFrame


def settle(votes: Sequence[Vote], name: str) -> Settled:
    """The votes on each text merged: what most of them say, one vote for each moderator, the last;
    what they leave open or tie on is unknown, and a text of which nothing is known is left out.

    Raises TrainingError if no text is left.
    """
    by_text: dict[str, dict[int, Vote]] = defaultdict(dict)
    for vote in votes:
        by_text[data.key(vote.text)][vote.moderator] = vote
    if not by_text:
        msg = f"{name}: no moderator has given a label yet"
        raise TrainingError(msg)
    loaded = data.load(name, _rows(by_text.values()), lambda fields: data.vector(_cells(fields)))
    usable = set(loaded.frame.key)
    cast = [
        _cast(k, vote) for k, given in by_text.items() if k in usable for vote in given.values()
    ]
    return Settled(loaded, pd.DataFrame(cast))


def write(votes: Iterable[Vote], path: Path) -> None:
    """Keep the votes, a JSON line each, so that a run that is resumed learns from the same ones."""
    lines = [json.dumps(asdict(vote), ensure_ascii=False) + "\n" for vote in votes]
    staging = path.with_suffix(".new")
    staging.write_text("".join(lines), encoding="utf-8")
    staging.replace(path)


def read(path: Path) -> list[Vote]:
    """The votes that were kept."""
    # A text may hold what str.splitlines takes for a line's end.
    lines = path.read_text(encoding="utf-8").split("\n")
    return [Vote(**json.loads(line)) for line in lines if line]


def _rows(texts: Iterable[dict[int, Vote]]) -> Iterator[Row]:
    for number, given in enumerate(texts, 1):
        votes = list(given.values())
        fault = ""
        if any(value not in _CELL for vote in votes for value in vote.vector.values()):
            fault = "a label that is neither yes nor no"
        vectors = [{c: vote.vector.get(c.value) for c in Category} for vote in votes]
        settled = {} if fault else resolve(vectors)
        if not fault and set(settled.values()) == {None}:
            fault = "its votes leave every category open"
        fields = {c.value: _CELL[value] for c, value in settled.items()}
        audits = [vote for vote in votes if vote.source == Source.AUDIT]
        fields |= {"text": votes[-1].text, "source": f"{SOURCE}:{(audits or votes)[-1].source}"}
        yield Row(number, fields, fault)


def _cells(fields: dict[str, str]) -> dict[Category, str]:
    return {category: fields[category.value] for category in Category}


def _cast(key: str, vote: Vote) -> dict[str, object]:
    said = {c: vote.vector.get(c.value) for c in Category}
    return {
        "key": key,
        "moderator": vote.moderator,
        "chat": np.nan if vote.chat is None else vote.chat,
        "author": vote.author,
        "probability": np.nan if vote.probability is None else vote.probability,
        "case": np.nan if vote.case is None else vote.case,
    } | {c.value: data.UNKNOWN if v is None else v for c, v in resolve([said]).items()}
