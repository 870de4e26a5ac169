"""`hexad run`: compile, start the store, execute the compiled YAML in a process of its own, watch, collect."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

import hexad
from hexad.pipelines import watch
from hexad.pipelines.console import LiveTable, PlainLines
from hexad.pipelines.pipeline_kinds import PipelineKind
from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe
from hexad.pipelines.run_folder import RunFolder
from hexad.pipelines.settings import box_settings, local_files
from hexad.records import StageSummary, Summary
from hexad.stage.artifact import Outcome
from hexad.stage.lifeline import end
from hexad.stage.progress import ENVIRONMENT
from hexad.storage import open_store
from hexad.storage.disk import appearing_whole

_STAGE_OF_INPUT = {"data": "curate", "sft": "sft", "policy": "rlvr", "verifier": "verifier", "draft": "drafter",
                   "bundle": "serve", "scores": "evaluate"}  # fmt: skip
_TASK_OF_STAGE = {"evaluate": "scores"}
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Threads that spin while they wait take the other half of a two-core machine.
    "OMP_WAIT_POLICY": "passive",
}
_POLL_S = 0.25
_STOP_S = 10.0
_LONGEST_CAUSE = 600  # characters


class RunFailed(RuntimeError):
    """A stage failed; the message is one line with stage, cause, log and what to do."""


@dataclass(frozen=True)
class RunResult:
    """What a finished run left."""

    summary: Summary
    decision: str
    report: Path
    seconds: float


def run_recipe(
    recipe: Recipe, profile: Profile, folder: RunFolder, console: Console, runner: str = "subprocess",
    store: str = "", again_from: str = "", mount_source: bool = False,
) -> RunResult:  # fmt: skip
    """Run `recipe` on this machine, resuming what `folder` holds. `mount_source`: see `container_arguments`.

    Raises RunFailed, FolderInUse, or StorageError when the store cannot be started or read.
    """
    begin = time.time()
    with _executed(recipe, profile, folder, console, runner, store, again_from, mount_source):
        summary, decision = collect(folder)
    return RunResult(summary, decision, folder.report, time.time() - begin)


def run_corpus(
    recipe: Recipe, profile: Profile, folder: RunFolder, console: Console, runner: str = "subprocess",
    store: str = "", mount_source: bool = False,
) -> Outcome:  # fmt: skip
    """Make the corpus of a recipe's sources on this machine: where its tree is, and numbers. Raises as `run_recipe`."""
    kind = PipelineKind.CORPUS
    with _executed(recipe, profile, folder, console, runner, store, "", mount_source, kind):
        return watch.outcomes(folder.progress)["corpus"]


@contextmanager
def _executed(
    recipe: Recipe, profile: Profile, folder: RunFolder, console: Console, runner: str, store: str, again_from: str,
    mount_source: bool, kind: PipelineKind = PipelineKind.POST_TRAINING,
) -> Iterator[None]:  # fmt: skip
    """After the pipeline has succeeded, while its store can still be read."""
    stages = watch.POST_TRAINING
    if kind is PipelineKind.CORPUS:
        stages = watch.corpus_stages(recipe.curate.corpus.shards)
    with ExitStack() as stack:
        stack.enter_context(folder.held())
        if not store and not folder.store.exists():
            # The trees are gone with the store, and KFP's cache would still hand them on.
            shutil.rmtree(folder.kfp_cache, ignore_errors=True)
        uri, keys = stack.enter_context(_store(folder, store))
        # KFP and vLLM leave files in it; its path must stay short enough for a socket's name.
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="hexad-"))
        settings = box_settings(recipe, profile, uri, str(folder.work), folder.attempts(again_from))
        _compile(settings, profile, folder, kind)
        watch.clear(folder.progress)
        expected = {**recipe.expected_seconds, **folder.memory().last}
        environment = {**os.environ, **_QUIET, **keys, ENVIRONMENT: str(folder.progress), "PYTHONPATH": _python_path(),
                       "TMPDIR": scratch}  # fmt: skip
        options = [runner, *(f"--readable={path}" for path in local_files(recipe))]
        if mount_source:
            options.append("--mount-source")
        succeeded = _execute(folder, options, environment, expected, console, stages)
        if not succeeded:
            raise RunFailed(_cause(folder, stages))
        os.environ.update(keys)
        yield


def _compile(settings: Mapping[str, str], profile: Profile, folder: RunFolder, kind: PipelineKind) -> None:
    from hexad.pipelines.compile import compile_pipeline

    compile_pipeline(settings, profile, folder.compiled, kind=kind)


