"""`hexad serve BUNDLE`: the bundle on this machine, until Ctrl-C."""

import os
import tempfile
import time
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from hexad.deployment.bundle import BUNDLE, policy_of, read_bundle
from hexad.deployment.external import BackendError, External, cerebras_from, without_models
from hexad.deployment.fetch import check_bundle
from hexad.deployment.machine import Say, cache_folder, fetch_here, interruptible, running_stack
from hexad.deployment.pointer import NoBundle, find_bundle
from hexad.deployment.settings import response_tokens
from hexad.deployment.stack import scaffold
from hexad.engines.vllm_server import EngineError
from hexad.storage import BadStoreUri, fetch_tree, open_store

HOST = "127.0.0.1"
_LOOK_S = 1.0


def serve(
    bundle: AbstractContextManager[str], target: str = "cpu", port: int = 8000, follow: bool = False, say: Say = print
) -> None:
    """Fetch the bundle (every file checked against its sha256), start engine and gateway, return after a signal.

    `bundle` gives the store URI of a bundle or of bundles/<name>, or a folder that holds bundle.json; its store may be
    closed once the copy is there. With `follow` the pointer in bundles/<name> is watched and each new bundle takes over
    without an answer lost. With the target "cerebras" the engine is the endpoint that the environment names, and of the
    bundle only its record and the verifier are fetched.
    Raises PortTaken, NoBundle, RefusedBundle, BackendError, EngineError, StorageError.
    """
    if target not in ("cpu", "cerebras"):
        raise ValueError(f"target is {target!r}; this machine serves on 'cpu' or 'cerebras', clusters from manifests/")
    external = cerebras_from(os.environ) if target == "cerebras" else None
    if external is not None and follow:
        raise BackendError("--follow: is for engines of this machine; leave it out with --target cerebras")
    from hexad.deployment.front import check_port

    check_port(HOST, port)
    try:
        with interruptible():
            if follow:
                with bundle as place:
                    _follow(place, port, say)
            elif external is not None:
                with tempfile.TemporaryDirectory(prefix="hexad-serve-") as scratch:
                    with bundle as uri:
                        copy = _copy_without_models(uri, Path(scratch) / "bundle")
                    _serve_external(copy, external, port, say)
            else:
                with bundle as uri:
                    copy = _copy_of(uri, say)
                _serve(copy, port, say)
    except KeyboardInterrupt:
        say("stopped")


def _serve(copy: Path, port: int, say: Say) -> None:
    record = read_bundle(copy)
    logs = _logs(record.name)
    with running_stack(copy, record, logs, port, say) as (gateway, engine):
        say(f"{record.name} answers at {gateway.url}/v1 (page: {gateway.url}/ ; Ctrl-C stops it)")
        while engine.alive:
            gateway.check()
            time.sleep(_LOOK_S)
        raise EngineError(f"the engine ended; see {logs / 'engine.log'}")


def _serve_external(copy: Path, external: External, port: int, say: Say) -> None:
    record = read_bundle(copy)
    logs = _logs(record.name)
    most = external.max_tokens or response_tokens(record.max_model_len)
    policy, settings = policy_of(record), external.settings
    with scaffold(copy, record.name, policy, external.base_url, logs, port, most, backend=settings) as gateway:
        url = gateway.url
        say(f"{record.name} answers at {url}/v1 from {external.base_url} (page: {url}/ ; Ctrl-C stops it)")
        while True:
            gateway.check()
            time.sleep(_LOOK_S)


def _follow(place: str, port: int, say: Say) -> None:
    from hexad.deployment.follow import Follower, start_stack
    from hexad.deployment.front import Front

    if "://" not in place:
        raise BadStoreUri(f"{place}: --follow needs the store URI of bundles/<name>, where current.json lies")
    store, logs = open_store(place), _logs(place.rstrip("/").rpartition("/")[2])
    with Front() as front:
        follower = Follower(store, place, front, partial(start_stack, store, place, front, logs, say), say)
        try:
            follower.first()
            with front.listening(HOST, port) as url:
                say(f"{url}/v1 follows {place} (page: {url}/ ; Ctrl-C stops it)")
                while True:
                    time.sleep(_LOOK_S)
                    follower.step()
        finally:
            follower.close()


def _copy_of(bundle: str, say: Say) -> Path:
    if "://" in bundle:
        store = open_store(bundle)
        return fetch_here(store, find_bundle(store, bundle), say)
    folder = Path(bundle)
    try:
        check_bundle(folder)
    except (FileNotFoundError, ValidationError) as error:
        raise NoBundle(f"{folder / BUNDLE}: {error}; give a folder that a serve stage wrote") from error
    return folder


def _copy_without_models(bundle: str, folder: Path) -> Path:
    if "://" not in bundle:
        return Path(bundle)
    store = open_store(bundle)
    return fetch_tree(store, without_models(find_bundle(store, bundle)), folder)


def _logs(name: str) -> Path:
    """Kept after the end, since they explain it; those of the last start under a name."""
    return cache_folder(os.environ) / "logs" / name
