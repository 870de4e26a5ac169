"""From what Kubeflow says of a run to the state of its stages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hexad.stage.boxes import BOXES, CORPUS_BOXES, GROUPS, SECTIONS
from hexad.submission.answers import Run, Task

StageState = Literal["waiting", "running", "done", "cached", "failed", "stopped"]
_STATES: dict[str, StageState] = {
    "PENDING": "waiting", "RUNNING": "running", "SUCCEEDED": "done", "CACHED": "cached", "FAILED": "failed",
    "CANCELING": "stopped", "CANCELED": "stopped", "SKIPPED": "stopped",
}  # fmt: skip
CORPUS_STAGES = tuple(name.replace("_", "-") for name in CORPUS_BOXES)
"""Stages of the corpus pipeline, as KFP names their tasks."""
AFTERWARDS = ("register", "cleanup")
"""Tasks without a section in the recipe. They are shown once they are there, since a run can fail in them alone."""
_STAGE_OF = {name: box.section for name, box in BOXES.items()} | {
    stage: stage for stage in (*CORPUS_STAGES, *AFTERWARDS)
}
_TASK = re.compile(rf"({'|'.join(_STAGE_OF)})(?:-\d+)?")
_TASKS = {section: sum(box.section == section for box in BOXES.values()) for section in SECTIONS}
_TASKS["evaluate"] += len(GROUPS) - 1


@dataclass(frozen=True)
class StageView:
    """One stage of a run. `seconds` is None before it starts; `note` says what it waits for, or why it failed."""

    stage: str
    state: StageState
    seconds: float | None = None
    note: str = ""


def stages(run: Run, now: datetime, notes: Mapping[str, str]) -> list[StageView]:
    """Every stage in the order of the run's pipeline. `notes`: stage to what its pods say (`pods.notes`)."""
    by_stage: dict[str, list[Task]] = {}
    for task in run.run_details.task_details:
        if stage := stage_of(task.display_name):
            by_stage.setdefault(stage, []).append(task)
    order = CORPUS_STAGES if by_stage.keys() & set(CORPUS_STAGES) else SECTIONS
    shown = [*order, *(stage for stage in AFTERWARDS if stage in by_stage)]
    return [_stage(stage, by_stage.get(stage, []), run, now, notes.get(stage, "")) for stage in shown]


def stage_of(task_name: str) -> str | None:
    """The stage that a task belongs to; None for KFP's own tasks."""
    match = _TASK.fullmatch(task_name)
    return _STAGE_OF[match[1]] if match else None


def _stage(stage: str, tasks: list[Task], run: Run, now: datetime, note: str) -> StageView:
    expected = _TASKS.get(stage, 1)
    state = _state([_STATES.get(task.state, "waiting") for task in tasks], expected, run.finished)
    begins = [task.start_time for task in tasks if task.start_time]
    ends = [task.end_time for task in tasks if task.end_time]
    over = state not in ("waiting", "running")
    seconds = ((max(ends) if over and ends else now) - min(begins)).total_seconds() if begins else None
    if state == "failed":
        said = [task.error.message for task in tasks if task.error and task.error.message]
        note = note or (said[0] if said else "")
    elif state == "running" and expected > 1:
        done = sum(task.state in ("SUCCEEDED", "CACHED") for task in tasks)
        note = f"{done} of {expected} tasks done" + (f"; {note}" if note else "")
    elif over:
        note = ""
    return StageView(stage, state, seconds, " ".join(note.split()))


def _state(states: list[StageState], expected: int, over: bool) -> StageState:
    if not states:
        return "stopped" if over else "waiting"
    for worst in ("failed", "stopped"):
        if worst in states:
            return worst
    if all(state in ("done", "cached") for state in states) and len(states) >= expected:
        return "cached" if all(state == "cached" for state in states) else "done"
    if over:
        return "stopped"
    return "waiting" if all(state == "waiting" for state in states) else "running"
