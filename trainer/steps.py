"""The steps of a retraining as lines that another process reads while it runs."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

FILE = "progress.jsonl"
# What part of the time each phase takes, in order; measured with the embedded model.
PHASES = {
    "data": 0.05,
    "train": 0.5,
    "calibrate": 0.05,
    "evaluate": 0.3,
    "compare": 0.01,
    "report": 0.07,
    "publish": 0.02,
}
_EVERY_SECONDS = 0.5


@dataclass(slots=True)
class Steps:
    """Appends a line a step to progress.jsonl, at most two a second but each phase's first and
    last; a run that goes on never says less than was said before."""

    path: Path
    clock: Callable[[], float] = time.monotonic
    _phase: str = "data"
    _share: float = 0.0
    _began_at: float = 0.0
    _began: float = 0.0
    _said: float = float("-inf")
    _loss: float | None = None
    _ap: float | None = None
    _calls: int = field(default=0)

    def __post_init__(self) -> None:
        self._share = self._began_at = _last_share(self.path)
        self._began = self.clock()
        if self.path.exists() and not self.path.read_bytes().endswith(b"\n"):
            with self.path.open("a", encoding="utf-8") as file:
                file.write("\n")  # the last line of a run that was killed may be half a one

    def begin(self, phase: str) -> None:
        """Enter a phase."""
        self._phase, self._calls = phase, 0
        self.update(0.0, must=True)

    def tick(self, of: int) -> None:
        """One more of about `of` steps of the phase is done."""
        self._calls += 1
        self.update(min(self._calls / of, 0.99))

    def update(
        self,
        share: float,
        loss: float | None = None,
        ap: float | None = None,
        *,
        must: bool = False,
    ) -> None:
        """Say that `share` of the phase is done; what isn't measured anew stays as it was."""
        self._loss = self._loss if loss is None else loss
        self._ap = self._ap if ap is None else ap
        before = sum(list(PHASES.values())[: list(PHASES).index(self._phase)])
        whole = before + PHASES[self._phase] * min(max(share, 0.0), 1.0)
        self._share = max(self._share, min(whole, 1.0))
        now = self.clock()
        if now - self._said < _EVERY_SECONDS and not must and ap is None:
            return
        self._said = now
        self._append(
            {
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "phase": self._phase,
                "share": round(self._share, 4),
                "phase_share": round(min(max(share, 0.0), 1.0), 4),
                "loss": None if self._loss is None else round(self._loss, 5),
                "ap": None if self._ap is None else round(self._ap, 5),
                "left_s": self._left(now),
            }
        )

    def _left(self, now: float) -> float | None:
        done = self._share - self._began_at
        if done < 0.02:
            return None
        return round((now - self._began) * (1 - self._share) / done, 1)

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


class Watched(TrainerCallback):
    """Passes Trainer's own figures on as steps."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        self._steps.update(state.global_step / max(state.max_steps, 1))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **rest: Any) -> None:
        if logs and "loss" in logs:
            share = state.global_step / max(state.max_steps, 1)
            self._steps.update(share, loss=float(logs["loss"]))

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **rest: Any
    ) -> None:
        share = state.global_step / max(state.max_steps, 1)
        self._steps.update(share, ap=float(metrics["eval_macro_ap"]))


def _last_share(path: Path) -> float:
    """How far an earlier run came; a line that was cut off says nothing."""
    found = 0.0
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError, KeyError, TypeError):
                found = max(found, float(json.loads(line)["share"]))
    return found
