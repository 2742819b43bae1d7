"""A run beside a bot that serves: it yields the processor, and stops when it is told to."""

import os
import signal
from contextlib import suppress
from types import FrameType

_NICENESS = 10


def start(threads: int | None, *, idle: bool = False) -> None:
    """Take all cores but one, or `threads`, at low priority, or with `idle` only what no other
    program wants; SIGTERM ends the process with 143.

    To be called before PyTorch is loaded.
    """
    os.nice(max(_NICENESS - os.nice(0), 0))
    if idle and hasattr(os, "SCHED_IDLE"):  # a nice process still keeps others waiting for its turn
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    number = threads or max((os.cpu_count() or 2) - 1, 1)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(number)
    signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    """What was done so far is kept, as after a kill; the rest unwinds and is cleared up."""
    raise SystemExit(128 + number)
