"""One grader in a process of its own: {"gold", "response"} lines in, {"accepted", "seconds", "error"} lines out."""

import json
import os
import sys
import time

from benchmarks.grading.graders import GRADERS


def main(name: str) -> None:
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a grader prints is not for our reader
    accepts = GRADERS[name][0]()
    accepts("2", "so \\boxed{2}")  # imports and first-call costs are not the rows'
    out.write("ready\n")
    for line in sys.stdin:
        row = json.loads(line)
        error, accepted, began = "", False, time.perf_counter()
        try:
            accepted = bool(accepts(row["gold"], row["response"]))
        except Exception as raised:  # noqa: BLE001 - a grader that raises is counted, not mourned
            error = f"{type(raised).__name__}: {raised}"[:200]
        out.write(json.dumps({"accepted": accepted, "seconds": time.perf_counter() - began, "error": error}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
