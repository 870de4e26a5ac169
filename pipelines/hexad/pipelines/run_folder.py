"""The folder of a local run: what lies where, who holds it, and what is remembered between runs."""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import Field

from hexad.records import Record
from hexad.stage.boxes import from_section


class FolderInUse(RuntimeError):
    """Another run holds the folder."""


class Memory(Record):
    """`stages.json`: how long stages took, so that the next run can tell the time left."""

    last: dict[str, float] = Field(default_factory=dict, description="Stage to seconds, when it was last computed.")
    trees: dict[str, float] = Field(default_factory=dict, description="'stage uri' to the seconds that made the tree.")


class RunFolder:
    """`runs/NAME`."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.compiled = self.root / "pipeline.yaml"
        self.kfp = self.root / "kfp"
        self.kfp_cache = self.kfp / ".kfp_cache"
        self.store = self.root / "store"
        self.work = self.root / "work"
        self.progress = self.root / "progress"
        self.log = self.root / "log" / "pipeline.log"
        self.report = self.root / "report.html"
        self.summary = self.root / "summary.json"
        self._attempts = self.root / "attempts.json"
        self._memory = self.root / "stages.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs out until the end of this process at the latest. Raises FolderInUse, and OSError where there
        can be no such folder."""
        with self._opened_lock() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise FolderInUse(
                    f"{self.root}: another run is using this folder; wait for it or give --out"
                ) from error
            yield

    def _opened_lock(self) -> IO[str]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            return (self.root / "lock").open("a")
        except OSError as error:
            what = f"cannot be a run's folder ({error.strerror})"
            raise OSError(f"{self.root}: {what}; give another with --out") from error

    def attempts(self, again_from: str = "") -> dict[str, int]:
        """How often each stage was asked to be computed again; `again_from` asks for it and all after it."""
        attempts: dict[str, int] = json.loads(self._attempts.read_bytes()) if self._attempts.exists() else {}
        if again_from:
            for section in from_section(again_from):
                attempts[section] = attempts.get(section, 0) + 1
            _replace(self._attempts, json.dumps(attempts, indent=1))
        return attempts

    def memory(self) -> Memory:
        return Memory.model_validate_json(self._memory.read_bytes()) if self._memory.exists() else Memory()

    def remember(self, seconds: Mapping[str, float], trees: Mapping[str, str]) -> None:
        """Note that stages were computed in `seconds`; `trees` names what they made."""
        old = self.memory()
        made = {f"{stage} {trees[stage]}": value for stage, value in seconds.items() if stage in trees}
        new = Memory(last=old.last | dict(seconds), trees=old.trees | made)
        _replace(self._memory, new.model_dump_json(indent=1))


def _replace(file: Path, text: str) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(file)
