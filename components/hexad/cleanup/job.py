"""The last task of a run: clear scratch after success, name the culprit after failure."""

import os
import shutil
from pathlib import Path

from hexad.stage.artifact import Failure, Settings
from hexad.stage.progress import ENVIRONMENT


def main(settings: str, state: str, message: str, card: str) -> None:
    """Print one line and write it to `card`. Scratch of a failed run stays: the next run resumes from it."""
    context = Settings.model_validate_json(settings).context
    if state == "SUCCEEDED":
        if context.work:
            shutil.rmtree(context.work, ignore_errors=True)
        line = f"{context.run}: done"
    else:
        line = f"{context.run}: failed: {cause(_failures()) or message}"
    print(line)  # noqa: T201  the task's log is where people look
    Path(card).write_text(line + "\n")


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
