"""A server that follows `current.json`: a new bundle is started and smoke-tested beside the old one, then takes over.

Requests in flight end on the old stack, which stays for `linger_s` seconds so that a roll-back finds it running. A
bundle that does not start, or fails the smoke test, is refused once and the old one keeps answering.
"""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from hexad.deployment.bundle import policy_of, read_bundle
from hexad.deployment.fetch import RefusedBundle, in_use
from hexad.deployment.front import Behind, Front
from hexad.deployment.gateway_settings import gateway_settings
from hexad.deployment.machine import Say, fetch_here, response_tokens, running_engine, starting
from hexad.deployment.pointer import NoBundle, find_bundle, read_pointer
from hexad.deployment.settings import ENGINE_MODEL
from hexad.deployment.smoke import SmokeTestFailed, smoke_test
from hexad.deployment.stack import scorer
from hexad.engines.vllm_server import EngineError, VllmServer
from hexad.gateway.config import GatewayConfig
from hexad.records import Bundle
from hexad.storage import StorageError, Store

_HOST = "127.0.0.1"
_REFUSALS = (EngineError, SmokeTestFailed, RefusedBundle, NoBundle, StorageError)


class Stack:
    """A running bundle behind the front."""

    def __init__(self, bundle: Bundle, engine: VllmServer, behind: Behind, stop: contextlib.ExitStack) -> None:
        self.bundle, self.engine, self.behind, self.stop = bundle, engine, behind, stop
        self.left = 0.0
        """When clients were sent elsewhere, on the monotonic clock."""

    @property
    def digest(self) -> str:
        return self.behind.digest


class Follower:
    """Keeps the front on the bundle that the pointer in `place` names. Call `step` every second or so."""

    def __init__(
        self, store: Store, place: str, front: Front, logs: Path, say: Say, linger_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._store, self._place, self._front, self._logs, self._say = store, place.rstrip("/"), front, logs, say
        self._linger_s, self._clock = linger_s, clock
        self.current: Stack | None = None
        self._leaving: list[Stack] = []
        self._refused = ""
        self._trouble = ""

    def first(self) -> Stack:
        """Start what the pointer names. Raises what a refused bundle raises."""
        found = find_bundle(self._store, self._place)
        digest = found.uri.rpartition("/")[2]
        self._take(self._start(digest))
        assert self.current is not None
        return self.current

    def step(self) -> None:
        """One look at the pointer, and what follows from it. Raises EngineError when the serving engine died."""
        self._stop_drained()
        if self.current is not None and not self.current.engine.alive:
            raise EngineError(f"the engine of bundle {self.current.digest} ended; see {self._logs}")
        try:
            pointer = read_pointer(self._store, self._place)
        except StorageError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                self._say(f"{error}; serving goes on with what runs")
            return
        self._trouble = ""
        wanted = pointer.digest if pointer else ""
        if self.current is None or wanted in ("", self.current.digest):
            self._refused = ""
        elif wanted != self._refused:
            self._replace(wanted)

    def close(self) -> None:
        """Stop every stack."""
        for stack in [*self._leaving, *([self.current] if self.current else [])]:
            stack.stop.close()
        self._leaving, self.current = [], None

    def _replace(self, digest: str) -> None:
        self._say(f"bundle {digest} is wanted; the old one answers until the new one is ready")
        waiting = next((stack for stack in self._leaving if stack.digest == digest and stack.engine.alive), None)
        if waiting is not None:
            self._leaving.remove(waiting)
        try:
            self._take(waiting or self._start(digest))
        except _REFUSALS as error:
            self._refused = digest
            self._say(f"bundle {digest} is refused, the old one stays: {error}")

    def _take(self, stack: Stack) -> None:
        old, self.current = self.current, stack
        self._front.switch(stack.behind)
        if old is not None:
            old.left = self._clock()
            self._leaving.append(old)
        self._say(f"bundle {stack.digest} answers")

    def _start(self, digest: str) -> Stack:
        manifest = find_bundle(self._store, f"{self._place}/{digest}")
        copy = fetch_here(self._store, manifest, self._say)
        bundle, logs = read_bundle(copy), self._logs / digest
        with contextlib.ExitStack() as stack:
            stack.enter_context(in_use(copy))
            engine = stack.enter_context(running_engine(copy, bundle, logs, self._say))
            with starting("the verifier", logs / "verifier.log", self._say):
                scorer_url = stack.enter_context(scorer(copy, logs))
            tokens = response_tokens(bundle)
            settings = gateway_settings(
                bundle.name, policy_of(bundle), engine.base_url, ENGINE_MODEL, scorer_url, tokens
            )
            behind = self._front.mount(digest, GatewayConfig.model_validate(settings))
            stack.callback(self._front.unmount, behind)
            with self._front.listening(_HOST, 0, behind) as url:
                smoke_test(url, bundle.name, tokens)
            return Stack(bundle, engine, behind, stack.pop_all())

    def _stop_drained(self) -> None:
        for stack in list(self._leaving):
            if stack.behind.running == 0 and self._clock() - stack.left >= self._linger_s:
                self._leaving.remove(stack)
                stack.stop.close()
                self._say(f"bundle {stack.digest} is drained and stopped")
