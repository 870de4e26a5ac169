"""Runs model-written Python confined, and hands back what it said. Never what it means: the caller compares.

One warm process for each concurrent run forks a confined child (rlimits, own user, namespaces, Landlock, seccomp: see
`layers`). The parent holds the other ends of the child's pipes, bounds what it reads, and kills at a wall deadline.
"""

import importlib.util
import json
import os
import queue
import selectors
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("sandbox_child.py")
START_SECONDS = 60.0
RECYCLE_RUNS = 5_000
CONFINEMENT_FAILED = 99
PACKAGES = ("numpy",)
"""What programs may import besides the standard library, where it is installed: LiveCodeBench's harness has it too."""
REQUIRED = ("landlock", "seccomp")
UNSAFE = "HEXAD_UNSAFE_SANDBOX"
"""Environment variable: 1 runs model code although a required layer is missing, e.g. where gVisor stands around it."""


class SandboxError(RuntimeError):
    """The sandbox itself failed: no statement about the program."""


@dataclass(frozen=True)
class Limits:
    """What one run may use."""

    cpu: int = 5  # seconds
    wall: float = 15.0  # seconds; a safety net for programs that sleep
    memory: int = 512 << 20  # bytes of address space
    file: int = 1 << 20  # bytes of any file it writes
    output: int = 4 << 20  # bytes read from stdout and from the result channel, each


@dataclass
class Run:
    """What a run left. `exit` is negative for a signal; `stopped` says why we killed it, if we did."""

    exit: int = 0
    stopped: str = ""
    stdout: bytes = b""
    results: list[Any] = field(default_factory=list)
    cpu: float = 0.0


class Sandbox:
    """One warm process. Not thread-safe: `run_code` checks one out for each run."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(CHILD), str(theirs.fileno()), *_package_folders()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={},
                pass_fds=[theirs.fileno()], start_new_session=True, cwd="/",
            )  # fmt: skip
        self.control, self.runs = ours, 0
        ours.settimeout(START_SECONDS)
        self.base = ""
        started = self._receive("start")
        self.layers: dict[str, bool] = started["layers"]
        self.base = started["base"]
        missing = [layer for layer in REQUIRED if not self.layers.get(layer)]
        if missing and os.environ.get(UNSAFE) != "1":
            self.end()
            raise SandboxError(
                f"no {' and no '.join(missing)} on this kernel, so model-written code is not run; use Linux 5.13 or "
                f"newer, or set {UNSAFE}=1 where something else confines this process"
            )

    def _receive(self, when: str) -> dict[str, Any]:
        try:
            message = self.control.recv(65536)
        except OSError as error:
            message, reason = b"", str(error)
        else:
            reason = "it ended"
        if not message:
            self.end()
            raise SandboxError(f"sandbox process, {when}: {reason}")
        reply: dict[str, Any] = json.loads(message)
        return reply

    def run(self, job: dict[str, Any], stdin: bytes, limits: Limits) -> Run:
        """Run one job. Raises SandboxError."""
        self.runs += 1
        result, result_write = os.pipe()
        stdout, stdout_write = os.pipe()
        given = [_memory_file(json.dumps(job).encode()), _memory_file(stdin), result_write, stdout_write]
        try:
            request = json.dumps({"cpu": limits.cpu, "memory": limits.memory, "file": limits.file}).encode()
            try:
                socket.send_fds(self.control, [request], given)
            except OSError as error:
                self.end()
                raise SandboxError(f"sandbox process, asking for a run: {error}") from error
            finally:
                for fd in given:
                    os.close(fd)
            return self._collect(result, stdout, limits)
        finally:
            os.close(result)
            os.close(stdout)

    def _collect(self, result: int, stdout: int, limits: Limits) -> Run:
        run, data = Run(), {result: bytearray(), stdout: bytearray()}
        deadline = time.monotonic() + limits.wall
        with selectors.DefaultSelector() as selector:
            for fd in (result, stdout):
                selector.register(fd, selectors.EVENT_READ)
            selector.register(self.control, selectors.EVENT_READ)
            finished = False
            while not finished:
                events = selector.select(max(0.0, deadline - time.monotonic()))
                for key, _ in events:
                    if key.fd not in data:
                        finished = True
                        continue
                    chunk = os.read(key.fd, 1 << 16)
                    if not chunk:
                        selector.unregister(key.fd)
                    data[key.fd] += chunk
                    if len(data[key.fd]) > limits.output and not run.stopped:
                        run.stopped = "output limit"
                        self.control.send(b"kill")
                        selector.unregister(key.fd)
                if not events and not run.stopped:
                    run.stopped, deadline = "time limit", time.monotonic() + START_SECONDS
                    self.control.send(b"kill")
                elif not events and deadline < time.monotonic():
                    self.end()
                    raise SandboxError("sandbox process: no answer after a kill")
        reply = self._receive("end of a run")
        for fd, content in data.items():
            _drain(fd, content, limits.output)
        run.exit, run.cpu, run.stdout = reply["exit"], reply["cpu"], bytes(data[stdout])
        if run.exit == CONFINEMENT_FAILED and not run.stdout and not data[result]:
            raise SandboxError("a confinement layer failed in the child")
        run.results = _lines(data[result])
        return run

    def end(self) -> None:
        """End file on its input makes it clean up and leave; what does not leave is killed."""
        self.control.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.base:  # left where the process was killed
            shutil.rmtree(self.base, ignore_errors=True)


def _package_folders() -> list[str]:
    """Folders of the packages that programs may import, and of the libraries that their wheels bring."""
    found = [importlib.util.find_spec(name) for name in PACKAGES]
    folders = [Path(spec.origin).parent for spec in found if spec is not None and spec.origin]
    beside = [folder.with_name(f"{folder.name}.libs") for folder in folders]
    return [str(folder) for folder in (*folders, *beside) if folder.is_dir()]


def _memory_file(content: bytes) -> int:
    fd = os.memfd_create("job", os.MFD_CLOEXEC)
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _drain(fd: int, content: bytearray, limit: int) -> None:
    """What the pipe still holds after the child's end. A pipe holds 64 KiB, so this ends."""
    os.set_blocking(fd, False)
    try:
        while len(content) <= limit and (chunk := os.read(fd, 1 << 16)):
            content += chunk
    except BlockingIOError:
        return


