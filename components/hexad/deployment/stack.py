"""Engine, verifier and gateway as child processes on this machine, in the order that they need each other."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from hexad.deployment.bundle import TARGET, VERIFIER
from hexad.deployment.command_line import bundle_arguments
from hexad.deployment.gateway_settings import gateway_settings
from hexad.deployment.settings import ENGINE_MODEL, EngineConfig, GatewayPolicy
from hexad.engines.gpus import ALONE, tensor_parallel, visible_gpus
from hexad.engines.vllm_server import EngineError, Gpus, VllmServer, free_port
from hexad.stage.lifeline import die_with_parent, end

_STOP_S = 10.0


def engine(
    models: Path,
    settings: EngineConfig,
    log: Path,
    speculation: Mapping[str, object] | None,
    threads: int,
    gpu_share: float = ALONE,
) -> VllmServer:
    """A vLLM server of the bundle's target that is not started yet, on this machine's accelerators if it has any.

    `gpu_share`: of each accelerator's memory, 0..1; engines that run side by side share it.
    """
    port = free_port()
    found = visible_gpus(os.environ)
    gpus = Gpus(tensor_parallel(found, models / TARGET), gpu_share) if found else None
    arguments = bundle_arguments(str(models), settings, speculation, port, gpus=gpus)
    return VllmServer(arguments, port, log, threads, settings.start_timeout_s)


@dataclass(frozen=True)
class Gateway:
    """A gateway that runs as a child process and has answered."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raise EngineError when it ended by itself."""
        if self.process.poll() is not None:
            raise EngineError(f"the gateway ended; see {self.log}")


@contextmanager
def scaffold(
    models: Path,
    name: str,
    policy: GatewayPolicy,
    engine_url: str,
    logs: Path,
    port: int = 0,
    max_tokens: int = 1024,
    verifier: bool = True,
    backend: Mapping[str, object] | None = None,
) -> Iterator[Gateway]:
    """Gateway in front of a running engine, and verifier service if the bundle has one.

    `backend`: gateway settings for an engine that is not our vLLM.
    """
    gateway_port = port or free_port()
    with contextlib.ExitStack() as stack:
        scorer_url = stack.enter_context(scorer(models, logs)) if verifier else None
        settings = gateway_settings(name, policy, engine_url, ENGINE_MODEL, scorer_url, max_tokens) | dict(
            backend or {}
        )
        logs.mkdir(parents=True, exist_ok=True)
        config = logs / "gateway.json"
        config.write_text(json.dumps(settings | {"port": gateway_port}, indent=1))
        log = logs / "gateway.log"
        process = stack.enter_context(_child(["-m", "hexad.gateway.server", "--config", str(config)], log))
        url = f"http://127.0.0.1:{gateway_port}"
        _wait(f"{url}/readyz", process, log)
        yield Gateway(url, process, log)


@contextmanager
def scorer(models: Path, logs: Path) -> Iterator[str | None]:
    """The bundle's verifier as a service; yields its URL, None where the bundle has no verifier."""
    if not (models / VERIFIER).is_dir():
        yield None
        return
    port = free_port()
    command = ["-m", "hexad.verifier.server", "--model", str(models / VERIFIER), "--port", str(port)]
    with _child(command, logs / "verifier.log") as process:
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/health", process, logs / "verifier.log")
        yield url


@contextmanager
def _child(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=sink,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509  (prctl only, no lock is taken)
        )
    try:
        yield process
    finally:
        end(process, _STOP_S)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path, timeout_s: float = 240.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=5.0, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
    raise EngineError(f"{url} was not ready after {timeout_s:.0f} s; its log {log} ends with:\n{tail}")
