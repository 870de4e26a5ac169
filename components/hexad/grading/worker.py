"""A pool worker: one JSON job a line in, one JSON result a line out. Started by `hexad.grading.pool`.

Its CPU time a job is bounded by a timer whose signal kills it, even inside C code; the parent then knows by the exit
signal that the job was too heavy, whatever the machine's load.
"""

import json
import os
import resource
import select
import signal
from typing import Any

from hexad.grading import numeric
from hexad.grading.judge import judge
from hexad.grading.keys import key_of

CPU_SECONDS = 2.0
MEMORY = 2 << 30  # bytes of address space


def handle(job: dict[str, Any]) -> dict[str, Any]:
    """{"op": "judge", type, gold, options, answer} or {"op": "key", type, answer}."""
    if job["op"] == "key":
        return {"key": key_of(job["type"], job["answer"], numeric)}
    outcome = judge(job["type"], job["gold"], job["options"], job["answer"], numeric)
    return {"status": outcome.status, "score": outcome.score, "reason": outcome.reason}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    os.write(1, b'{"ready": true}\n')
    buffer = b""
    while True:
        readable, _, _ = select.select([0], [], [], 5.0)
        if os.getppid() != parent:
            return
        if not readable:
            continue
        chunk = os.read(0, 1 << 16)
        if not chunk:
            return
        buffer += chunk
        while b"\n" in buffer:
            line, _, buffer = buffer.partition(b"\n")
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
            try:
                result = handle(json.loads(line))
            except (ArithmeticError, ValueError, RecursionError, MemoryError, TypeError, LookupError) as error:
                result = {"failed": f"{type(error).__name__}: {error}"[:300]}
            signal.setitimer(signal.ITIMER_PROF, 0)
            answer = json.dumps(result).encode() + b"\n"
            while answer:
                answer = answer[os.write(1, answer) :]


if __name__ == "__main__":
    main()
