"""Watch a run until it ends: ask Kubeflow for its tasks, Kubernetes for its pods, and show both."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from hexad.submission import runs
from hexad.submission.answers import Run
from hexad.submission.api import PipelinesApi
from hexad.submission.cluster import Cluster, ClusterError
from hexad.submission.pods import notes
from hexad.submission.run_state import StageView, stages

_TAIL = 8  # lines below the table


class View(Protocol):
    """What shows a run."""

    def show(self, run: Run, stages: Sequence[StageView], log: str) -> None: ...


def follow(
    api: PipelinesApi,
    cluster: Cluster | None,
    run_id: str,
    view: View,
    every_s: float = 5.0,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Run, list[StageView]]:
    """The run as it ended. Raises ApiError when Kubeflow cannot be asked any more; the run goes on then."""
    while True:
        run = runs.get(api, run_id)
        states, log = look(cluster, run)
        view.show(run, states, log)
        if run.finished:
            return run, states
        sleep(every_s)


def look(cluster: Cluster | None, run: Run) -> tuple[list[StageView], str]:
    """A run's stages with what its pods say, and the end of the running stage's log.

    Without Kubernetes, or without the right to ask it, the stages are told from Kubeflow alone.
    """
    said: dict[str, str] = {}
    log = ""
    if cluster is not None:
        try:
            said = notes(cluster.pods(run.run_id))
        except ClusterError:
            cluster = None
    found = stages(run, datetime.now(UTC), said)
    running = next((stage.stage for stage in reversed(found) if stage.state == "running"), None)
    if cluster is not None and running is not None:
        try:
            log = "\n".join(cluster.log_tail(run.run_id, running, _TAIL).values())
        except ClusterError:
            log = ""
    return found, log
