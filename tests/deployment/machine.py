"""A machine that serves bundles a and b behind a follower: real gateways on real sockets, scripted engines behind."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.gateway.upstream import Engine, serve

from hexad.deployment.follow import Follower, Stack
from hexad.deployment.front import BUNDLE_HEADER, Front
from hexad.deployment.pointer import bundles_place, move_pointer
from hexad.deployment.smoke import SmokeTestFailed
from hexad.gateway.config import GatewayConfig
from hexad.storage import StorageError
from hexad.storage.local import LocalStore

from .bundles import committed

QUESTION = {"model": "k:bo1", "messages": [{"role": "user", "content": "17 + 25?"}]}


class BrokenStore(LocalStore):
    """Cannot be read while `down`."""

    down = False

    def read_bytes(self, uri: str) -> bytes:
        if self.down:
            raise StorageError(f"{uri}: connection refused")
        return super().read_bytes(uri)


class Machine:
    """Bundles a and b in a store, an engine for each, and a follower in front."""

    def __init__(self, tmp_path: Path, front: Front) -> None:
        self.place, self.store, self.front = bundles_place(f"file://{tmp_path}/store", "k"), BrokenStore(), front
        self.now, self.said, self.stopped, self.started = 0.0, list[str](), list[str](), list[str]()
        self.engines: dict[str, Engine] = {}
        self.dead: set[str] = set()
        self.broken: set[str] = set()
        self.failure: Exception = SmokeTestFailed("k:bo3: HTTP 502")
        self.follower = Follower(self.store, self.place, front, self.start, self.said.append, clock=lambda: self.now)
        for digest in "ab":
            committed(tmp_path / digest, f"{self.place}/{digest}", digest.encode())

    def start(self, digest: str) -> Stack:
        self.started.append(digest)
        if digest in self.broken:
            raise self.failure
        with ExitStack() as stack:
            engine = self.engines[digest] = Engine()
            url = stack.enter_context(serve(engine.app()))
            config = {"model": "k", "engine_url": url, "engine_model": "m", "retries": 0}
            behind = self.front.mount(digest, GatewayConfig.model_validate(config))
            stack.callback(self.front.unmount, behind)
            stack.callback(self.stopped.append, digest)
            return Stack(behind, lambda: digest not in self.dead, stack.pop_all().close)

    def point(self, digest: str) -> None:
        move_pointer(self.store, self.place, digest, "anna")


@contextmanager
def serving_a(tmp_path: Path) -> Iterator[Machine]:
    """The machine while bundle a answers."""
    with Front() as front:
        made = Machine(tmp_path, front)
        made.point("a")
        made.follower.first()
        try:
            yield made
        finally:
            made.follower.close()


@contextmanager
def client(machine: Machine) -> Iterator[httpx.Client]:
    with machine.front.listening("127.0.0.1", 0) as url, httpx.Client(base_url=url, timeout=20) as http:
        yield http


def ask(http: httpx.Client, **fields: Any) -> str:
    """Which bundle answered."""
    answer = http.post("/v1/chat/completions", json=QUESTION | fields)
    assert answer.status_code == 200, answer.text
    return answer.headers[BUNDLE_HEADER]
