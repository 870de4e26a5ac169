"""Bundles on this machine: where copies and logs lie, a running stack, and how it is stopped."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from hexad.deployment.bundle import engine_of, policy_of, speculation_of
from hexad.deployment.fetch import check_bundle, fetch_bundle, in_use
from hexad.deployment.settings import response_tokens
from hexad.deployment.stack import Gateway, engine, scaffold
from hexad.engines.cores import usable_cores
from hexad.engines.vllm_server import VllmServer
from hexad.records import Bundle, Manifest
from hexad.storage import Store
from hexad.storage.progress_bar import progress_bar

Say = Callable[[str], None]


def cache_folder(environment: Mapping[str, str]) -> Path:
    """HEXAD_CACHE, else `hexad` in the user's cache folder (XDG base directories)."""
    if environment.get("HEXAD_CACHE"):
        return Path(environment["HEXAD_CACHE"]).resolve()
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hexad"


def fetch_here(store: Store, manifest: Manifest, say: Say) -> Path:
    """A checked copy of the bundle in this user's cache. Raises StorageError and RefusedBundle."""
    with progress_bar("fetching the bundle", Console(stderr=True)) as progress:
        copy = fetch_bundle(store, manifest, _copies(), progress=progress, say=say)
    check_bundle(copy)
    return copy


def _copies() -> Path:
    return cache_folder(os.environ) / "bundles"


@contextmanager
def starting(what: str, log: Path, say: Say) -> Iterator[None]:
    """Show that something takes its time, and for how long already."""
    say(f"starting {what}; log: {log}")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        bar.add_task(f"starting {what}", total=None)
        yield


@contextmanager
def running_engine(copy: Path, bundle: Bundle, logs: Path, say: Say) -> Iterator[VllmServer]:
    """The bundle's engine, ready."""
    server = engine(copy, engine_of(bundle), logs / "engine.log", speculation_of(bundle), threads=usable_cores())
    with contextlib.ExitStack() as stack:
        with starting("the engine (half a minute, more for a large model)", logs / "engine.log", say):
            stack.enter_context(server)
        yield server


@contextmanager
def running_stack(copy: Path, bundle: Bundle, logs: Path, port: int, say: Say) -> Iterator[tuple[Gateway, VllmServer]]:
    """Engine, verifier and gateway; yields the gateway and the engine. The copy is kept meanwhile."""
    with contextlib.ExitStack() as stack:
        if copy.parent == _copies():
            stack.enter_context(in_use(copy))
        server = stack.enter_context(running_engine(copy, bundle, logs, say))
        tokens = response_tokens(bundle.max_model_len)
        with starting("verifier and gateway", logs / "gateway.log", say):
            gateway = stack.enter_context(
                scaffold(copy, bundle.name, policy_of(bundle), server.base_url, logs, port, tokens)
            )
        yield gateway, server


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM raise KeyboardInterrupt, once: a second one must not cut the stopping of processes short."""

    def stop(*_: object) -> None:
        for wanted in (signal.SIGINT, signal.SIGTERM):
            signal.signal(wanted, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {wanted: signal.signal(wanted, stop) for wanted in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for wanted, handler in before.items():
            signal.signal(wanted, handler)
