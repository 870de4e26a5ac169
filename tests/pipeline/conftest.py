"""One whole run of recipes/tiny.yaml against the embedded S3 server: killed once on the way, then run to its end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [str(Path(sys.executable).parent / "hexad"), "run", "recipes/tiny.yaml"]


@dataclass(frozen=True)
class Finished:
    """A run of `hexad run` that has ended."""

    code: int
    output: str
    seconds: float


@dataclass(frozen=True)
class TinyRun:
    """The folder of the run, where the first try was killed, and what the run after it said."""

    folder: Path
    killed_in: str
    trees_at_kill: set[str]
    resumed: Finished
    again: Callable[..., Finished]

    @property
    def summary(self) -> dict:
        return json.loads((self.folder / "summary.json").read_text())


def hexad_run(folder: Path, *options: str) -> Finished:
    started = time.monotonic()
    ended = subprocess.run(
        [*COMMAND, "--out", str(folder), *options], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )
    return Finished(ended.returncode, ended.stdout + ended.stderr, time.monotonic() - started)


def committed(folder: Path) -> set[str]:
    """Stages that have handed a tree on."""
    return {file.name.removesuffix(".result.json") for file in (folder / "progress").glob("*.result.json")}


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    victim = subprocess.Popen(
        [*COMMAND, "--out", str(folder)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while not (folder / "progress" / "sft.json").exists():
        assert victim.poll() is None and time.monotonic() < deadline, "the run did not reach sft"
        time.sleep(0.2)
    time.sleep(4)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    trees = committed(folder)
    return TinyRun(folder, "sft", trees, hexad_run(folder), lambda *options: hexad_run(folder, *options))