def _lines(data: bytearray) -> list[Any]:
    """Messages of the child; it runs hostile code, so a line that is no JSON is dropped."""
    messages = []
    for line in bytes(data).split(b"\n"):
        try:
            messages.append(json.loads(line))
        except (ValueError, RecursionError):
            continue
    return messages


_lock = threading.Lock()
_idle: dict[int, "queue.LifoQueue[Sandbox]"] = {}


def _queue() -> "queue.LifoQueue[Sandbox]":
    with _lock:
        return _idle.setdefault(os.getpid(), queue.LifoQueue())


def run_code(job: dict[str, Any], stdin: bytes = b"", limits: Limits | None = None) -> Run:
    """Run in an idle sandbox, or a new one; once more when the sandbox's own process was lost. Raises SandboxError."""
    for attempt in (1, 2):
        try:
            sandbox = _queue().get(block=False)
        except queue.Empty:
            sandbox = Sandbox()
        try:
            run = sandbox.run(job, stdin, limits or Limits())
        except SandboxError:
            if attempt == 2:
                raise
            continue
        if sandbox.runs >= RECYCLE_RUNS:
            sandbox.end()
        else:
            _queue().put(sandbox)
        return run
    raise SandboxError("unreachable")


def layers() -> dict[str, bool]:
    """Which layers confine model code on this machine. Raises SandboxError when the sandbox does not start."""
    sandbox = Sandbox()
    _queue().put(sandbox)
    return dict(sandbox.layers)


def close_shared_sandboxes() -> None:
    """End the idle sandboxes."""
    idle = _queue()
    while True:
        try:
            idle.get(block=False).end()
        except queue.Empty:
            return
