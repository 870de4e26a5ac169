"""Run a stage once: reuse its committed tree, or compute, upload and commit it.

A tree's place is a digest of all that its bytes depend on, so running again finds it, and a run that was killed
goes on at the first stage whose tree was not committed. KFP's own cache sits on top and saves the process start.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, JsonValue

from hexad.records import MANIFEST, Manifest, Provenance
from hexad.stage.context import RUN_ID, Context
from hexad.stage.lifeline import die_with_parent
from hexad.stage.progress import Progress
from hexad.storage import ObjectMissing, Store, TreeExists, commit_tree, fetch_tree, open_store, read_manifest

METRICS, CARD, TREE = "metrics.json", "card.md", "tree.json"


@dataclass(frozen=True)
class Workspace:
    """Where a stage's body reads and writes. `out` becomes the tree; `scratch` survives a kill of this stage."""

    inputs: Mapping[str, Path]
    manifests: Mapping[str, Manifest]
    out: Path
    scratch: Path
    context: Context
    progress: Progress


@dataclass(frozen=True)
class Product:
    """What a stage's body hands back besides the files in `out`."""

    metrics: dict[str, float]
    card: str
    metadata: dict[str, JsonValue] = field(default_factory=dict)
    datasets: dict[str, str] = field(default_factory=dict)
    base_model: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StageResult:
    """A committed tree, with the numbers and the page that describe it."""

    manifest: Manifest
    metrics: dict[str, float]
    card: str
    cached: bool


def execute(
    stage: str,
    config: BaseModel,
    context: Context,
    inputs: Mapping[str, str | Path],
    body: Callable[[Workspace], Product],
    store: Store | None = None,
    by_digest: str = "",
) -> StageResult:
    """Return `stage`'s tree for this config and these inputs, computing it only when it is not there.

    `inputs` maps names to KFP artifact folders that hold a manifest.json. `by_digest`: folder of the store in
    which the tree is named by its own digest, for trees that others find by it; the usual place then holds its name.
    """
    die_with_parent()
    store = store or open_store(context.store)
    manifests = {name: Manifest.from_json((Path(path) / MANIFEST).read_bytes()) for name, path in inputs.items()}
    config_digest = _digest(config.model_dump(mode="json"))
    digests = {name: manifest.digest for name, manifest in manifests.items()}
    occurrence = [os.environ[RUN_ID]] if context.every_run else []
    key = _digest([stage, config_digest, digests, context.code, context.seed, context.attempt, *occurrence])[:16]
    uri = f"{context.store.rstrip('/')}/{stage}/{key}"
    progress = Progress.for_stage(stage)
    committed = _named(store, uri, context.store) if by_digest else read_manifest(store, uri)
    if committed is None:
        scratch = Path(context.work or tempfile.mkdtemp(prefix="hexad-")) / stage / key
        local = {name: fetch_tree(open_store(m.uri), m, scratch / "in" / name) for name, m in manifests.items()}
        out = scratch / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        started = time.monotonic()
        product = body(Workspace(local, manifests, out, scratch, context, progress))
        (out / METRICS).write_text(json.dumps(product.metrics, indent=1, sort_keys=True))
        (out / CARD).write_text(product.card)
        provenance = Provenance(
            stage=stage,
            git=context.git,
            code=context.code,
            image=context.image,
            config=config_digest,
            inputs=digests,
            datasets=product.datasets,
            base_model=product.base_model,
            seed=context.seed,
        )
        seconds = round(time.monotonic() - started, 2)
        places: dict[str, JsonValue] = {name: m.uri for name, m in manifests.items()}
        numbers: dict[str, JsonValue] = {**product.metadata, "seconds": seconds, "inputs": places}
        if by_digest:
            root = context.store.rstrip("/")
            manifest = commit_tree(store, out, lambda tree: f"{root}/{by_digest}/{tree.short}", provenance, numbers)
            store.write_bytes(f"{uri}/{TREE}", json.dumps(f"{by_digest}/{manifest.short}").encode())
        else:
            try:
                manifest = commit_tree(store, out, uri, provenance, numbers)
            except TreeExists:
                # Another run of the same settings, code and inputs was faster: its tree is this stage's as well.
                committed = read_manifest(store, uri)
                if committed is None:
                    raise
        shutil.rmtree(scratch, ignore_errors=True)
        if committed is None:
            progress.finish()
            return StageResult(manifest, product.metrics, product.card, cached=False)
    progress.finish(cached=True)
    metrics = json.loads(store.read_bytes(f"{committed.uri}/{METRICS}"))
    return StageResult(committed, metrics, store.read_bytes(f"{committed.uri}/{CARD}").decode(), cached=True)


def _named(store: Store, uri: str, root: str) -> Manifest | None:
    """The tree that `uri` names, which lies elsewhere in the store; None when there is none."""
    try:
        return read_manifest(store, f"{root.rstrip('/')}/{json.loads(store.read_bytes(f'{uri}/{TREE}'))}")
    except ObjectMissing:
        return None


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
