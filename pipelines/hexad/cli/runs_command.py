"""runs, logs and stop: what goes on in a cluster."""

from rich.console import Console
from rich.table import Table

from hexad.cli.connection import Target, told
from hexad.cli.inputs import refuse, say
from hexad.cli.submit_command import watch_run
from hexad.pipelines.console import clock
from hexad.stage.boxes import SECTIONS
from hexad.submission import runs
from hexad.submission.answers import Run
from hexad.submission.api import Missing
from hexad.submission.follow import look
from hexad.submission.picture import table
from hexad.submission.run_state import AFTERWARDS, CORPUS_STAGES


def show(run_id: str, target: Target, experiment: str, count: int, watch: bool) -> int:
    """One run's stages, or the newest runs and the schedules."""

    def work() -> int:
        api = target.api()
        if not run_id:
            Console().print(_overview(runs.newest(api, target.namespace, count, experiment)))
            for found in runs.schedules(api, target.namespace):
                cron = found.trigger.get("cron_schedule", {}).get("cron", "")
                say(f"schedule {found.recurring_run_id}  {found.status}  {found.display_name}  {cron}")
            return 0
        run = runs.get(api, run_id)
        if watch:
            return watch_run(api, run, target)
        stages, log = look(target.cluster(), run)
        say(f"{run.display_name}: {run.state}\n{target.link(run.run_id)}")
        Console().print(table(stages, log))
        return 0

    return told(work)


def logs(run_id: str, stage: str, target: Target, lines: int) -> int:
    """The last lines of a stage's tasks; without a stage, of the one that runs or failed."""
    known = (*SECTIONS, *CORPUS_STAGES, *AFTERWARDS)
    if stage and stage not in known:
        raise refuse(f"{stage}: no such stage; stages are {', '.join(known)}")

    def work() -> int:
        run = runs.get(target.api(), run_id)
        cluster = target.cluster()
        if cluster is None:
            say("logs are read from Kubernetes, and there is no kubeconfig; give one (KUBECONFIG)", error=True)
            return 1
        states, _ = look(cluster, run)
        busy = [state.stage for state in states if state.state in ("running", "failed")]
        wanted = stage or (busy[-1] if busy else "")
        if not wanted:
            raise refuse(
                f"run {run_id}: no stage runs or failed; name one of {', '.join(state.stage for state in states)}"
            )
        found = cluster.log_tail(run_id, wanted, lines)
        for pod, text in found.items():
            say(f"== {wanted}: {pod}\n{text.rstrip()}")
        if not found:
            say(f"{wanted}: has no pods any more; the UI keeps its log: {target.link(run_id)}", error=True)
        return 0 if found else 1

    return told(work)


def stop(run_id: str, target: Target) -> int:
    """End a run, and what its tasks started; or a schedule, when `run_id` is one's."""

    def work() -> int:
        api = target.api()
        try:
            run = runs.get(api, run_id)
        except Missing as missing:
            try:
                runs.unschedule(api, run_id)
            except Missing:
                raise missing from None
            say(f"schedule {run_id}: deleted")
            return 0
        if run.finished:
            say(f"run {run_id}: is over already ({run.state})")
        else:
            runs.terminate(api, run_id)
            say(f"run {run_id}: told to end")
        return _clear(run_id, target)

    return told(work)


def _clear(run_id: str, target: Target) -> int:
    """Kubeflow ends pods, not what they started: TrainJobs and engines would hold their accelerators."""
    cluster = target.cluster()
    if cluster is None:
        say("no kubeconfig: TrainJobs and engines that its tasks started are left; give one and stop again", error=True)
        return 1
    deleted, failed = cluster.delete_started(run_id)
    for name in deleted:
        say(f"deleted {name}")
    for message in failed:
        say(message, error=True)
    return 1 if failed else 0


def _overview(found: list[Run]) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("run", "state", "time", "name"):
        grid.add_column(title, justify="right" if title == "time" else "left", no_wrap=title != "name")
    for run in found:
        took = (run.finished_at - run.created_at).total_seconds() if run.finished_at and run.created_at else None
        grid.add_row(run.run_id, run.state, "" if took is None else clock(took), run.display_name)
    return grid
