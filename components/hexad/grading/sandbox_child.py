"""The sandbox's own process: a warm interpreter that forks one confined child for each run of model code.

Started by `hexad.grading.sandbox` as `python -I -S sandbox_child.py FD [FOLDER OF A PACKAGE ...]` with an empty
environment; knows no expected values, no secrets, and nothing of this package. One SEQPACKET message asks for a run:
{"cpu": s, "memory": bytes, "file": bytes} with descriptors [job, stdin, result, stdout]; one message answers
{"exit", "signal", "cpu"}. "kill" ends the run in progress; end of file ends everything.
"""

# ruff: noqa: BLE001 - model code may raise anything, BaseException included, and none of it may reach the warm process

import array
import atexit
import builtins
import contextlib
import fcntl
import gc
import io
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import sysconfig
import tempfile
import threading
import traceback
import types
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sandbox_layers as layers  # type: ignore[import-not-found]
import sandbox_livecodebench as livecodebench  # type: ignore[import-not-found]
from sandbox_values import plain  # type: ignore[import-not-found]

sys.path.pop(0)

for _name in (
    "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "heapq",
    "itertools", "math", "operator", "random", "re", "statistics", "string", "time", "typing", "queue", "cmath",
    "numbers", "textwrap", "hashlib", "abc", "contextlib", "secrets", "calendar", "timeit", "pprint", "encodings.idna",
):  # fmt: skip
    __import__(_name)

SUBREAPER = 36
SCRATCH_MB = 64
RULESET_FD = 200
OPEN_FILES, THREADS = 48, 64


class Warm:
    """The parts made once: namespaces, scratch folder, Landlock rules, the unprivileged user."""

    def __init__(self, packages: list[str]) -> None:
        root = os.geteuid() == 0 and layers.may_change_user()  # a pod may drop root's capabilities
        self.base = tempfile.mkdtemp(prefix="hexad-sandbox-")
        os.chmod(self.base, 0o711)
        self.namespaces = root and layers.enter_namespaces()
        self.mounted = self.namespaces and layers.mount_tmpfs(self.base, SCRATCH_MB)
        self.scratch = os.path.join(self.base, "run")
        os.mkdir(self.scratch, 0o711)
        stdlib = self._stdlib()
        self.packages = self._packages(packages)
        folders = sorted({os.path.dirname(path) for path in self.packages})
        sys.path.extend(folders)
        readable = [stdlib, *self.packages, "/lib", "/lib64", "/usr/lib", "/usr/share/zoneinfo", "/dev/urandom",
                    "/dev/zero"]  # fmt: skip
        ruleset = layers.landlock_ruleset(readable, [self.scratch, "/dev/null"], listed=folders)
        # Out of the way of the descriptors that a run is given.
        self.ruleset = None if ruleset is None else os.dup2(ruleset, RULESET_FD, inheritable=False)
        self.user = 60_000 + os.getpid() % 5_000 if root else None
        self.runs = 0

    def _stdlib(self) -> str:
        """The standard library where the unprivileged user can read it: it may lie in another user's home."""
        source = sysconfig.get_path("stdlib")
        target = os.path.join(self.base, "stdlib")
        if self.mounted:
            os.mkdir(target)
            if layers.bind(source, target):
                sys.path[:] = [target, os.path.join(target, "lib-dynload")]
                return target
        return source

    def _packages(self, folders: list[str]) -> list[str]:
        """The packages likewise; where nothing can be mounted, in their own places, whose other names can be listed."""
        if not self.mounted:
            return folders
        bound = []
        for source in folders:
            target = os.path.join(self.base, "packages", os.path.basename(source))
            os.makedirs(target)
            if layers.bind(source, target):
                bound.append(target)
        return bound

    def report(self) -> dict[str, bool]:
        return {
            "rlimits": True, "own_user": self.user is not None, "namespaces": self.namespaces, "tmpfs": self.mounted,
            "landlock": self.ruleset is not None, "seccomp": layers.TEMPLATE is not None,
        }  # fmt: skip

    def folder(self) -> str:
        self.runs += 1
        path = os.path.join(self.scratch, str(self.runs))
        os.mkdir(path, 0o700)
        if self.user is not None:
            os.chown(path, self.user, self.user)
        return path

    def close(self) -> None:
        if self.mounted:
            for path in (os.path.join(self.base, "stdlib"), *self.packages):
                layers.unmount(path)
            layers.unmount(self.base)
        shutil.rmtree(self.base, ignore_errors=True)


def confine(warm: Warm, limits: dict[str, int], folder: str) -> None:
    """Give up everything, in the forked child, before any model code runs. Raises OSError when a layer fails."""
    os.setsid()
    os.chdir(folder)
    os.umask(0o077)
    for signum in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_DFL)
    cpu = limits["cpu"]
    bounds = {
        resource.RLIMIT_CPU: (cpu, cpu + 1), resource.RLIMIT_AS: (limits["memory"],) * 2,
        resource.RLIMIT_FSIZE: (limits["file"],) * 2, resource.RLIMIT_NOFILE: (OPEN_FILES,) * 2,
        resource.RLIMIT_CORE: (0, 0), resource.RLIMIT_MEMLOCK: (0, 0),
    }  # fmt: skip
    for kind, bound in bounds.items():
        resource.setrlimit(kind, bound)
    if warm.user is not None:
        resource.setrlimit(resource.RLIMIT_NPROC, (THREADS, THREADS))
        os.setgroups([])
        os.setresgid(warm.user, warm.user, warm.user)
        os.setresuid(warm.user, warm.user, warm.user)
    if not layers.no_new_privileges():
        raise OSError("no_new_privs was refused")
    if warm.ruleset is not None and not layers.enter_landlock(warm.ruleset):
        raise OSError("Landlock was refused")
    if layers.TEMPLATE is not None and not layers.enter_seccomp(os.getpid()):
        raise OSError("the seccomp filter was refused")
    if warm.ruleset is not None:
        os.close(warm.ruleset)


