"""A pool of spawned worker processes with a hard kill at a deadline.

Not `concurrent.futures`: its workers cannot be killed one by one (areal-project/AReaL#1426). Not `fork`: the caller
may have torch loaded (verl-project/verl#3290). A worker is checked out for one job at a time, so a slow job delays
nothing but itself, and a caller waits when all are busy.
"""

import json
import os
import queue
import selectors
import signal
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from hexad.grading.child import start_module

WORKER = "hexad.grading.worker"
START_SECONDS = 120.0  # a cold import on a busy machine
WALL_SECONDS = 15.0  # a safety net several times the worker's own CPU limit
ATTEMPTS = 3
RECYCLE_JOBS = 20_000


@dataclass
class _Worker:
    process: "subprocess.Popen[bytes]"
    buffer: bytes = b""
    ready: bool = False
    jobs: int = 0
    deadline: float = 0.0
    job: int = -1

    def send(self, job: int, line: bytes) -> bool:
        """False when the worker is gone."""
        assert self.process.stdin is not None
        self.job, self.jobs = job, self.jobs + 1
        self.deadline = time.monotonic() + (WALL_SECONDS if self.ready else START_SECONDS + WALL_SECONDS)
        try:
            self.process.stdin.write(line)
        except OSError:
            return False
        return True

    def end(self) -> int:
        """Kill, reap, close; the exit code, negative for a signal."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        code = self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        return code


@dataclass
class Pool:
    """Workers, started when first needed. Safe to use from several threads."""

    size: int
    idle: "queue.LifoQueue[_Worker | None]" = field(default_factory=queue.LifoQueue)

    def __post_init__(self) -> None:
        for _ in range(self.size):
            self.idle.put(None)  # a place where a worker may be started

    def run(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Results in the order of the jobs: the worker's, {"heavy": …} above its CPU limit, or {"failed": …}."""
        results: list[dict[str, Any]] = [{} for _ in jobs]
        waiting = deque(range(len(jobs)))
        tries = [0] * len(jobs)
        busy: dict[int, _Worker] = {}
        with selectors.DefaultSelector() as selector:
            try:
                while waiting or busy:
                    self._hand_out(jobs, waiting, busy, selector)
                    timeout = max(0.0, min(w.deadline for w in busy.values()) - time.monotonic())
                    for key, _ in selector.select(timeout):
                        self._read(busy[key.fd], results, waiting, tries, busy, selector)
                    for worker in [w for w in busy.values() if w.deadline < time.monotonic()]:
                        self._lost(worker, results, waiting, tries, busy, selector, "killed at its deadline")
            finally:
                for worker in busy.values():  # only when an exception passes
                    worker.end()
                    self.idle.put(None)
        return results

    def _hand_out(self, jobs: list[dict[str, Any]], waiting: "deque[int]", busy: dict[int, _Worker],
                  selector: selectors.BaseSelector) -> None:  # fmt: skip
        while waiting:
            try:
                worker = self.idle.get(block=not busy)
            except queue.Empty:
                return
            worker = worker or _Worker(start_module(WORKER))
            assert worker.process.stdout is not None
            index = waiting.popleft()
            fd = worker.process.stdout.fileno()
            busy[fd] = worker
            selector.register(fd, selectors.EVENT_READ)
            worker.send(index, json.dumps(jobs[index]).encode() + b"\n")  # a dead worker shows as end of file

    def _read(self, worker: _Worker, results: list[dict[str, Any]], waiting: "deque[int]", tries: list[int],
              busy: dict[int, _Worker], selector: selectors.BaseSelector) -> None:  # fmt: skip
        assert worker.process.stdout is not None
        chunk = os.read(worker.process.stdout.fileno(), 1 << 16)
        if not chunk:
            self._lost(worker, results, waiting, tries, busy, selector, "died")
            return
        worker.buffer += chunk
        while b"\n" in worker.buffer:
            line, _, worker.buffer = worker.buffer.partition(b"\n")
            reply = json.loads(line)
            if "ready" in reply:
                worker.ready, worker.deadline = True, time.monotonic() + WALL_SECONDS
                continue
            results[worker.job] = reply
            self._release(worker, busy, selector)

    def _release(self, worker: _Worker, busy: dict[int, _Worker], selector: selectors.BaseSelector) -> None:
        assert worker.process.stdout is not None
        fd = worker.process.stdout.fileno()
        selector.unregister(fd)
        del busy[fd]
        if worker.jobs >= RECYCLE_JOBS:
            worker.end()
            self.idle.put(None)
        else:
            self.idle.put(worker)

    def _lost(self, worker: _Worker, results: list[dict[str, Any]], waiting: "deque[int]", tries: list[int],
              busy: dict[int, _Worker], selector: selectors.BaseSelector, why: str) -> None:  # fmt: skip
        assert worker.process.stdout is not None
        fd, index = worker.process.stdout.fileno(), worker.job
        selector.unregister(fd)
        del busy[fd]
        code = worker.end()
        self.idle.put(None)
        tries[index] += 1
        if code == -signal.SIGPROF:
            results[index] = {"heavy": "comparison above its CPU limit"}
        elif tries[index] < ATTEMPTS:
            waiting.append(index)
        else:
            results[index] = {"failed": f"grading worker {why} {ATTEMPTS} times (exit {code})"}

    def close(self) -> None:
        """End the idle workers. Jobs in progress in other threads keep theirs."""
        for _ in range(self.size):
            try:
                worker = self.idle.get(block=False)
            except queue.Empty:
                return
            if worker is not None:
                worker.end()
        for _ in range(self.size - self.idle.qsize()):
            self.idle.put(None)


_lock = threading.Lock()
_pools: dict[int, Pool] = {}


def default_size() -> int:
    """Workers of the shared pool: HEXAD_GRADING_WORKERS, else one a core up to four."""
    asked = os.environ.get("HEXAD_GRADING_WORKERS", "")
    return int(asked) if asked.isdigit() and int(asked) else max(1, min(4, os.cpu_count() or 1))


def shared_pool() -> Pool:
    """The pool of this process; a forked child does not use its parent's."""
    with _lock:
        return _pools.setdefault(os.getpid(), Pool(default_size()))


def close_shared_pool() -> None:
    with _lock:
        pool = _pools.pop(os.getpid(), None)
    if pool is not None:
        pool.close()
