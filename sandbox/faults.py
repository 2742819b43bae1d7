"""Faults the sandbox plays: flood limits, server errors, lost answers, delays."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.answers import ApiError, restarting, too_many_requests

KINDS = ("429", "500", "502html", "drop", "drop_after_apply", "delay")
ANY_METHOD = "*"


@dataclass(slots=True)
class Fault:
    """What happens to the next `count` calls of a method."""

    method: str
    kind: str
    count: int = 1
    retry_after: int = 1
    seconds: float = 1.0

    @property
    def closes_connection(self) -> bool:
        return self.kind in ("drop", "drop_after_apply")

    def error(self) -> ApiError | None:
        """What happens instead of applying the call."""
        if self.kind == "429":
            return too_many_requests(self.retry_after)
        if self.kind == "500":
            return restarting()
        return ApiError(502, "Bad Gateway") if self.kind in ("502html", "drop") else None


class Chance:
    """Faults at random: so many of a method's calls meet one, each kind as often as the others."""

    def __init__(
        self,
        rate: float,
        seed: int = 0,
        kinds: Sequence[str] = KINDS,
        method: str = ANY_METHOD,
        retry_after: int = 1,
        seconds: float = 0.2,
    ) -> None:
        self.rate = rate
        self._random = random.Random(seed)
        self._kinds = tuple(kinds)
        self._method = method
        self._retry_after = retry_after
        self._seconds = seconds

    def draw(self, method: str) -> Fault | None:
        """The fault of one call of a method; None for most."""
        if self._method not in (ANY_METHOD, method.lower()) or self._random.random() >= self.rate:
            return None
        kind = self._random.choice(self._kinds)
        return Fault(method, kind, 1, self._retry_after, self._seconds)


class Faults:
    """The faults still to come, in the order they were asked for, and those left to chance."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.chance: Chance | None = None

    def plan(self, fault: Fault) -> None:
        self.planned.append(fault)

    def clear(self) -> None:
        self.planned.clear()
        self.chance = None

    def take(self, method: str) -> Fault | None:
        """Use up one repetition of the first fault that is about this method; else as it falls."""
        for fault in self.planned:
            if fault.method in (ANY_METHOD, method.lower()):
                fault.count -= 1
                if fault.count <= 0:
                    self.planned.remove(fault)
                return fault
        return self.chance.draw(method) if self.chance else None
