import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trainer.conftest import gold_lines, write
from trainer.disk import is_full


def caused(error, by):
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
        RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/3: file write"),
        caused(ValueError("not saved"), OSError(errno.ENOSPC, "No space left on device")),
    ],
)
def test_each_way_of_saying_so_is_understood(error):
    assert is_full(error)


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "Permission denied"), ValueError("28")])
def test_another_fault_is_not_taken_for_a_full_disk(error):
    assert not is_full(error)


@pytest.mark.parametrize("limit_kb", [8, 64, 200])
def test_a_run_on_a_full_disk_stops_with_one_line(tmp_path, limit_kb):
    """The limit on the size of a file stands in for the disk's end."""
    gold = write(tmp_path / "gold.tsv", gold_lines())
    command = [sys.executable, "-m", "trainer", "train", "--gold", str(gold), "--recipe", "tiny"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path / "model")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit_kb * 1024,) * 2),
    )

    assert done.returncode == 1
    last = [line for line in done.stderr.splitlines() if line.strip()][-1]
    assert last == "error: no space left on the disk; `train --resume` goes on"
    assert "Traceback" not in done.stderr
