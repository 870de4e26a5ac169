"""The last task of a run: clear scratch after success, name the culprit after failure."""

import math
import os
import shutil
import time
from pathlib import Path

from hexad.cleanup.config import CleanupConfig
from hexad.stage.artifact import Failure, Settings
from hexad.stage.progress import ENVIRONMENT

_DAY_S = 86400.0


def main(settings: str, state: str, message: str, card: str) -> None:
    """Print one line and write it to `card`. Scratch of a failed run stays: the next run resumes from it."""
    parsed = Settings.model_validate_json(settings)
    context, config = parsed.context, CleanupConfig.model_validate(parsed.config)
    if state == "SUCCEEDED":
        if context.work:
            clear(Path(context.work), config.idle_days * _DAY_S, time.time())
        line = f"{context.run}: done"
    else:
        line = f"{context.run}: failed: {cause(_failures()) or message}"
    print(line)  # noqa: T201  the task's log is where people look
    Path(card).write_text(line + "\n")


def clear(work: Path, idle_s: float, now: float) -> None:
    """Remove the scratch of tries that nobody goes on with: folders `<stage>/<key>` in which nothing changed for
    `idle_s`; with 0 all of `work`. Finished stages have removed theirs themselves."""
    if not idle_s:
        shutil.rmtree(work, ignore_errors=True)
        return
    for folder in sorted(work.glob("*/*")):
        if now - _changed(folder) > idle_s:
            shutil.rmtree(folder, ignore_errors=True)


def _changed(folder: Path) -> float:
    """When something in it changed last; never long ago where files go away meanwhile, since somebody is at work."""
    try:
        return max(path.lstat().st_mtime for path in [folder, *folder.rglob("*")])
    except FileNotFoundError:
        return math.inf


def cause(failures: list[Failure]) -> str:
    """The first failure, as one line: its message's last, or its type where it says nothing."""
    if not failures:
        return ""
    first = failures[0]
    *_, last = first.type, *first.message.strip().splitlines()
    return f"{first.stage}: {last}"


def _failures() -> list[Failure]:
    folder = os.environ.get(ENVIRONMENT)
    if not folder:
        return []
    files = sorted(Path(folder).glob("*.error.json"), key=lambda path: path.stat().st_mtime)
    return [Failure.model_validate_json(path.read_bytes()) for path in files]
