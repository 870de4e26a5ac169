"""A scripted engine for the session, and gateways in front of it, all on real loopback sockets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from hexad.gateway.app import create_app
from hexad.gateway.config import GatewayConfig
from hexad.gateway.connections import Connections
from hexad.gateway.tracing import add_trace_context
from hexad.storage import Store

from .upstream import SEED, Engine, serve


@pytest.fixture(scope="session")
def _engine_server() -> Iterator[tuple[Engine, str]]:
    engine = Engine()
    with serve(engine.app()) as url:
        yield engine, url


@pytest.fixture
def engine(_engine_server: tuple[Engine, str]) -> Engine:
    """The engine without a memory of earlier tests."""
    engine = _engine_server[0]
    for name, value in vars(Engine()).items():
        setattr(engine, name, value)
    return engine


@pytest.fixture
def engine_url(_engine_server: tuple[Engine, str]) -> str:
    return _engine_server[1]


@pytest.fixture
def gateway(engine: Engine, engine_url: str) -> Iterator[Callable[..., str]]:
    """Starts a gateway with the given settings; returns its base URL."""
    with ExitStack() as stack:

        def start(store: Store | None = None, **settings: Any) -> str:
            defaults = {"model": "k", "engine_url": engine_url, "engine_model": "m", "retries": 0}
            config = GatewayConfig.model_validate(defaults | settings)
            client = httpx.AsyncClient(transport=Connections(), event_hooks={"request": [add_trace_context]})
            app = create_app(config, client, by_text, store)
            return stack.enter_context(serve(app))

        yield start


@pytest.fixture
def ask(gateway: Callable[..., str]) -> Callable[..., httpx.Response]:
    """Posts one question to a gateway with default settings, or with those in `settings`."""

    def post(model: str = "k", settings: dict[str, Any] | None = None, **fields: Any) -> httpx.Response:
        body = {"model": model, "messages": question(), "seed": SEED, **fields}
        return httpx.post(f"{gateway(**(settings or {}))}/v1/chat/completions", json=body, timeout=20)

    return post


def by_text(answers: list[str | None]) -> list[int]:
    """The simplest grouping: equal texts are equivalent."""
    order = list(dict.fromkeys(answers))
    return [order.index(answer) for answer in answers]


def question(text: str = "17 + 25?") -> list[Any]:
    return [{"role": "user", "content": text}]
