"""Roll-out on this machine: a trial stack proves the bundle, then the pointer moves and a following server takes it up.

The trial and the server that follows are two processes on purpose: a bundle that cannot be served never becomes the
current one, for this server or any other that reads the pointer.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

from hexad.deployment.bundle import read_bundle
from hexad.deployment.fetch import RefusedBundle
from hexad.deployment.front import BUNDLE_HEADER
from hexad.deployment.machine import Say, fetch_here, running_stack
from hexad.deployment.pointer import NoBundle, find_bundle, point_at, read_pointer
from hexad.deployment.rollout import StepFailed, Traffic
from hexad.deployment.settings import response_tokens
from hexad.deployment.smoke import ENOUGH_TOKENS, SmokeTestFailed, smoke_test
from hexad.engines.vllm_server import EngineError
from hexad.storage import StorageError, Store


class LocalDriver:
    """A `Driver`. `place`: bundles/<name>, into which the bundle was published. `url`: a server that may follow it."""

    errors: tuple[type[Exception], ...] = (EngineError, StorageError, RefusedBundle, NoBundle, SmokeTestFailed)

    def __init__(
        self, store: Store, place: str, url: str, logs: Path, who: str, say: Say, *, change_s: float = 300.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._store, self._place, self._url, self._logs = store, place, url, logs
        self._who, self._say, self._change_s, self._sleep = who, say, change_s, sleep
        self._before = read_pointer(store, place)
        self._trial = ExitStack()
        self._trial_url, self._name, self._tokens = "", "", 0
        self._zero: Traffic | None = None

    def current(self) -> str | None:
        return self._before.digest if self._before else None

    def start(self, digest: str) -> None:
        """A trial stack on a free port."""
        copy = fetch_here(self._store, find_bundle(self._store, f"{self._place}/{digest}"), self._say)
        bundle = read_bundle(copy)
        self._name, self._tokens = bundle.name, response_tokens(bundle.max_model_len)
        gateway, _ = self._trial.enter_context(running_stack(copy, bundle, self._logs, 0, self._say))
        self._trial_url = gateway.url

    def smoke(self, digest: str) -> None:
        smoke_test(self._trial_url, self._name, min(self._tokens, ENOUGH_TOKENS))

    def switch(self, digest: str) -> None:
        """Move the pointer, or put it back; then wait for the server at `url`, if one follows."""
        self._trial.close()  # its memory is wanted by the server's own new stack
        followed = served_bundle(self._url) is not None
        point_at(self._store, self._place, digest, self._who, self._before)
        if not followed:
            self._say(f"no server at {self._url} follows; the pointer has moved, the next start takes {digest}")
            return
        waited = 0.0
        while (served := served_bundle(self._url)) != digest:
            if waited >= self._change_s:
                raise StepFailed(f"{self._url}: still serves {served} after {waited:.0f} s; its output says why")
            self._sleep(1.0)
            waited += 1.0
        self._zero = count(self._url)

    def traffic(self, digest: str) -> Traffic | None:
        """Requests since the change-over; a server that is gone counts as failed requests."""
        if self._zero is None:
            return None
        now = count(self._url)
        if now is None:
            raise StepFailed(f"{self._url}: does not answer since it serves {digest}")
        if now.requests < self._zero.requests:
            raise StepFailed(f"{self._url}: has counted less than before, so it was started again; its output says why")
        return Traffic(requests=now.requests - self._zero.requests, failures=now.failures - self._zero.failures)

    def retire(self, keep: set[str]) -> None:
        """Nothing: the following server stops what it no longer serves, and the store keeps every bundle."""

    def drop(self, digest: str) -> None:
        self._trial.close()


def served_bundle(url: str) -> str | None:
    """Digest of the bundle that answers at `url`; None where nothing answers or nothing follows."""
    try:
        digest: str | None = httpx.get(f"{url}/livez", timeout=5.0, trust_env=False).headers.get(BUNDLE_HEADER)
    except httpx.HTTPError:
        return None
    return digest


def count(url: str) -> Traffic | None:
    """What a gateway has answered so far, from its /metrics; None when it does not tell."""
    try:
        text = httpx.get(f"{url}/metrics", timeout=5.0, trust_env=False).raise_for_status().text
    except httpx.HTTPError:
        return None
    by_status: dict[int, int] = {}
    for line in text.splitlines():
        if line.startswith('hexad_requests_total{status="'):
            labels, _, value = line.rpartition(" ")
            by_status[int(labels.split('"')[1])] = int(float(value))
    failures = sum(number for status, number in by_status.items() if status >= 500)
    return Traffic(requests=sum(by_status.values()), failures=failures)
