"""Children end with their parent; the first process of a container has none that may end it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_CHILD = """
import ctypes, sys, time
from hexad.stage.lifeline import die_with_parent
die_with_parent()
signal = ctypes.c_int(-1)
ctypes.CDLL(None).prctl(2, ctypes.byref(signal))  # PR_GET_PDEATHSIG
print(signal.value, flush=True)
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


def test_the_first_process_of_a_container_asks_for_no_such_signal() -> None:
    own_pids = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]
    done = subprocess.run([*own_pids, sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def _alive(session: int) -> bool:
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True
