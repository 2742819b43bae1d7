import errno
import os
import resource

import pytest

from tests.commands import Command
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
    words = ("trainer", "train", "--gold", gold, "--recipe", "tiny", "--output", tmp_path / "model")
    command = Command(words, tmp_path / "said", tmp_path / "errors", os.environ)
    resource.prlimit(command.pid, resource.RLIMIT_FSIZE, (limit_kb * 1024,) * 2)

    assert command.join() == 1
    errors = (tmp_path / "errors").read_text(encoding="utf-8")
    last = [line for line in errors.splitlines() if line.strip()][-1]
    assert last == "error: no space left on the disk; `train --resume` goes on"
    assert "Traceback" not in errors
