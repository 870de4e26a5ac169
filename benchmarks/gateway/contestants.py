"""The contestants, each a server process of its own with the settings that suit it best, and one way to ask them."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from benchmarks.gateway.library import LIBRARIES
from benchmarks.gateway.settings import DEADLINE_S, ENGINE_MODELS, PATIENCE_S, N

from hexad.engines.vllm_server import free_port
from hexad.stage.lifeline import end

_START_S = 240.0
_ROOT = Path(__file__).parents[2]
_OPTILLM = """
from optillm.self_consistency import AdvancedSelfConsistency
AdvancedSelfConsistency.__init__.__defaults__ = ({n}, *AdvancedSelfConsistency.__init__.__defaults__[1:])
import optillm.server
optillm.server.main()
"""
"""optillm's server; its self_consistency has no setting for the number of samples, which is 5 otherwise."""


@dataclass(frozen=True)
class Contestant:
    name: str
    url: str
    body: Callable[[str], dict[str, Any]]
    """The request for a question."""

    async def ask(self, client: httpx.AsyncClient, question: str) -> str:
        """The answer's text. Raises httpx.HTTPError or LookupError when there is none."""
        response = await client.post(self.url, json=self.body(question), timeout=PATIENCE_S)
        response.raise_for_status()
        reply = response.json()
        return str(reply["content"] if "content" in reply else reply["choices"][0]["message"]["content"])


def label(name: str) -> str:
    """The name with the version of a package from elsewhere."""
    package = name.partition(" ")[0]
    return f"{name} ({version(package)})" if package in ("optillm", "its_hub") else name


@contextmanager
def running(engine_url: str, folder: Path) -> Iterator[list[Contestant]]:
    """All contestants, ready to be asked."""
    with ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        yield list(pool.map(lambda name: _starter(name)(name, engine_url, folder, stack), ENGINE_MODELS))


@contextmanager
def process(arguments: list[str], **environment: str) -> Iterator[int]:
    """A Python process that ends with the block; yields its id."""
    quiet = subprocess.DEVNULL if not os.environ.get("BENCH_VERBOSE") else None
    child = subprocess.Popen(
        [sys.executable, *arguments], cwd=_ROOT, env=os.environ | environment, stdout=quiet, stderr=quiet
    )
    try:
        yield child.pid
    finally:
        end(child, 10)


def wait_until_listening(port: int) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def start(stack: ExitStack, arguments: list[str], port: int, **environment: str) -> int:
    """A server process in `stack`, listening; its id."""
    pid = stack.enter_context(process(arguments, **environment))
    wait_until_listening(port)
    return pid


def start_gateway(
    stack: ExitStack, folder: Path, engine_url: str, engine_model: str, **settings: Any
) -> tuple[str, int]:
    """A gateway as its users start it: base URL and process id."""
    port = free_port()
    config = folder / f"{engine_model}.json"
    config.write_text(json.dumps({"model": "k", "engine_url": engine_url, "engine_model": engine_model, **settings}))
    pid = start(stack, ["-m", "hexad.gateway.server", "--config", str(config), "--port", str(port)], port)
    return f"http://127.0.0.1:{port}", pid


def _starter(name: str) -> "Callable[[str, str, Path, ExitStack], Contestant]":
    return _library if name in LIBRARIES else _SERVERS[name.partition(" ")[0]]


def _hexad(name: str, engine_url: str, folder: Path, stack: ExitStack) -> Contestant:
    engine_model = ENGINE_MODELS[name]
    settings: dict[str, Any] = {"deadline_s": DEADLINE_S}
    if name == "hexad bo3, verifier":
        settings |= {"scorer_url": f"{engine_url}/{engine_model}"}
    if name == "hexad bo3, adaptive":
        settings |= {"confidence": 0.8}
    url, _ = start_gateway(stack, folder, engine_url, engine_model, **settings)
    model = f"k:plan+bo{N}" if name == "hexad plan+bo3" else f"k:bo{N}"
    return Contestant(name, f"{url}/v1/chat/completions", lambda q: {"model": model, "messages": _messages(q)})


def _optillm(name: str, engine_url: str, _: Path, stack: ExitStack) -> Contestant:
    port, approach = free_port(), name.split(" ")[1]
    arguments = ["-c", _OPTILLM.format(n=N), "--approach", approach, "--best-of-n", str(N), "--log", "critical"]
    start(stack, [*arguments, "--base-url", f"{engine_url}/v1", "--port", str(port)], port, OPENAI_API_KEY="none")
    return Contestant(
        name, f"http://127.0.0.1:{port}/v1/chat/completions",
        lambda q: {"model": ENGINE_MODELS[name], "messages": _messages(q)},
    )  # fmt: skip


def _its_hub_server(name: str, engine_url: str, _: Path, stack: ExitStack) -> Contestant:
    port = free_port()
    arguments = ["-m", "its_hub.integration.iaas.app_server", "--port", str(port), "--log-level", "CRITICAL"]
    start(stack, arguments, port)
    url = f"http://127.0.0.1:{port}"
    settings = {"endpoint": f"{engine_url}/v1", "model": ENGINE_MODELS[name], "api_key": "none", "budget": N,
                "alg": "self-consistency", "regex_patterns": ["<answer>(.*?)</answer>"]}  # fmt: skip
    httpx.post(f"{url}/configure", json=settings).raise_for_status()
    return Contestant(
        name, f"{url}/v1/chat/completions", lambda q: {"model": ENGINE_MODELS[name], "messages": _messages(q)}
    )


def _library(name: str, engine_url: str, _: Path, stack: ExitStack) -> Contestant:
    port = free_port()
    start(stack, ["-m", "benchmarks.gateway.library", name, str(port), engine_url], port)
    return Contestant(name, f"http://127.0.0.1:{port}/", lambda q: {"question": q})


def _messages(question: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}]


_SERVERS: dict[str, Callable[[str, str, Path, ExitStack], Contestant]] = {
    "hexad": _hexad,
    "optillm": _optillm,
    "its_hub": _its_hub_server,
}
