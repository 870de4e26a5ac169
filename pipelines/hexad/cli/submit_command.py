"""submit, schedule and retry: new runs on a cluster."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from hexad.cli.connection import Target, told
from hexad.cli.inputs import profile_from, recipe_from, refuse, say
from hexad.cli.pipeline_commands import clean, compiled
from hexad.pipelines.console import clock
from hexad.pipelines.pipeline_kinds import PipelineKind
from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe
from hexad.stage.boxes import SECTIONS
from hexad.submission import pipeline_versions, runs
from hexad.submission.again import again_from, parameters_of
from hexad.submission.answers import Run, Version
from hexad.submission.api import ApiError, PipelinesApi
from hexad.submission.follow import follow
from hexad.submission.picture import LineView, LiveView

SCHEDULED = ("evaluate",)
"""What each run of a schedule computes anew; gate and report follow, all before it comes from its trees."""
_LAST_LINES = 30


def submit(
    file: Path, profile_name: str, target: Target, experiment: str, watch: bool, images: Path | None = None,
    kind: PipelineKind = PipelineKind.POST_TRAINING,
) -> int:  # fmt: skip
    recipe, profile = recipe_from(file), profile_from(profile_name, images, this_source=True)
    yaml = _for_cluster(recipe, profile, (), kind)
    name = recipe.name if kind is PipelineKind.POST_TRAINING else f"{recipe.name}-{kind.value}"
    return told(lambda: _submit(yaml, name, profile, target, experiment, watch))


def schedule(
    file: Path, profile_name: str, target: Target, experiment: str, cron: str, images: Path | None = None
) -> int:
    """Evaluate again whenever `cron` says so."""
    if len(cron.split()) != 6:
        raise refuse(f"--cron {cron!r}: Kubeflow wants six fields, seconds first, e.g. '0 0 3 * * 1'")
    recipe, profile = recipe_from(file), profile_from(profile_name, images, this_source=True)
    yaml = _for_cluster(recipe, profile, SCHEDULED)

    def work() -> int:
        api = target.api()
        version = _published(api, yaml, recipe.name, profile, target.namespace)
        belongs = runs.experiment(api, experiment, target.namespace)
        name = _run_name(f"{recipe.name}-evaluate")
        made = runs.schedule(api, version, name, belongs, cron, {}, profile.tasks.service_account)
        say(f"schedule {made.recurring_run_id}: evaluates {recipe.name} at {cron}")
        return 0

    return told(work)


def retry(run_id: str, target: Target, first: str, watch: bool) -> int:
    """Another run of the same version: finished stages come from their trees, those from `first` on are computed."""
    if first and first not in SECTIONS:
        raise refuse(f"--from {first}: no such stage; stages are {', '.join(SECTIONS)}")

    def work() -> int:
        api = target.api()
        old = runs.get(api, run_id)
        reference = old.pipeline_version_reference
        if reference is None:
            raise refuse(f"run {run_id}: was started from a file, not from a version; submit its recipe again")
        version = pipeline_versions.get(api, reference.pipeline_id, reference.pipeline_version_id)
        parameters = parameters_of(old, version)
        if first:
            try:
                parameters = again_from(parameters, first, attempt=int(time.time()))
            except (KeyError, ValueError) as error:
                raise refuse(f"run {run_id}: is no run of Hexad's pipeline ({error}); give another id") from None
        name = _run_name(old.display_name.rpartition(" ")[0] or old.display_name)
        new = runs.start(api, version, name, old.experiment_id, parameters, old.service_account)
        say(f"run {new.run_id}: {target.link(new.run_id)}")
        return watch_run(api, new, target) if watch else 0

    return told(work)


def watch_run(api: PipelinesApi, run: Run, target: Target) -> int:
    """Show a run until it ends; 0 when it succeeded."""
    cluster = target.cluster()
    if cluster is None:
        say("no kubeconfig: what pods wait for and their logs are not shown", error=True)
    console = Console()
    view = LiveView(console) if console.is_terminal else LineView(console)
    try:
        ended, stages = follow(api, cluster, run.run_id, view)
    except ApiError as error:
        say(f"{error}\nthe run goes on; look at it with: hexad runs {run.run_id}", error=True)
        return 1
    except KeyboardInterrupt:
        say(f"the run goes on; end it with: hexad stop {run.run_id}", error=True)
        return 1
    finally:
        view.close()
    took = (ended.finished_at - ended.created_at).total_seconds() if ended.finished_at and ended.created_at else None
    say(f"run {ended.run_id}: {ended.state}" + (f" in {clock(took)}" if took is not None else ""))
    for stage in (s for s in stages if s.state == "failed"):
        say(f"{stage.stage} failed: {stage.note}\nits log: hexad logs {ended.run_id} {stage.stage}", error=True)
    return 0 if ended.state == "SUCCEEDED" else 1


def _submit(yaml: Path, name: str, profile: Profile, target: Target, experiment: str, watch: bool) -> int:
    api = target.api()
    version = _published(api, yaml, name, profile, target.namespace)
    belongs = runs.experiment(api, experiment, target.namespace)
    no_changes: Mapping[str, Any] = {}
    run = runs.start(api, version, _run_name(name), belongs, no_changes, profile.tasks.service_account)
    say(f"run {run.run_id}: {target.link(run.run_id)}")
    return watch_run(api, run, target) if watch else 0


def _published(api: PipelinesApi, yaml: Path, name: str, profile: Profile, namespace: str) -> Version:
    version, uploaded = pipeline_versions.publish(api, yaml, f"hexad-{name}-{profile.name}", namespace)
    say(f"pipeline version {version.display_name}: {'uploaded' if uploaded else 'was there already'}")
    return version


def _for_cluster(
    recipe: Recipe, profile: Profile, every_run: tuple[str, ...], kind: PipelineKind = PipelineKind.POST_TRAINING
) -> Path:
    if profile.placeholders():
        roles = ", ".join(profile.placeholders())
        raise refuse(f"profile {profile.name}: images of {roles} are placeholders; put in real ones, or give --images")
    yaml = compiled(recipe, profile, Path("build"), every_run, kind)
    if not clean(yaml, profile):
        raise typer.Exit(1)
    return yaml


def _run_name(name: str) -> str:
    """New by its time: a run is found again by its name."""
    return f"{name} {time.strftime('%Y-%m-%d-%H%M%S', time.gmtime())}-{time.time_ns() % 1_000_000:06}"