def _execute(
    folder: RunFolder, options: list[str], environment: Mapping[str, str], expected: Mapping[str, float],
    console: Console, stages: watch.Stages,
) -> bool:  # fmt: skip
    folder.log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hexad.pipelines.execute_local", str(folder.compiled), str(folder.kfp), *options]
    view = LiveTable(console) if console.is_terminal else PlainLines(console)
    with folder.log.open("ab") as log:
        # A group of its own: the terminal's Ctrl-C reaches us alone, and we stop the run in order.
        process = subprocess.Popen(command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   process_group=0)  # fmt: skip
        try:
            while process.poll() is None:
                view.show(watch.snapshot(folder.progress, expected, time.time(), None, stages), time.time())
                _remember(folder, expected, None, stages)
                time.sleep(_POLL_S)
            succeeded = process.returncode == 0
            view.show(watch.snapshot(folder.progress, expected, time.time(), succeeded, stages), time.time())
            _remember(folder, expected, succeeded, stages)
        finally:
            view.close()
            end(process, _STOP_S)
    return succeeded


def _remember(folder: RunFolder, expected: Mapping[str, float], succeeded: bool | None, stages: watch.Stages) -> None:
    states = watch.snapshot(folder.progress, expected, time.time(), succeeded, stages)
    known = folder.memory()
    trees = {stage: outcome.uri for stage, outcome in _outcomes_by_stage(folder).items()}
    fresh = {s.stage: s.elapsed for s in states if s.state == "done" and known.last.get(s.stage) != s.elapsed}
    if fresh:
        folder.remember(fresh, trees)


def _outcomes_by_stage(folder: RunFolder) -> dict[str, Outcome]:
    found = watch.outcomes(folder.progress)
    return {{v: k for k, v in _TASK_OF_STAGE.items()}.get(task, task): outcome for task, outcome in found.items()}


def collect(folder: RunFolder) -> tuple[Summary, str]:
    """Copy the report out of its tree and complete the summary with what only the runner knows: the stages."""
    outcomes = _outcomes_by_stage(folder)
    uri = outcomes["report"].uri
    store = open_store(uri)
    _appear(folder.report, store.read_bytes(f"{uri}/report.html"))
    partial = Summary.model_validate_json(store.read_bytes(f"{uri}/summary.json"))
    trees = {_STAGE_OF_INPUT[name]: tree for name, tree in outcomes["report"].inputs.items()}
    trees |= {stage: outcome.uri for stage, outcome in outcomes.items()}
    seconds = folder.memory().trees
    stages = {}
    for state in watch.snapshot(folder.progress, {}, time.time(), succeeded=True):
        tree = trees.get(state.stage, "")
        took = state.elapsed if state.state == "done" else seconds.get(f"{state.stage} {tree}", state.elapsed)
        status = "done" if state.state == "done" else "cached"
        stages[state.stage] = StageSummary(seconds=round(took, 2), status=status, manifest=tree)
    summary = partial.model_copy(update={"stages": stages})
    _appear(folder.summary, summary.to_json().encode())
    return summary, "promote" if outcomes["gate"].metrics.get("promote") else "hold"


def _appear(path: Path, content: bytes) -> None:
    """Tools and `hexad serve` read what a run leaves, also after it was killed: the old file, or the whole new one."""
    with appearing_whole(path) as partial:
        partial.write_bytes(content)


def _cause(folder: RunFolder, stages: watch.Stages) -> str:
    failed = watch.failures(folder.progress)
    if failed:
        message = " ".join(failed[0].message.split())
        if len(message) > _LONGEST_CAUSE:
            message = f"{message[: _LONGEST_CAUSE // 2]} … {message[-_LONGEST_CAUSE // 2 :]}"
        stage, cause = failed[0].stage, f"{failed[0].type}: {message}"
    else:
        states = watch.snapshot(folder.progress, {}, time.time(), False, stages)
        stage = next((state.stage for state in states if state.state == "failed"), "the pipeline")
        cause = "ended without a word; it was killed (out of memory?) or could not start"
    return f"{stage} failed: {cause}. Log: {folder.log}. Mend it and run again: finished stages are kept."


@contextmanager
def _store(folder: RunFolder, store: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(URI, environment) of the store: the one given, or a server of our own over the run's folder."""
    if store:
        open_store(store)  # what it lacks is told before anything is compiled and started
        yield store, {}
        return
    from hexad.storage.embedded import EmbeddedS3

    with EmbeddedS3(folder.store) as server:
        yield "", server.environment()


def _python_path() -> str:
    """Tasks find this source first, installed or not."""
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*(str(Path(root).parent) for root in hexad.__path__), *([given] if given else [])])
