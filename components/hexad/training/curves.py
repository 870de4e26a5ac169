"""Training curves: what a trainer logged, as rows, with progress reported on the way."""

from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class Curve(TrainerCallback):
    """Reports progress after every step: `report(fraction, note)`."""

    def __init__(self, report: Callable[[float, str], None], shown: str = "loss") -> None:
        self._report = report
        self._shown = shown
        self._note = ""

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._report(
            state.global_step / max(1, state.max_steps), f"step {state.global_step}/{state.max_steps}{self._note}"
        )

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if logs and self._shown in logs:
            self._note = f", {self._shown} {float(logs[self._shown]):.3f}"


def curve_rows(history: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, float]]:
    """Rows {"step", …} of a trainer's log history, keeping the keys of `names` under their new names."""
    rows: dict[int, dict[str, float]] = {}
    for entry in history:
        kept = {new: float(entry[old]) for old, new in names.items() if old in entry}
        if kept:
            step = int(entry.get("step", 0))
            rows.setdefault(step, {"step": step}).update(kept)
    return [rows[step] for step in sorted(rows)]
