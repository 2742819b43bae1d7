import os
import subprocess
import sys

import pytest

SCRIPT = "import os; from trainer import background; background.start(1, idle={})"


@pytest.mark.parametrize("idle", [True, False])
@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="Linux has this class of processes")
def test_a_training_yields_the_processor(idle):
    script = f"{SCRIPT.format(idle)}; print(os.sched_getscheduler(0), os.nice(0))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    policy, niceness = map(int, done.stdout.split())
    assert (policy == os.SCHED_IDLE) == idle
    assert niceness >= 10
