"""How far a training has come: the trainer's last line, and the words and the bar for it."""

import os
from pathlib import Path
from typing import Annotated, Literal

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.language import Language

FILE = "progress.jsonl"
CELLS = 16
_TAIL = 4096  # bytes that surely hold a whole line

Number = Annotated[float, Field(allow_inf_nan=False)]


class Progress(BaseModel):
    """One line of the trainer."""

    model_config = ConfigDict(extra="ignore")

    phase: Literal["data", "train", "calibrate", "evaluate", "compare", "report", "publish"]
    share: float = Field(ge=0, le=1)  # of the whole
    loss: Number | None = None
    ap: Number | None = None
    left_s: Annotated[Number, Field(ge=0)] | None = None


def read(folder: Path) -> Progress | None:
    """The last whole line; None before the first one."""
    try:
        with (folder / FILE).open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _TAIL, 0))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    for line in reversed(lines):
        try:
            return Progress.model_validate_json(line)
        except ValidationError:  # half written, or half read
            continue
    return None


def told(words: Language, now: Progress | None, *, stops: bool = False) -> Markup:
    """The message of a run that is under way."""
    lines = [words("retrain.running")]
    if now is None:
        lines.append(words("retrain.starting"))
    else:
        share = words.percent(now.share)
        lines.append(words(f"retrain.phase.{now.phase}"))
        lines.append(Markup("<code>{}</code> {}").format(bar(now.share), share))
        if now.left_s is not None and not stops:
            lines.append(words("retrain.left", time=duration(words, now.left_s)))
        lines.append(_figures(words, now))
    if stops:
        lines.append(words("retrain.stopping"))
    return Markup("\n").join(line for line in lines if line)


def bar(share: float, cells: int = CELLS) -> str:
    """A share as a bar."""
    full = int(share * cells)
    return "█" * full + "░" * (cells - full)


def duration(words: Language, seconds: float) -> str:
    """A time as people say it, so coarse that it doesn't change with every look."""
    if seconds < 60:
        return words.plain("retrain.seconds", n=max(round(seconds / 10), 1) * 10)
    if seconds < 3600:
        return words.plain("retrain.minutes", n=round(seconds / 60))
    return words.plain("retrain.hours", hours=int(seconds // 3600), n=int(seconds % 3600 // 60))


def _figures(words: Language, now: Progress) -> Markup:
    known = []
    if now.loss is not None:
        known.append(words("retrain.loss", value=words.decimal(now.loss, 3)))
    if now.ap is not None:
        known.append(words("retrain.ap", value=words.decimal(now.ap, 3)))
    return Markup(" · ").join(known)
