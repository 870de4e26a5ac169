"""A transfer's progress on the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from hexad.storage.store import TransferProgress


@contextmanager
def progress_bar(description: str, console: Console | None = None) -> Iterator[TransferProgress]:
    """A callback that draws bytes, speed and time left; hand it to `commit_tree`, `fetch_tree` or a store."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
