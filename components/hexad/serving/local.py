"""`hexad serve BUNDLE`: the bundle on this machine, until Ctrl-C."""

import os
import signal
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from hexad.deployment.bundle import engine_of, policy_of, read_bundle, speculation_of
from hexad.deployment.external import cerebras_from, without_models
from hexad.deployment.stack import engine, scaffold
from hexad.records import Manifest
from hexad.storage import fetch_tree, open_store, read_manifest


def serve(bundle: str, target: str = "cpu", port: int = 8000) -> int:
    """Fetch the bundle's tree (every file checked against its sha256), start engine and gateway, wait for a signal.

    With the target "cerebras" the engine is the endpoint that the environment names (deployment/external.py), and of
    the bundle only its record and the verifier are fetched.
    `bundle` is a store URI of a serve tree, or a folder that holds bundle.json. Returns the exit code.
    """
    if target not in ("cpu", "cerebras"):
        raise ValueError(f"target is {target!r}; this machine serves on 'cpu' or 'cerebras', clusters from manifests/")
    external = cerebras_from(os.environ) if target == "cerebras" else None
    with tempfile.TemporaryDirectory(prefix="hexad-serve-") as scratch:
        folder = Path(bundle)
        if "://" in bundle:
            store = open_store(bundle)
            manifest: Manifest | None = read_manifest(store, bundle)
            if manifest is None:
                raise FileNotFoundError(
                    f"{bundle}: no committed tree there; give the URI that the report's lineage names"
                )
            tree = manifest if external is None else without_models(manifest)
            folder = fetch_tree(store, tree, Path(scratch) / "bundle")
        record = read_bundle(folder)
        logs = Path(scratch) / "logs"
        stopped = threading.Event()
        for wanted in (signal.SIGINT, signal.SIGTERM):
            signal.signal(wanted, lambda *_: stopped.set())
        with ExitStack() as stack:
            if external is None:
                running = stack.enter_context(
                    engine(folder, engine_of(record), logs / "engine.log", speculation_of(record), threads=2)
                )
                front = scaffold(folder, record.name, policy_of(record), running.base_url, logs, port)
            else:
                most = external.max_tokens or record.max_model_len * 3 // 4  # the rest is the prompt's
                front = scaffold(
                    folder,
                    record.name,
                    policy_of(record),
                    external.base_url,
                    logs,
                    port,
                    most,
                    backend=external.settings,
                )
            url = stack.enter_context(front)
            print(f"{record.name} answers at {url}/v1 (Ctrl-C stops it)", flush=True)  # noqa: T201
            stopped.wait()
    return 0
