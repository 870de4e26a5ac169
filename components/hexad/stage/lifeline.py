"""A child process that ends with its parent, so that a killed run leaves nothing computing behind it."""

import ctypes
import os
import select
import signal
import sys
import threading

RUNNER = "HEXAD_RUNNER"
"""Environment variable with the process id of the local runner that started this task."""

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


def die_with_runner() -> None:
    """End this process and all it started when the local runner in $HEXAD_RUNNER dies.

    KFP puts a shell between the runner and a task, so `die_with_parent` alone would not notice a killed runner.
    """
    runner = os.environ.get(RUNNER)
    if not runner or sys.platform != "linux":
        return
    os.setpgid(0, 0)
    try:
        handle = os.pidfd_open(int(runner))
    except ProcessLookupError:
        os.killpg(0, signal.SIGKILL)

    def wait() -> None:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.poll()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="die-with-runner", daemon=True).start()
