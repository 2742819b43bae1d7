"""The bot of the soak: a process that is killed, stopped and started again."""

import asyncio
import contextlib
import json
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time

START_SECONDS = 300
STOP_SECONDS = 60


@dataclass(slots=True)
class Bot:
    """The bot as a process that is killed and started again."""

    environment: dict[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    ended: asyncio.subprocess.Process | None = None  # the last that we sent a signal while it ran
    died: int = 0  # ended though nobody asked
    terminated_badly: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)  # of this process: when, MB
    peak_mb: float = 0.0

    async def start(self) -> None:
        """Start it, and wait until it serves; where that fails, once more is tried."""
        if not await self._started():
            self.died += 1
            if not await self._started():
                tail = self.log.read_text("utf-8", "replace")[-3000:]
                sys.exit(f"benchmarks/soak.py: the bot doesn't start\n{tail}")

    async def _started(self) -> bool:
        with self.log.open("ab") as log:
            begun = log.tell()
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", env=self.environment, stdout=log, stderr=log
            )
        deadline = monotonic() + START_SECONDS
        while not (serves := self._serves(begun)) and monotonic() < deadline:
            if not self.is_running:
                return self.process is self.ended  # it was meant to be killed while it started
            await asyncio.sleep(0.2)
        if not serves:
            await self.end(signal.SIGKILL)
        self.memory = []  # what it takes while it starts says nothing
        return serves

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def end(self, number: signal.Signals) -> int:
        """Send it a signal and wait; its exit status."""
        assert self.process is not None
        if self.is_running:
            self.ended = self.process
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await self.process.wait()
        except TimeoutError:
            self.process.kill()
            return await self.process.wait()

    async def terminate(self) -> None:
        """End it as a system's service manager does; it has to finish by itself, not before."""
        self.died += not self.is_running
        self.terminated_badly += await self.end(signal.SIGTERM) != 0

    def weigh(self) -> None:
        """Note how much memory it takes now."""
        with contextlib.suppress(OSError, StopIteration):
            assert self.process is not None
            lines = Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines()
            kilobytes = int(next(x.split()[1] for x in lines if x.startswith("VmRSS")))
            self.memory.append((time(), kilobytes / 1024))
            self.peak_mb = max(self.peak_mb, kilobytes / 1024)

    def events(self) -> Counter[str]:
        """How often it logged each warning and error."""
        found: Counter[str] = Counter()
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                event = json.loads(line)
                if event["level"] != "info":
                    found[f"{event['level']}: {event['event']}"] += 1
            except (ValueError, KeyError, TypeError):
                found["a line that is no event"] += bool(line.strip())
        return found

    def _serves(self, begun: int) -> bool:
        """Whether it has said so, in what it logged since it begun."""
        with self.log.open("rb") as log:
            log.seek(begun)
            return b'"started"' in log.read()
