"""`hexad serve BUNDLE`: the bundle on this machine, until Ctrl-C."""

import signal
import tempfile
import threading
from pathlib import Path

from hexad.deployment.bundle import engine_of, policy_of, read_bundle, speculation_of
from hexad.deployment.stack import engine, scaffold
from hexad.records import Manifest
from hexad.storage import fetch_tree, open_store, read_manifest


def serve(bundle: str, target: str = "cpu", port: int = 8000) -> int:
    """Fetch the bundle's tree (every file checked against its sha256), start engine and gateway, wait for a signal.

    `bundle` is a store URI of a serve tree, or a folder that holds bundle.json. Returns the exit code.
    """
    if target != "cpu":
        raise ValueError(f"target is {target!r}; this machine serves on 'cpu', clusters serve from manifests/")
    with tempfile.TemporaryDirectory(prefix="hexad-serve-") as scratch:
        folder = Path(bundle)
        if "://" in bundle:
            store = open_store(bundle)
            manifest: Manifest | None = read_manifest(store, bundle)
            if manifest is None:
                raise FileNotFoundError(
                    f"{bundle}: no committed tree there; give the URI that the report's lineage names"
                )
            folder = fetch_tree(store, manifest, Path(scratch) / "bundle")
        record = read_bundle(folder)
        logs = Path(scratch) / "logs"
        stopped = threading.Event()
        for wanted in (signal.SIGINT, signal.SIGTERM):
            signal.signal(wanted, lambda *_: stopped.set())
        with (
            engine(folder, engine_of(record), logs / "engine.log", speculation_of(record), threads=2) as running,
            scaffold(folder, record.name, policy_of(record), running.base_url, logs, port) as url,
        ):
            print(f"{record.name} answers at {url}/v1 (Ctrl-C stops it)", flush=True)  # noqa: T201
            stopped.wait()
    return 0
