"""A child process that ends with its parent, so that a killed run leaves nothing computing behind it."""

import ctypes
import fcntl
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import IO, Any

RUNNER = "HEXAD_RUNNER"
"""Environment variable with the file that the local runner that started this task keeps locked while it lives."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies. Does nothing where the kernel has no such call.

    Nor in a container's first process: its parent, 0 from inside, is a thread of the container runtime, and the kernel
    would kill it when that thread ends (prctl(2), PR_SET_PDEATHSIG). The runtime ends it anyway.
    """
    parent = os.getppid()
    if parent == 0:
        return
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except AttributeError:
        return
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def end(process: subprocess.Popen[Any], seconds: float) -> None:
    """End a child: SIGTERM, and SIGKILL after so many seconds. Returns when it is gone."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def hold_lifeline(file: Path) -> IO[str]:
    """Lock `file` and name it in $HEXAD_RUNNER: tasks that are started from now on end when the result is closed,
    which the kernel does when this process dies."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = file.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.environ[RUNNER] = str(file)
    return lock


def die_with_runner() -> None:
    """End this process and all it started when the local runner that holds $HEXAD_RUNNER dies.

    KFP puts a shell, or a container, between the runner and a task, so `die_with_parent` alone would not notice a
    killed runner. A lock is seen from inside a container too, where process ids are others.
    """
    name = os.environ.get(RUNNER)
    if not name:
        return
    lock = Path(name).open()  # noqa: SIM115  open as long as the thread below waits
    first = os.getpid() == 1  # of a container; it ends as a whole with this process
    if not first:
        os.setpgid(0, 0)

    def wait() -> None:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if not first:
            os.killpg(0, signal.SIGKILL)
        os._exit(128 + signal.SIGKILL)

    threading.Thread(target=wait, name="die-with-runner", daemon=True).start()
