"""register: a bundle as a version in Kubeflow's Model Registry."""

import os
from pathlib import Path

from hexad.cli.inputs import refuse, say, summary_of
from hexad.cli.serve_command import bundle_uri
from hexad.deployment.pointer import NoBundle, find_bundle
from hexad.pipelines.run_folder import RunFolder
from hexad.records import Summary
from hexad.registry.api import RegistryError, connect
from hexad.registry.entry import Entry, Origin, entry_of
from hexad.registry.reading import read_bundle, read_scores
from hexad.registry.registration import register as register_entry
from hexad.storage import BadStoreUri, StorageError, open_store, read_manifest


def register(place: str, registry: str, scores: str, run_id: str, namespace: str, held: bool) -> int:
    """`place`: a bundle's store URI, or a run's folder, which knows its scores and what the gate decided."""
    if scores and "://" not in scores:
        raise refuse(f"--scores {scores}: is no store URI; give the tree of the stage `scores`")
    try:
        api = connect(registry, os.environ)
        with bundle_uri(place) as uri:
            entry = _entry(uri, RunFolder(Path(place)).summary, scores, Origin(run_id=run_id, namespace=namespace))
        if entry.properties.get("gate") == "hold" and not held:
            raise refuse(f"{place}: the gate holds this run back; give --held to register it all the same")
        done = register_entry(entry, api)
    except (BadStoreUri, NoBundle, ValueError) as error:
        raise refuse(str(error)) from error
    except (StorageError, RegistryError) as error:
        say(str(error), error=True)
        return 1
    how = "registered" if done.created else "was registered already"
    say(f"{entry.model} {entry.version}: {how} (model {done.model_id}, version {done.version_id})\n{entry.uri}")
    return 0


def _entry(uri: str, summary: Path, scores: str, origin: Origin) -> Entry:
    if "://" not in uri:
        raise NoBundle(f"{uri}: a folder without a manifest; give the run's folder, or the bundle's store URI")
    manifest = find_bundle(open_store(uri), uri)
    bundle = read_bundle(manifest.uri)
    if summary.is_file():
        run = summary_of(summary)
        return entry_of(manifest, bundle, run.scores, origin, _decision(run))
    return entry_of(manifest, bundle, read_scores(scores) if scores else {}, origin)


def _decision(run: Summary) -> str:
    stage = run.stages.get("gate")
    manifest = read_manifest(open_store(stage.manifest), stage.manifest) if stage and stage.manifest else None
    return str(manifest.metadata.get("decision", "")) if manifest else ""