def child(warm: Warm, limits: dict[str, int], folder: str, fds: list[int]) -> None:
    """The forked child: wire descriptors, confine, run, leave. Never returns. Exit 99 says that confinement failed."""
    try:
        signal.set_wakeup_fd(-1)
        job_fd, stdin, result, stdout = fds
        with os.fdopen(job_fd, "rb") as file:
            job = json.load(file)
        null = os.open("/dev/null", os.O_RDWR)
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in (stdin, stdout, null, result)]
        for target, source in enumerate(high):
            os.dup2(source, target)
        os.closerange(4, RULESET_FD)
        os.closerange(RULESET_FD + 1, RULESET_FD + 100)
        os.environ.clear()
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # numpy starts one for each core
        os.environ.update({"HOME": folder, "TMPDIR": folder, "PATH": "", "LANG": "C.UTF-8", **threads})
        confine(warm, limits, folder)
    except BaseException:
        os._exit(99)
    code = 1
    try:
        code = execute(job)
    except BaseException:
        code = 1
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
        os._exit(code)


def execute(job: dict[str, Any]) -> int:
    """Run the program; for calls and expressions, send each value out as one line. The exit code."""
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, "r", closefd=False)), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(1, "w", closefd=False)), encoding="utf-8", line_buffering=False
    )
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(io.FileIO(2, "w", closefd=False)), encoding="utf-8")
    sys.argv = ["solution.py"]
    builtins.exit = builtins.quit = leave  # type: ignore[assignment]  # by the site module, without which we start
    if job["mode"] == "livecodebench":
        return int(livecodebench.run(job, send))
    sys.setrecursionlimit(10_000 if job["mode"] == "stdio" else 5_000)
    module = types.ModuleType("__main__" if job["mode"] == "stdio" else "solution")
    module.__dict__["__builtins__"] = builtins
    sys.modules[module.__name__] = module
    try:
        program = compile(job["code"], "solution.py", "exec", dont_inherit=True)
        exec(program, module.__dict__)
        if job["mode"] == "stdio":
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
            return 0
    except SystemExit as stop:
        if job["mode"] != "stdio":
            send(["stop", "SystemExit"])
            return 1
        sys.stdout.flush()
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException as error:
        send(["stop", f"{type(error).__name__}: {error}"[:300]])
        if job["mode"] == "stdio":
            sys.stdout.flush()
        return 1
    for question in job["cases"]:
        try:
            value = ask(job, module.__dict__, question)
            send(["value", plain(value)])
        except BaseException as error:
            send(["raised", f"{type(error).__name__}: {error}"[:300]])
    return 0


def leave(code: object = None) -> None:
    raise SystemExit(code)


def ask(job: dict[str, Any], names: dict[str, Any], question: Any) -> Any:
    if job["mode"] == "expressions":
        return eval(question, names)
    target = names.get(job["name"])
    if target is None and isinstance(names.get("Solution"), type):
        target = getattr(names["Solution"](), job["name"])
    if target is None:
        raise NameError(f"name {job['name']!r} is not defined")
    return target(*question)


def send(message: list[Any]) -> None:
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(3, data) :]


def serve(control: socket.socket, warm: Warm) -> None:
    """One run at a time until end of file."""
    parent = os.getppid()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([control], [], [], 5.0)
        if os.getppid() != parent:
            return
        if not ready:
            continue
        message, ancillary, _, _ = control.recvmsg(65536, socket.CMSG_SPACE(4 * 4))
        if not message:
            return
        if message == b"kill":  # arrived after the run had ended
            continue
        fds = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
        folder = warm.folder()
        pid = os.fork()
        if pid == 0:
            child(warm, json.loads(message), folder, list(fds))
        for fd in fds:
            os.close(fd)
        outcome = watch(pid, control, wake_read)
        reap_orphans()
        shutil.rmtree(folder, ignore_errors=True)
        if outcome is None:
            return
        control.send(json.dumps(outcome).encode())


def watch(pid: int, control: socket.socket, wake: int) -> dict[str, Any] | None:
    """Wait for the child's end; kill it when asked to, or when the parent is gone (None then)."""
    sources: list[Any]
    gone = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            if gone:
                return None
            return {"exit": os.waitstatus_to_exitcode(status), "cpu": usage.ru_utime + usage.ru_stime}
        sources = [wake] if gone else [control, wake]
        ready, _, _ = select.select(sources, [], [], 5.0)
        if wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 4096)
        if control in ready:
            gone = not control.recv(65536)
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(pid, signal.SIGKILL)


def reap_orphans() -> None:
    """Kill what a run left behind: as subreaper, this process inherits it, whatever session it moved to."""
    for _ in range(1000):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children") as file:
            for pid in file.read().split():
                os.kill(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    layers.LIBC.prctl(SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warm = Warm(sys.argv[2:])
    gc.collect()
    gc.freeze()
    control.send(json.dumps({"layers": warm.report(), "base": warm.base}).encode())
    try:
        serve(control, warm)
    except BaseException:
        traceback.print_exc()
    finally:
        warm.close()


if __name__ == "__main__":
    main()
