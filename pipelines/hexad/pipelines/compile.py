"""Recipe and profile to KFP IR: one YAML file with the pipeline and its platform document."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import dropwhile
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp import compiler

from hexad.pipelines.corpus import corpus_pipeline
from hexad.pipelines.pipeline_kinds import PipelineKind
from hexad.pipelines.post_training import post_training
from hexad.pipelines.profile import Profile

_MAKE: dict[PipelineKind, Callable[..., Any]] = {
    PipelineKind.POST_TRAINING: post_training,
    PipelineKind.CORPUS: corpus_pipeline,
}


def compile_pipeline(
    settings: Mapping[str, str], profile: Profile, target: Path, every_run: Collection[str] = (),
    kind: PipelineKind = PipelineKind.POST_TRAINING,
) -> Path:  # fmt: skip
    """Write the compiled pipeline to `target`; the same input gives the same bytes.

    Sections in `every_run` are computed in each run of it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    compiler.Compiler().compile(_pipeline(kind, settings, profile, every_run), str(target))
    # KFP's heading repeats the parameters, and those that are dicts in an order that changes from process to process.
    lines = target.read_text().splitlines(keepends=True)
    target.write_text("".join(dropwhile(lambda line: line.startswith("#"), lines)))
    return target


def pipeline_ir(settings: Mapping[str, str], profile: Profile) -> dict[str, Any]:
    """The first document of the file that `compile_pipeline` writes: tasks, and what flows between them."""
    made = _pipeline(PipelineKind.POST_TRAINING, settings, profile, ())
    ir: dict[str, Any] = json_format.MessageToDict(made.pipeline_spec)
    return ir


def _pipeline(kind: PipelineKind, settings: Mapping[str, str], profile: Profile, every_run: Collection[str]) -> Any:
    with ThreadPoolExecutor(1) as thread:
        # KFP walks the whole stack at every setting of a task, which takes seconds below a command line's many frames.
        return thread.submit(_MAKE[kind], settings, profile, every_run=every_run).result()
