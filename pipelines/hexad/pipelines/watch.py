"""How far a run is: from the small files that its tasks leave, never from KFP's output."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hexad.stage.artifact import Failure, Outcome
from hexad.stage.boxes import GROUPS, SECTIONS

State = Literal["waiting", "running", "done", "cached", "failed"]
Stages = Mapping[str, tuple[str, ...]]
"""Rows of the table, in order: stage to its tasks, of which the last one starts last."""
POST_TRAINING: Stages = {section: (section,) for section in SECTIONS} | {
    "evaluate": (*(f"evaluate-{group}" for group in GROUPS), "scores"),
}
_EARLY = 0.05  # below this share the rate of progress says little yet


@dataclass(frozen=True)
class StageState:
    """One row of the table. Times are seconds; `remaining` is None when nothing is known."""

    stage: str
    state: State
    fraction: float = 0.0
    note: str = ""
    elapsed: float = 0.0
    remaining: float | None = None


def snapshot(
    folder: Path, expected: Mapping[str, float], now: float, succeeded: bool | None = None,
    stages: Stages = POST_TRAINING,
) -> list[StageState]:  # fmt: skip
    """State of every stage from the progress folder; `expected`: seconds per stage.

    `succeeded` is None while the run goes on; afterwards a stage that did not end is a failed one.
    """
    rows = _rows(folder)
    failed = {failure.stage for failure in failures(folder)}
    started = [index for index, tasks in enumerate(stages.values()) if any(task in rows for task in tasks)]
    last = len(stages) if succeeded else max(started, default=-1)
    return [_state(stage, tasks, rows, failed, index < last, expected.get(stage), now, succeeded)
            for index, (stage, tasks) in enumerate(stages.items())]  # fmt: skip


def corpus_stages(shards: int) -> Stages:
    """The corpus pipeline's."""
    return {
        "parts": ("corpus_parts",),
        "clean": tuple(f"corpus_clean-{shard}" for shard in range(shards)),
        "duplicates": ("corpus_duplicates",),
        "finish": tuple(f"corpus_finish-{shard}" for shard in range(shards)),
        "corpus": ("corpus",),
    }


def total_remaining(states: list[StageState]) -> float | None:
    """Seconds until the end; None while any stage that is left is unknown."""
    left = [state.remaining for state in states if state.state in ("waiting", "running")]
    known = [seconds for seconds in left if seconds is not None]
    return sum(known) if len(known) == len(left) else None


def failures(folder: Path) -> list[Failure]:
    """Why tasks failed, the first one first."""
    files = sorted(folder.glob("*.error.json"), key=lambda file: file.stat().st_mtime)
    return [Failure.model_validate_json(file.read_bytes()) for file in files]


def outcomes(folder: Path) -> dict[str, Outcome]:
    """Trees that tasks of this run handed on, by task."""
    found = (Outcome.model_validate_json(file.read_bytes()) for file in sorted(folder.glob("*.result.json")))
    return {outcome.stage: outcome for outcome in found}


def clear(folder: Path) -> None:
    """Forget an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.json"):
        file.unlink()


def _rows(folder: Path) -> dict[str, dict[str, float | str]]:
    files = (file for file in folder.glob("*.json") if not file.name.endswith((".error.json", ".result.json")))
    return {file.stem: json.loads(file.read_bytes()) for file in files}


def _state(
    stage: str,
    names: tuple[str, ...],
    rows: Mapping[str, Mapping[str, float | str]],
    failed: set[str],
    passed: bool,
    expected: float | None,
    now: float,
    succeeded: bool | None,
) -> StageState:
    tasks = [rows[task] for task in names if task in rows]
    if not tasks:
        # A task that KFP took from its cache leaves no file, but one that runs after it does.
        return StageState(stage, "cached", 1.0) if passed else StageState(stage, "waiting", remaining=expected)
    begin = min(float(task["started"]) for task in tasks)
    newest = max(tasks, key=lambda task: float(task["updated"]))
    complete = names[-1] in rows and all(task["state"] in ("done", "cached") for task in tasks)
    if failed.intersection(names) or (succeeded is False and not complete and not passed):
        return StageState(stage, "failed", _fraction(names, rows), str(newest["note"]), now - begin)
    if complete or passed:
        cached = all(task["state"] == "cached" for task in tasks)
        return StageState(stage, "cached" if cached else "done", 1.0, elapsed=float(newest["updated"]) - begin)
    fraction, elapsed = _fraction(names, rows), now - begin
    return StageState(stage, "running", fraction, str(newest["note"]), elapsed, _remaining(fraction, elapsed, expected))


def _fraction(names: tuple[str, ...], rows: Mapping[str, Mapping[str, float | str]]) -> float:
    parts = [float(rows[task]["fraction"]) if task in rows else 0.0 for task in names]
    return sum(parts) / len(parts)


def _remaining(fraction: float, elapsed: float, expected: float | None) -> float | None:
    """By plan at first, by the measured rate later; by rate alone once the plan is overrun."""
    by_rate = elapsed * (1 - fraction) / fraction if fraction > _EARLY else None
    if by_rate is None:
        return None if expected is None else max(expected - elapsed, 0.0)
    if expected is None or expected <= elapsed:
        return by_rate
    return fraction * by_rate + (1 - fraction) * (expected - elapsed)
