"""Progress of a long stage: how far it is and how long it will take."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

Report = Callable[[str], None]


@dataclass(slots=True)
class Progress:
    """Reports a stage's share done and time left, at most once in `every_seconds`."""

    stage: str
    report: Report
    every_seconds: float = 15.0
    _began: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)
    _start: float = 0.0

    def resume(self, share: float) -> None:
        """Begin at `share`, done in an earlier run, so that the time left is estimated rightly."""
        self._start = share

    def update(self, share: float, note: str = "") -> None:
        """Report that `share` of the stage is done, 0 to 1."""
        now = time.monotonic()
        if now - self._said < self.every_seconds and share < 1:
            return
        self._said = now
        done = share - self._start
        left = (now - self._began) * (1 - share) / done if done > 0 else 0.0
        self.report(f"{self.stage}: {share:.0%}{note and f', {note}'}, {_spell(left)} left")


def _spell(seconds: float) -> str:
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
