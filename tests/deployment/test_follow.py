"""A server that follows the pointer: real gateways on real sockets, with scripted engines behind them."""

import errno
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest
from tests.gateway.upstream import wait_for

from hexad.deployment.front import BUNDLE_HEADER, Front, PortTaken, check_port
from hexad.deployment.pointer import NoBundle
from hexad.engines.vllm_server import EngineError
from hexad.storage import StoreUnreachable

from .machine import QUESTION, Machine, ask, client


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


def test_a_disk_that_is_full_refuses_the_bundle_and_the_old_one_answers(machine: Machine) -> None:
    machine.broken.add("b")
    machine.failure = OSError(errno.ENOSPC, "No space left on device", "engine.log")
    machine.point("b")
    machine.follower.step()
    assert "bundle b is refused, the old one stays: [Errno 28] No space left on device" in machine.said[-1]
    with client(machine) as http:
        assert ask(http) == "a"


def test_a_store_that_is_away_while_a_bundle_is_fetched_is_asked_again(machine: Machine) -> None:
    machine.broken.add("b")
    machine.failure = StoreUnreachable("s3://models/k/b: no answer")
    machine.point("b")
    for _ in range(3):
        machine.follower.step()
    machine.broken.clear()
    machine.follower.step()
    assert [line for line in machine.said if "no answer" in line] == [
        "s3://models/k/b: no answer; serving goes on with what runs"
    ]
    assert machine.said[-1] == "bundle b answers"


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
