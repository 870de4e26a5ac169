"""What the register container does: one version in the registry for a bundle that the gate promotes."""

import os
from pathlib import Path

from hexad.records import MANIFEST, Manifest
from hexad.registry.api import connect
from hexad.registry.config import RegisterConfig
from hexad.registry.entry import Origin, entry_of
from hexad.registry.reading import read_bundle, read_scores
from hexad.registry.registration import register
from hexad.stage.artifact import Settings, reporting
from hexad.stage.context import RUN_ID, Context

_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def main(settings: str, bundle: str, scores: str, decision: str, card: str) -> None:
    """`bundle`, `scores`, `decision`: folders with the manifests of those trees. Raises RegistryError, StorageError."""
    with reporting("register") as progress:
        parsed = Settings.model_validate_json(settings)
        config = RegisterConfig.model_validate(parsed.config)
        made, measured, gate = (
            Manifest.from_json((Path(folder) / MANIFEST).read_bytes()) for folder in (bundle, scores, decision)
        )
        line = _registered(config, parsed.context, made, measured, str(gate.metadata["decision"]))
        Path(card).write_text(f"# Register\n\n{line}\n")
        progress.finish()


def _registered(config: RegisterConfig, context: Context, made: Manifest, measured: Manifest, decision: str) -> str:
    if decision != "promote":
        return f"Not registered: the gate says {decision}."
    namespace = _NAMESPACE.read_text().strip() if _NAMESPACE.is_file() else ""
    origin = Origin(run_id=os.environ.get(RUN_ID, ""), namespace=namespace, run=context.run)
    entry = entry_of(made, read_bundle(made.uri), read_scores(measured.uri), origin, decision)
    done = register(entry, connect(config.url, os.environ))
    how = "Registered" if done.created else "Was registered already"
    return f"{how}: {entry.model} {entry.version} (model {done.model_id}, version {done.version_id})."
