"""A task ends when the runner that started it dies."""

import os
import subprocess
import sys
import time
from pathlib import Path

from hexad.stage.lifeline import RUNNER, hold_lifeline

TASK = """
import time
from hexad.stage.lifeline import die_with_runner

die_with_runner()
print("up", flush=True)
time.sleep(60)
"""


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    task = subprocess.Popen(
        [sys.executable, "-c", TASK], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    )
    assert task.stdout is not None
    assert task.stdout.readline() == "up\n"
    return task


def test_a_task_lives_as_long_as_its_runner_and_no_longer(tmp_path: Path) -> None:
    lifeline = hold_lifeline(tmp_path / "new" / "runner.lock")
    task = start({RUNNER: os.environ.pop(RUNNER)})
    time.sleep(0.3)
    alive = task.poll() is None
    lifeline.close()  # as the kernel does for a runner that was killed
    assert alive
    assert task.wait(5) != 0


def test_a_task_that_no_local_runner_started_goes_on(tmp_path: Path) -> None:
    task = start({RUNNER: ""})
    time.sleep(0.3)
    alive = task.poll() is None
    task.kill()
    task.wait()
    assert alive
