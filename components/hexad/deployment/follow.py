"""A server that follows `current.json`: a new bundle is started and smoke-tested beside the old one, then takes over.

Requests in flight end on the old stack, which stays for `linger_s` seconds so that a roll-back finds it running. A
bundle that does not start, or fails the smoke test, is refused once and the old one keeps answering; a store that does
not answer is asked again.
"""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from hexad.deployment.bundle import policy_of, read_bundle
from hexad.deployment.fetch import RefusedBundle, in_use
from hexad.deployment.front import Behind, Front
from hexad.deployment.gateway_settings import gateway_settings
from hexad.deployment.machine import Say, fetch_here, running_engine, starting
from hexad.deployment.pointer import NoBundle, find_bundle, read_pointer
from hexad.deployment.settings import ENGINE_MODEL, response_tokens
from hexad.deployment.smoke import ENOUGH_TOKENS, SmokeTestFailed, smoke_test
from hexad.deployment.stack import scorer
from hexad.engines.vllm_server import EngineError
from hexad.gateway.config import GatewayConfig
from hexad.storage import StorageError, Store, StoreUnreachable

_HOST = "127.0.0.1"
_REFUSALS = (EngineError, SmokeTestFailed, RefusedBundle, NoBundle, StorageError, OSError)


class Stack:
    """A running bundle: its gateway behind the front, whether its engine lives, and what ends it."""

    def __init__(self, behind: Behind, alive: Callable[[], bool], stop: Callable[[], None]) -> None:
        self.digest, self.behind, self.alive, self.stop = behind.digest, behind, alive, stop
        self.left = 0.0
        """When clients were sent elsewhere, on the follower's clock."""


Start = Callable[[str], Stack]
"""From a bundle's digest to its stack, smoke-tested. Raises what refuses a bundle."""


def start_stack(store: Store, place: str, front: Front, logs: Path, say: Say, digest: str) -> Stack:
    """Fetch and start a bundle on this machine, and test it through a gateway that no client reaches yet."""
    manifest = find_bundle(store, f"{place.rstrip('/')}/{digest}")
    copy = fetch_here(store, manifest, say)
    bundle, logs = read_bundle(copy), logs / digest
    tokens = response_tokens(bundle.max_model_len)
    with contextlib.ExitStack() as stack:
        stack.enter_context(in_use(copy))
        engine = stack.enter_context(running_engine(copy, bundle, logs, say))
        with starting("the verifier", logs / "verifier.log", say):
            scorer_url = stack.enter_context(scorer(copy, logs))
        settings = gateway_settings(bundle.name, policy_of(bundle), engine.base_url, ENGINE_MODEL, scorer_url, tokens)
        behind = front.mount(digest, GatewayConfig.model_validate(settings))
        stack.callback(front.unmount, behind)
        with front.listening(_HOST, 0, behind) as url:
            smoke_test(url, bundle.name, min(tokens, ENOUGH_TOKENS))
        return Stack(behind, lambda: engine.alive, stack.pop_all().close)


class Follower:
    """Keeps the front on the bundle that the pointer in `place` names. Call `step` every second or so."""

    def __init__(
        self, store: Store, place: str, front: Front, start: Start, say: Say, linger_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._store, self._place, self._front = store, place.rstrip("/"), front
        self._start, self._say, self._linger_s, self._clock = start, say, linger_s, clock
        self._current: Stack | None = None
        self._leaving: list[Stack] = []
        self._refused = ""
        self._trouble = ""

    def first(self) -> None:
        """Start what the pointer names. Raises what a refused bundle raises."""
        pointer = read_pointer(self._store, self._place)
        if pointer is None:
            raise NoBundle(
                f"{self._place}: no current.json there; make one with: hexad rollout BUNDLE --name … --store …"
            )
        self._take(self._start(pointer.digest))

    def step(self) -> None:
        """One look at the pointer, and what follows from it. Raises EngineError when the serving engine died."""
        self._stop_drained()
        assert self._current is not None, "first() comes before step()"
        if not self._current.alive():
            raise EngineError(f"the engine of bundle {self._current.digest} ended; its log says why")
        try:
            pointer = read_pointer(self._store, self._place)
            if pointer is None or pointer.digest == self._current.digest:
                self._refused = ""
            elif pointer.digest != self._refused:
                self._replace(pointer.digest)
        except StorageError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                self._say(f"{error}; serving goes on with what runs")
            return
        self._trouble = ""

    def close(self) -> None:
        """Stop every stack."""
        stacks, self._leaving = [*self._leaving, *([self._current] if self._current else [])], []
        self._current = None
        with contextlib.ExitStack() as all_of_them:
            for stack in stacks:
                all_of_them.callback(stack.stop)

    def _replace(self, digest: str) -> None:
        """Raises StoreUnreachable, which says nothing about the bundle."""
        if not self._trouble:
            self._say(f"bundle {digest} is wanted; the old one answers until it is ready")
        running = next((stack for stack in self._leaving if stack.digest == digest and stack.alive()), None)
        if running is not None:
            self._leaving.remove(running)
        try:
            self._take(running or self._start(digest))
        except StoreUnreachable:
            raise
        except _REFUSALS as error:
            self._refused = digest
            self._say(f"bundle {digest} is refused, the old one stays: {error}")

    def _take(self, stack: Stack) -> None:
        old, self._current = self._current, stack
        self._front.switch(stack.behind)
        if old is not None:
            old.left = self._clock()
            self._leaving.append(old)
        self._say(f"bundle {stack.digest} answers")

    def _stop_drained(self) -> None:
        for stack in list(self._leaving):
            if stack.behind.running == 0 and self._clock() - stack.left >= self._linger_s:
                self._leaving.remove(stack)
                stack.stop()
                self._say(f"bundle {stack.digest} is drained and stopped")
