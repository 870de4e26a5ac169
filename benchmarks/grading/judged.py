"""Run graders over rows, each in a process that is killed when a row takes too long."""

import json
import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.grading.rows import Row

START_SECONDS = 180.0
ROW_SECONDS = 30.0


@dataclass(frozen=True)
class Judged:
    """What a grader said of a row. `trouble` is empty, "hang", or the exception."""

    accepted: bool
    seconds: float
    trouble: str


class Child:
    """A grader's process."""

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.grading.child", name], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if self._line(START_SECONDS) != "ready":
            raise RuntimeError(f"{name} did not start; try: {sys.executable} -m benchmarks.grading.child {name!r}")

    def _line(self, seconds: float) -> str:
        """One line, or nothing when it does not come in time."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        return self._process.stdout.readline().strip() if ready else ""

    def judge(self, row: Row) -> Judged | None:
        """None when the row took too long or ended the process."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"gold": row.gold, "response": row.response}) + "\n")
        line = self._line(ROW_SECONDS)
        if not line:
            return None
        said = json.loads(line)
        return Judged(said["accepted"], said["seconds"], said["error"])

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def judge_all(name: str, rows: Sequence[Row]) -> list[Judged]:
    """In order. A row that hangs costs its process, and the next row gets a new one."""
    child, judged = Child(name), []
    try:
        for row in rows:
            found = child.judge(row)
            if found is None:
                child.end()
                child = Child(name)
                found = Judged(False, ROW_SECONDS, "hang")
            judged.append(found)
    finally:
        child.end()
    return judged
