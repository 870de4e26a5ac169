"""A server that follows the pointer: real gateways on real sockets, with scripted engines behind them."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.gateway.upstream import Engine, serve, wait_for

from hexad.deployment.follow import Follower, Stack
from hexad.deployment.front import BUNDLE_HEADER, Front, PortTaken, check_port
from hexad.deployment.pointer import NoBundle, bundles_place, move_pointer
from hexad.deployment.smoke import SmokeTestFailed
from hexad.engines.vllm_server import EngineError
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
        self.follower = Follower(self.store, self.place, front, self.start, self.said.append, clock=lambda: self.now)
        for digest in "ab":
            committed(tmp_path / digest, f"{self.place}/{digest}", digest.encode())

    def start(self, digest: str) -> Stack:
        self.started.append(digest)
        if digest in self.broken:
            raise SmokeTestFailed("k:bo3: HTTP 502")
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


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Serving bundle a."""
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


def test_a_moved_pointer_changes_who_answers(machine: Machine) -> None:
    with client(machine) as http:
        before = ask(http)
        machine.point("b")
        machine.follower.step()
        assert (before, ask(http)) == ("a", "b")


def test_a_stream_in_flight_ends_on_the_old_engine(machine: Machine) -> None:
    with client(machine) as http:
        machine.engines["a"].held = True
        answers: list[httpx.Response] = []
        body = QUESTION | {"stream": True}
        asking = threading.Thread(target=lambda: answers.append(http.post("/v1/chat/completions", json=body)))
        asking.start()
        wait_for(lambda: machine.engines["a"].open_streams == 1)
        machine.point("b")
        machine.follower.step()
        machine.now = 1000.0
        machine.follower.step()
        assert machine.stopped == []
        machine.engines["a"].held = False
        asking.join(20)
        assert answers[0].headers[BUNDLE_HEADER] == "a"
        assert answers[0].text.rstrip().endswith("data: [DONE]")


def test_no_request_is_lost_while_bundles_change(machine: Machine) -> None:
    served: list[str] = []
    stop = threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            served.append(ask(http))

    with client(machine) as http:
        threads = [threading.Thread(target=keep_asking) for _ in range(4)]
        for thread in threads:
            thread.start()
        for digest in "baba":
            count = len(served)
            machine.point(digest)
            machine.follower.step()
            wait_for(lambda count=count: len(served) > count + 4)
        stop.set()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
    assert {"a", "b"} == set(served)


def test_the_old_stack_stays_a_while_and_a_way_back_finds_it_running(machine: Machine) -> None:
    machine.point("b")
    machine.follower.step()
    machine.point("a")
    machine.follower.step()
    assert machine.started == ["a", "b"]
    with client(machine) as http:
        assert ask(http) == "a"


def test_the_old_stack_is_stopped_once_it_is_drained(machine: Machine) -> None:
    machine.point("b")
    machine.follower.step()
    machine.now = 59.0
    machine.follower.step()
    early = list(machine.stopped)
    machine.now = 60.0
    machine.follower.step()
    assert (early, machine.stopped) == ([], ["a"])


def test_a_bundle_that_fails_its_smoke_test_is_refused_once_and_the_old_one_answers(machine: Machine) -> None:
    machine.broken.add("b")
    machine.point("b")
    for _ in range(3):
        machine.follower.step()
    assert machine.started == ["a", "b"]
    assert machine.said[-1] == "bundle b is refused, the old one stays: k:bo3: HTTP 502"
    with client(machine) as http:
        assert ask(http) == "a"


def test_a_refused_bundle_is_tried_again_when_it_is_pointed_at_anew(machine: Machine) -> None:
    machine.broken.add("b")
    for digest in "bab":
        machine.point(digest)
        machine.follower.step()
        machine.broken.clear() if digest == "a" else None
    assert machine.said[-1] == "bundle b answers"


def test_a_store_that_is_down_is_said_once_and_serving_goes_on(machine: Machine) -> None:
    machine.store.down = True
    for _ in range(3):
        machine.follower.step()
    assert [line for line in machine.said if "connection refused" in line] == [
        f"{machine.place}/current.json: connection refused; serving goes on with what runs"
    ]
    with client(machine) as http:
        assert ask(http) == "a"


def test_an_engine_that_died_ends_the_server_with_its_name(machine: Machine) -> None:
    machine.dead.add("a")
    with pytest.raises(EngineError, match="the engine of bundle a ended"):
        machine.follower.step()


def test_without_a_pointer_there_is_nothing_to_follow(tmp_path: Path) -> None:
    with Front() as front, pytest.raises(NoBundle, match=r"no current\.json there; make one with: hexad rollout"):
        Machine(tmp_path, front).follower.first()


def test_closing_stops_every_stack(machine: Machine) -> None:
    machine.point("b")
    machine.follower.step()
    machine.follower.close()
    assert sorted(machine.stopped) == ["a", "b"]


def test_a_port_in_use_is_named_with_the_mend(machine: Machine) -> None:
    with client(machine) as http:
        port = http.base_url.port
        assert port is not None
        with pytest.raises(PortTaken, match=f"port {port} of 127.0.0.1: Address already in use; .*--port"):
            check_port("127.0.0.1", port)


def test_a_client_that_comes_at_once_is_not_turned_away(machine: Machine) -> None:
    """A smoke test asks as soon as it knows the address; the event loop may be busy with another bundle then."""
    machine.front._loop.call_soon_threadsafe(time.sleep, 0.3)
    with (
        machine.front.listening("127.0.0.1", 0) as url,
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as connection,
    ):
        connection.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_a_front_that_ended_keeps_nothing_open() -> None:
    with Front() as front:
        pass
    assert front._loop.is_closed()
