"""A run as it goes: a live table on a terminal, plain lines elsewhere."""

from collections.abc import Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hexad.pipelines.console import clock
from hexad.submission.answers import Run
from hexad.submission.run_state import StageView

_COLOURS = {
    "waiting": "dim", "running": "cyan", "done": "green", "cached": "green", "failed": "bold red", "stopped": "yellow",
}  # fmt: skip


def table(stages: Sequence[StageView], log: str = "") -> Group:
    """All stages, and below them the end of the running one's log."""
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("stage", "state", "time", ""):
        grid.add_column(title, justify="right" if title == "time" else "left", no_wrap=bool(title), overflow="fold")
    for stage in stages:
        time = "" if stage.seconds is None else clock(stage.seconds)
        grid.add_row(stage.stage, Text(stage.state, style=_COLOURS[stage.state]), time, Text(stage.note))
    return Group(grid, *([Text(log, style="dim")] if log else []))


def line(stage: StageView) -> str:
    """One stage as one line of text."""
    time = f" {clock(stage.seconds)}" if stage.seconds is not None else ""
    return f"{stage.stage:<10} {stage.state}{time}" + (f"  {stage.note}" if stage.note else "")


class LiveView:
    """A table that is redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=2)
        self._live.start()

    def show(self, run: Run, stages: Sequence[StageView], log: str) -> None:
        self._live.update(table(stages, log))

    def close(self) -> None:
        self._live.stop()


class LineView:
    """One line when a stage's state, or what it waits for, changes. No logs: `hexad logs` has them whole."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, tuple[str, str]] = {}

    def show(self, run: Run, stages: Sequence[StageView], log: str) -> None:
        for stage in stages:
            now = (stage.state, stage.note)
            if self._seen.get(stage.stage, ("waiting", "")) != now:
                self._console.print(line(stage), highlight=False, markup=False, soft_wrap=True)
            self._seen[stage.stage] = now

    def close(self) -> None:
        pass
