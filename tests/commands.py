"""Commands of the project as processes of their own.

Each is `python -m PACKAGE …` in every respect but one: it is forked from a process that has
imported the libraries already, for a fresh interpreter takes seconds to do so, and there are
hundreds of starts. The demonstration, and a bot that starts its trainer, run them as people do.
"""

import asyncio
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.preload"])


class Command:
    """A running command; `returncode` is None while it runs, -N if signal N ended it."""

    def __init__(self, words, log: Path, errors: Path, environment: Mapping[str, str]) -> None:
        for path in (log, errors):
            path.touch()
        given = (list(map(str, words)), log, errors, dict(environment), os.getcwd())
        self._process = _forks.Process(target=_run, args=given, daemon=True)
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def join(self, seconds: float | None = None) -> int | None:
        self._process.join(seconds)
        return self.returncode

    async def wait(self) -> int:
        while self.returncode is None:
            await asyncio.sleep(0.02)
        return self.returncode


def run(*words, **environment: str) -> subprocess.CompletedProcess:
    """Run a command to its end: its exit status and what it said."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        command = Command(words, out, err, os.environ | environment)
        try:
            status = command.join()
        finally:
            command.send_signal(signal.SIGKILL)
        said = (path.read_text(encoding="utf-8") for path in (out, err))
        return subprocess.CompletedProcess(words, status, *said)


def _run(words, log, errors, environment, folder) -> None:
    for path, number in ((log, 1), (errors, 2)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    package, *arguments = words
    sys.argv = [package, *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)
