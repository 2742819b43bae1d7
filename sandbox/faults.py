"""Faults the sandbox plays on demand: flood limits, server errors, lost answers, delays."""

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


class Faults:
    """The faults still to come, in the order they were asked for."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        self.planned.append(fault)

    def clear(self) -> None:
        self.planned.clear()

    def take(self, method: str) -> Fault | None:
        """Use up one repetition of the first fault that is about this method."""
        for fault in self.planned:
            if fault.method in (ANY_METHOD, method.lower()):
                fault.count -= 1
                if fault.count <= 0:
                    self.planned.remove(fault)
                return fault
        return None
