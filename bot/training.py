"""The trainer as a process of its own: its command and environment, its files, whether it lives."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.engine import make_url

from moderation.settings import Settings

RESULT, LOG, VERDICT = "result.json", "log", "evaluation/verdict.json"
NICENESS = 10
_LINES = 5  # of the log, when it broke
_LINE = 160
# The trainer is given these alone: a token is no business of it.
_PASSED = re.compile(
    r"PATH|HOME|USER|LANG|LC_\w+|TZ|TMPDIR|VIRTUAL_ENV|LD_LIBRARY_PATH|XDG_\w+|SSL_\w+"
    r"|PYTHON\w+|HF_\w+|TRANSFORMERS_\w+|TORCH\w*|CUDA\w*|NVIDIA\w*|\w+_proxy|\w+_PROXY"
)
_FRAME = re.compile(r'\s*File ".*?([^/\\"]+)", line (\d+)')
_RAISED = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Warning|Exit))\b")
_FOREIGN = re.compile(r"[^\x20-\x7e]")


class Figures(BaseModel):
    """How well a model does in one category."""

    model_config = ConfigDict(extra="ignore")

    ap: float | None = None
    precision: float | None = None
    recall: float | None = None


class Row(BaseModel):
    """A category, or a mean of them, for the three models."""

    model_config = ConfigDict(extra="ignore")

    category: str
    base: Figures | None = None
    champion: Figures | None = None
    candidate: Figures | None = None


class Result(BaseModel):
    """What a run came to, as it wrote it down."""

    model_config = ConfigDict(extra="ignore")

    version: str | None = None
    promote: bool = False
    promoted: bool = False
    champion: str | None = None
    base: str | None = None
    labels: dict[str, Any] = Field(default_factory=dict)
    images: list[str] = Field(default_factory=list)
    report: str | None = None
    summary_ru: list[str] = Field(default_factory=list)
    summary_en: list[str] = Field(default_factory=list)
    table: list[Row] = Field(default_factory=list)
    missing: int | None = None


class Criterion(BaseModel):
    """A question of the gate, answered."""

    model_config = ConfigDict(extra="ignore")

    name: str
    ru: str
    en: str


class Gate(BaseModel):
    """What the gate says, and which of its criteria keep the champion."""

    model_config = ConfigDict(extra="ignore")

    criteria: list[Criterion] = Field(default_factory=list)
    reasons: list[str] = Field(default_factory=list)


def runs_folder(settings: Settings) -> Path:
    """Where runs keep their files: beside the versions, on the same disk."""
    return (settings.models_dir / ".runs").absolute()


def command(settings: Settings, folder: Path, by: str, *, resume: bool) -> list[str]:
    """The command line of a run."""
    asked = [
        sys.executable, "-m", "trainer", "retrain",
        "--labels", _labels(settings),
        "--models", str(settings.models_dir.absolute()),
        "--run", str(folder),
        "--min-labels", str(settings.retrain_min_labels),
        "--threads", str(threads()),
        "--by", by,
    ]  # fmt: skip
    for option, files in (("--gold", settings.retrain_gold), ("--corpus", settings.retrain_corpus)):
        for file in files:
            asked += [option, str(file)]
    if settings.retrain_priority == "idle":
        asked.append("--idle")
    if "base_model" in settings.model_fields_set:
        asked += ["--base", settings.base_model]
    # What goes through shadow time first is promoted after it.
    if settings.auto_promote and not settings.shadow_hours:
        asked.append("--promote")
    return [*asked, "--resume"] if resume else asked


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a run. A password stands here rather than in the command line, which
    everybody on the machine can read."""
    passed = {name: value for name, value in os.environ.items() if _PASSED.fullmatch(name)}
    passed |= {"OMP_NUM_THREADS": str(threads()), "TOKENIZERS_PARALLELISM": "false"}
    password = make_url(settings.database_url).password
    return passed | ({"PGPASSWORD": str(password)} if password else {})


def threads() -> int:
    """Half of the processor: moderation goes on beside."""
    return max((os.cpu_count() or 1) // 2, 1)


def launch(
    asked: Sequence[str], variables: dict[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    """Start a run in a session of its own, so that it outlives this process; OSError if it
    can't be."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("ab") as log:
        child = subprocess.Popen(
            asked, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, child.pid, NICENESS)
    return child


def pid_of(folder: Path, known: int | None) -> int | None:
    """The process of a run, if it lives: ids are given anew, so its command line must name the
    folder."""
    if not Path("/proc/self").exists():
        return known if known is not None and _answers(known) else None
    found = [known] if known is not None else _all_pids()
    return next((pid for pid in found if _names(pid, folder)), None)


def signal(pid: int, number: int, *, everybody: bool = False) -> None:
    """Send a signal to a run, or to everything that it started, too."""
    with suppress(OSError):
        (os.killpg if everybody else os.kill)(pid, number)


def result(folder: Path) -> Result | None:
    """What a run wrote down in the end, if it came so far."""
    try:
        return Result.model_validate_json((folder / RESULT).read_bytes())
    except (OSError, ValidationError):
        return None


def gate(folder: Path) -> Gate:
    """What the gate said."""
    try:
        return Gate.model_validate_json((folder / VERDICT).read_bytes())
    except (OSError, ValidationError):
        return Gate()


def file_of(folder: Path, name: str | None) -> Path | None:
    """A file that a result names, if it is there and of this run."""
    path = (folder / name).resolve() if name else None
    is_there = path is not None and path.is_relative_to(folder.resolve()) and path.is_file()
    return path if is_there else None


def log_tail(folder: Path) -> str:
    """The last lines of a run's log. What could hold somebody's words is left out: the messages of
    exceptions, and all that isn't plain ASCII."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 16_384, 0))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    told = [line for raw in lines if (line := _telling(raw))]
    return "\n".join(told[-_LINES:])


def _telling(line: str) -> str | None:
    if frame := _FRAME.match(line):
        return f"{frame[1]}:{frame[2]}"
    if raised := _RAISED.match(line):
        return raised[1]
    is_said = line.startswith("error: ") and not _FOREIGN.search(line)
    return line[:_LINE] if is_said else None


def _labels(settings: Settings) -> str:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        return str(Path(url.database or "").absolute())
    shown = url.set(drivername="postgresql")._replace(password=None)
    return shown.render_as_string(hide_password=False)


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _names(pid: int, folder: Path) -> bool:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()  # empty for one that only waits to go
    except OSError:
        return False
    return os.fsencode(folder) in line.split(b"\0")


def _all_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
