"""Children end with their parent and tasks with their runner; the first process of a container has no parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from hexad.stage.lifeline import RUNNER, end, hold_lifeline

_CHILD = """
import ctypes, sys, time
from hexad.stage.lifeline import die_with_parent
die_with_parent()
signal = ctypes.c_int(-1)
ctypes.CDLL(None).prctl(2, ctypes.byref(signal))  # PR_GET_PDEATHSIG
print(signal.value, flush=True)
"""
_TASK = """
import time
from hexad.stage.lifeline import die_with_runner

die_with_runner()
print("up", flush=True)
time.sleep(60)
"""


def test_a_child_is_killed_when_its_parent_dies(tmp_path: Path) -> None:
    said = tmp_path / "said"
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {_CHILD + 'time.sleep(60)'!r}]); "
    with said.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-c", parent + "time.sleep(60)"], stdout=sink, start_new_session=True
        )
        deadline = time.monotonic() + 30
        while not said.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert said.read_text().strip() == str(int(signal.SIGKILL))
        process.kill()
        process.wait()
    while time.monotonic() < deadline and _alive(process.pid):
        time.sleep(0.05)
    assert not _alive(process.pid)


def test_a_child_that_ignores_the_order_to_end_is_killed() -> None:
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        end(child, 0.2)
        assert child.returncode == -signal.SIGKILL


def test_the_first_process_of_a_container_asks_for_no_such_signal() -> None:
    own_pids = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]
    done = subprocess.run([*own_pids, sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_a_task_lives_as_long_as_its_runner_and_no_longer(tmp_path: Path) -> None:
    lifeline = hold_lifeline(tmp_path / "new" / "runner.lock")
    task = _start({RUNNER: os.environ.pop(RUNNER)})
    time.sleep(0.3)
    alive = task.poll() is None
    lifeline.close()  # as the kernel does for a runner that was killed
    assert alive
    assert task.wait(5) != 0


def test_a_task_that_no_local_runner_started_goes_on(tmp_path: Path) -> None:
    task = _start({RUNNER: ""})
    time.sleep(0.3)
    alive = task.poll() is None
    task.kill()
    task.wait()
    assert alive


def _start(environment: dict[str, str]) -> subprocess.Popen[str]:
    task = subprocess.Popen(
        [sys.executable, "-c", _TASK], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    )
    assert task.stdout is not None
    assert task.stdout.readline() == "up\n"
    return task


def _alive(session: int) -> bool:
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True
