"""A request is freed when it ends, without the garbage collector: that one stops every other stream for its time."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from hexad.gateway.backends.connections import FreedResponse
from hexad.gateway.exchange import Exchange

from .conftest import question
from .upstream import SEED, Engine, Script, wait_for

TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {}}}]


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def living() -> int:
    """Exchanges, and the engine's responses, that are still held."""
    return sum(type(found) in (Exchange, FreedResponse) for found in gc.get_objects())


@pytest.mark.parametrize(
    "fields",
    [{"stream": True}, {"stream": True, "model": "k:bo1"}, {"model": "k:plan+bo3"}, {"tools": TOOLS, "stream": True},
     {"tools": TOOLS}],
    ids=["stream", "live stream", "whole", "bypassed stream", "bypassed"],
)  # fmt: skip
def test_an_answered_request_is_freed(
    engine: Engine, gateway: Callable[..., str], no_collector: None, fields: dict[str, Any]
) -> None:
    url = f"{gateway()}/v1/chat/completions"
    for _ in range(5):
        body = {"model": "k", "messages": question(), "seed": SEED} | fields
        assert httpx.post(url, json=body, timeout=20).status_code == 200
    wait_for(lambda: living() == 0)


def test_a_request_whose_client_left_is_freed(engine: Engine, gateway: Callable[..., str], no_collector: None) -> None:
    engine.script = lambda _: Script("<think>on and on</think>", hang_after=2)
    body = {"model": "k", "messages": question(), "seed": SEED, "stream": True}
    with httpx.stream("POST", f"{gateway()}/v1/chat/completions", json=body, timeout=5) as response:
        next(response.iter_lines())
        wait_for(lambda: len(engine.calls) > 0)  # the first line is sent before the engine is asked
        assert living() > 0
    wait_for(lambda: living() == 0)
