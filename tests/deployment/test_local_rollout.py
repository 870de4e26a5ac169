"""A roll-out on this machine, from the switch on: the pointer, the server that follows it, and what that counts."""

from pathlib import Path

import pytest

from hexad.deployment.local_rollout import LocalDriver, count
from hexad.deployment.pointer import read_pointer
from hexad.deployment.rollout import StepFailed, Traffic

from .machine import Machine, ask, client


def driver(machine: Machine, url: str, tmp_path: Path) -> LocalDriver:
    """One whose pauses are looks of the following server at the pointer."""
    return LocalDriver(
        machine.store, machine.place, url, tmp_path / "logs", "anna", machine.said.append, change_s=3.0,
        sleep=lambda _: machine.follower.step(),
    )  # fmt: skip


def pointed_at(machine: Machine) -> str | None:
    pointer = read_pointer(machine.store, machine.place)
    return pointer and pointer.digest


def test_a_switch_moves_the_pointer_and_waits_for_the_server(machine: Machine, tmp_path: Path) -> None:
    with client(machine) as http:
        driver(machine, str(http.base_url), tmp_path).switch("b")
        assert (pointed_at(machine), ask(http)) == ("b", "b")


def test_a_server_that_refuses_the_bundle_fails_the_switch(machine: Machine, tmp_path: Path) -> None:
    machine.broken.add("b")
    with client(machine) as http, pytest.raises(StepFailed, match="still serves a after 3 s; its output says why"):
        driver(machine, str(http.base_url), tmp_path).switch("b")


def test_without_a_server_the_pointer_moves_and_nothing_is_watched(machine: Machine, tmp_path: Path) -> None:
    alone = driver(machine, "http://127.0.0.1:9", tmp_path)
    alone.switch("b")
    assert (pointed_at(machine), alone.traffic("b")) == ("b", None)
    assert machine.said[-1] == "no server at http://127.0.0.1:9 follows; the pointer has moved, the next start takes b"


def test_traffic_is_what_was_answered_since_the_switch(machine: Machine, tmp_path: Path) -> None:
    with client(machine) as http:
        local = driver(machine, str(http.base_url), tmp_path)
        local.switch("b")
        ask(http)
        assert http.post("/v1/chat/completions", json={"model": "k"}).status_code == 400
        assert local.traffic("b") == Traffic(requests=2, failures=0)


def test_a_server_that_was_started_again_fails_the_watch(machine: Machine, tmp_path: Path) -> None:
    with client(machine) as http:
        local = driver(machine, str(http.base_url), tmp_path)
        local.switch("b")
        ask(http)
        local.switch("b")
        again = machine.start("b")
        machine.front.switch(again.behind)
        with pytest.raises(StepFailed, match="has counted less than before, so it was started again"):
            local.traffic("b")
        again.stop()


def test_a_server_that_is_gone_fails_the_watch(machine: Machine, tmp_path: Path) -> None:
    with client(machine) as http:
        local = driver(machine, str(http.base_url), tmp_path)
        local.switch("b")
    with pytest.raises(StepFailed, match="does not answer since it serves b"):
        local.traffic("b")


def test_what_is_no_gateway_counts_nothing(machine: Machine) -> None:
    with client(machine) as http:
        assert count(f"{http.base_url}/nowhere") is None
