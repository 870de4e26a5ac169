"""From a KFP task to a stage and back: the few lines that every component shares. Needs no kfp.

A component hands over its settings (one JSON string) and its artifacts; the artifact's folder gets the tree's
manifest.json, never the tree, because KFP downloads input artifacts whole before a task starts (DESIGN §4).
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from pydantic import Field, JsonValue

from hexad.records import MANIFEST, Manifest, Record
from hexad.stage.boxes import BOXES, CORPUS_BOXES
from hexad.stage.context import Context
from hexad.stage.execute import StageResult
from hexad.stage.lifeline import die_with_runner
from hexad.stage.progress import ENVIRONMENT, Progress
from hexad.storage import open_store


class File(Protocol):
    """The part of a KFP artifact that is a place."""

    path: str


class Tree(File, Protocol):
    """The part of a KFP artifact that the UI shows."""

    metadata: dict[str, Any]


class Metrics(File, Protocol):
    """The part of `kfp.dsl.Metrics` that is used here."""

    def log_metric(self, metric: str, value: float) -> None: ...


class Settings(Record):
    """What one component gets as its `settings` string."""

    config: dict[str, JsonValue] = Field(default_factory=dict, description="The stage's section of the recipe.")
    context: Context


class Outcome(Record):
    """`<progress>/<label>.result.json`: the tree that a task of this run handed on."""

    stage: str
    uri: str
    digest: str
    cached: bool
    inputs: dict[str, str] = Field(description="Input name to store URI of its tree.")
    metrics: dict[str, float]


class Failure(Record):
    """`<progress>/<label>.error.json`: why a task of this run ended."""

    stage: str
    type: str
    message: str


def run_box(
    stage: str,
    settings: str,
    inputs: Mapping[str, str],
    tree: Tree,
    metrics: Metrics,
    card: File,
    group: str = "",
) -> StageResult:
    """Run `stage` and publish what it made. `inputs`: name to folder that holds a manifest.json.

    Raises whatever the stage raises, after writing down the cause for whoever watches the run.
    """
    label = f"{stage}-{group}" if group else stage
    with reporting(label) as progress:
        box = (BOXES | CORPUS_BOXES)[stage]
        parsed = Settings.model_validate_json(settings)
        config = box.config_type().model_validate(parsed.config)
        options = {"group": group} if group else {}
        result: StageResult = box.load_job().run(config, parsed.context, dict(inputs), **options)
        publish(result, tree, metrics, card)
        if group:
            tree.metadata["group"] = group
        _leave(f"{label}.result.json", outcome_of(label, result, inputs))
        progress.finish(result.cached)
    return result


def publish(result: StageResult, tree: Tree, metrics: Metrics, card: File) -> None:
    """Fill a task's output artifacts. `artifact.uri` stays as KFP set it: a changed one fails on a cluster."""
    folder = Path(tree.path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_text(result.manifest.to_json())
    tree.metadata.update(artifact_metadata(result.manifest))
    for name, value in result.metrics.items():
        metrics.log_metric(name, float(value))
    # The numbers travel as metadata, but kfp.local's cache takes an artifact without a file for a lost one.
    Path(metrics.path).write_text(json.dumps(result.metrics))
    Path(card.path).write_text(result.card)


def artifact_metadata(manifest: Manifest) -> dict[str, JsonValue]:
    """What the UI shows of a tree: place, numbers, and where it came from. Flat, since the UI shows no nested values.

    Kubeflow's lineage leads from artifact to artifact; with these keys it also ends where Kubeflow knows nothing, at
    revisions of datasets and of the base model, and each step can be checked against the store.
    """
    origin = manifest.provenance
    numbers = {key: value for key, value in manifest.metadata.items() if key != "inputs"}
    places = manifest.metadata.get("inputs")
    known = places if isinstance(places, dict) else {}
    about: dict[str, JsonValue] = {
        "store_uri": manifest.uri, "digest": manifest.digest, "stage": origin.stage, "bytes": manifest.total_bytes,
        "git": origin.git, "image": origin.image, "config": origin.config, "seed": origin.seed,
    }  # fmt: skip
    inputs = {f"input.{name}": f"{known.get(name, '')} {digest}".strip() for name, digest in origin.inputs.items()}
    datasets = {f"dataset.{identity}": revision for identity, revision in origin.datasets.items()}
    models = {f"base_model.{identity}": revision for identity, revision in origin.base_model.items()}
    return {**numbers, **about, **inputs, **datasets, **models}


def publish_file(result: StageResult, name: str, target: File) -> None:
    """Copy one file of a stage's tree into an artifact, for files that people open in the UI."""
    uri = result.manifest.uri
    Path(target.path).write_bytes(open_store(uri).read_bytes(f"{uri}/{name}"))


@contextmanager
def reporting(label: str) -> Iterator[Progress]:
    """Tell the run's watcher that a task runs and, when it fails, why. End with the runner when that dies."""
    die_with_runner()
    try:
        yield Progress.for_stage(label)
    except Exception as error:
        _leave(f"{label}.error.json", Failure(stage=label, type=type(error).__name__, message=str(error)))
        raise


def outcome_of(label: str, result: StageResult, inputs: Mapping[str, str]) -> Outcome:
    """What the watcher needs to know of a finished task."""
    uris = {name: json.loads((Path(folder) / MANIFEST).read_bytes())["uri"] for name, folder in inputs.items()}
    manifest = result.manifest
    return Outcome(
        stage=label, uri=manifest.uri, digest=manifest.digest, cached=result.cached, inputs=uris, metrics=result.metrics
    )


def _leave(name: str, record: Record) -> None:
    folder = os.environ.get(ENVIRONMENT)
    if folder:
        partial = Path(folder) / f".{name}.{os.getpid()}"
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(record.model_dump_json(indent=1))
        partial.replace(Path(folder) / name)
