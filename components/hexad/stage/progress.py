"""How far a stage is, in a small file that whoever started the run watches."""

import json
import os
import time
from pathlib import Path
from typing import Self

ENVIRONMENT = "HEXAD_PROGRESS"


class Progress:
    """Writes `<folder>/<stage>.json`: {"stage", "fraction", "note", "started", "updated", "state"}.

    The folder comes from $HEXAD_PROGRESS; without it nothing is written. Writes are atomic.
    """

    def __init__(self, stage: str, folder: Path | None) -> None:
        self._stage = stage
        self._folder = folder
        self._started = time.time()
        self._last = 0.0
        self._write(0.0, "", "running")

    @classmethod
    def for_stage(cls, stage: str) -> Self:
        folder = os.environ.get(ENVIRONMENT)
        return cls(stage, Path(folder) if folder else None)

    def update(self, fraction: float, note: str = "") -> None:
        """`fraction` 0..1. Cheap enough for every step: at most four writes a second reach the disk."""
        if time.time() - self._last >= 0.25:
            self._write(fraction, note, "running")

    def finish(self, cached: bool = False) -> None:
        self._write(1.0, "", "cached" if cached else "done")

    def _write(self, fraction: float, note: str, state: str) -> None:
        self._last = time.time()
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        row = {
            "stage": self._stage,
            "fraction": round(fraction, 4),
            "note": note,
            "started": self._started,
            "updated": self._last,
            "state": state,
        }
        partial = self._folder / f".{self._stage}.{os.getpid()}"
        partial.write_text(json.dumps(row))
        partial.replace(self._folder / f"{self._stage}.json")
