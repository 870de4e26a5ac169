"""Shows a run while it runs: a live table on a terminal, plain lines elsewhere."""

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from hexad.pipelines.watch import StageState, total_remaining

_COLOURS = {"waiting": "dim", "running": "cyan", "done": "green", "cached": "green", "failed": "bold red"}
_EVERY_S = 20.0


class LiveTable:
    """A table that is redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=False)
        self._live.start()

    def show(self, states: list[StageState], now: float) -> None:
        self._live.update(table(states))

    def close(self) -> None:
        self._live.stop()


class PlainLines:
    """One line when a stage starts or ends, and every 20 s in between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, str] = {}
        self._last = 0.0

    def show(self, states: list[StageState], now: float) -> None:
        left = total_remaining(states)
        for state in states:
            changed = self._seen.get(state.stage, "waiting") != state.state
            due = state.state == "running" and now - self._last >= _EVERY_S
            if changed or due:
                self._console.print(line(state, left), highlight=False, markup=False, soft_wrap=True)
                self._last = now
            self._seen[state.stage] = state.state

    def close(self) -> None:
        pass


def line(state: StageState, left: float | None) -> str:
    """One stage as one line of text."""
    text = f"{state.stage:<10} {state.state}"
    if state.state == "running":
        text += f" {state.fraction:4.0%} {clock(state.elapsed)} {state.note}".rstrip()
        return f"{text} · {clock(left)} left" if left is not None else text
    return f"{text} in {clock(state.elapsed)}" if state.state in ("done", "failed") else text


def table(states: list[StageState]) -> Table:
    """All stages, with bars and the time left."""
    left = total_remaining(states)
    grid = Table(box=None, padding=(0, 2, 0, 0), caption=None if left is None else f"{clock(left)} left")
    for title, justify in (("stage", "left"), ("state", "left"), ("time", "right"), ("", "left"), ("", "left")):
        grid.add_column(title, justify="right" if justify == "right" else "left", no_wrap=True)
    for state in states:
        bar = ProgressBar(total=1.0, completed=state.fraction, width=24) if state.state == "running" else ""
        time = clock(state.elapsed) if state.elapsed else ""
        grid.add_row(state.stage, f"[{_COLOURS[state.state]}]{state.state}[/]", time, bar, state.note)
    return grid


def clock(seconds: float | None) -> str:
    """Seconds as m:ss or h:mm:ss."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
