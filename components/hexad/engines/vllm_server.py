"""A vLLM server as a child process: start, wait until it is ready, read its counters, stop."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from hexad.stage.lifeline import die_with_parent

OWNED = "HEXAD_ENGINE"
"""Environment variable that tells the plugin in every vLLM process that the engine is a child of Hexad."""


ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "TOKENIZERS_PARALLELISM": "false",
    # Pinning threads to cores makes two engines on one machine share the same core.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_WAIT_POLICY": "passive",
}
"""Of every vLLM process, on this machine and on a cluster."""


@dataclass(frozen=True)
class Gpus:
    """Accelerators of one engine."""

    tensor_parallel: int
    memory_utilization: float
    """Share of each accelerator's memory that vLLM may use, 0..1."""


class EngineError(RuntimeError):
    """The engine did not start, or died. The message ends with the last lines of its log."""


def engine_arguments(
    model: str,
    served_name: str,
    port: int,
    *,
    max_model_len: int,
    max_num_seqs: int,
    dtype: str,
    kv_cache_gib: float,
    stream_interval: int = 1,
    seed: int = 0,
    tool_call_parser: str = "hermes",
    draft: str | None = None,
    speculation: Mapping[str, object] | None = None,
    host: str = "127.0.0.1",
    gpus: Gpus | None = None,
    drain_s: int = 0,
) -> list[str]:
    """Command-line arguments of vLLM's OpenAI server, without the program. Pure, so tests and manifests share it.

    `gpus`: None for the CPU engine, which alone uses `kv_cache_gib`. `drain_s`: seconds that running requests get after
    SIGTERM; 0 aborts them.
    """
    arguments = [
        "--model",
        model,
        "--served-model-name",
        served_name,
        "--host",
        host,
        "--port",
        str(port),
        "--max-model-len",
        str(max_model_len),
        "--max-num-seqs",
        str(max_num_seqs),
        "--dtype",
        dtype,
        "--seed",
        str(seed),
        "--stream-interval",
        str(stream_interval),
        # The model repo's generation_config.json would fill in what a client leaves out.
        "--generation-config",
        "vllm",
        "--disable-uvicorn-access-log",
        "--max-logprobs",
        "20",
    ]
    if gpus is None:
        arguments += [
            "--kv-cache-memory-bytes",
            str(int(kv_cache_gib * 2**30)),
            "--block-size",
            "32",
            "--enforce-eager",
            # A prompt cut in two makes vLLM rewind the generator of a seeded request, which a CPU generator cannot do:
            # the engine dies (0.32.0, v1/worker/gpu_model_runner.py, _bookkeeping_sync). So prompts are taken whole.
            "--no-enable-chunked-prefill",
            "--max-num-batched-tokens",
            str(max(2048, max_model_len)),
        ]
    else:
        arguments += ["--tensor-parallel-size", str(gpus.tensor_parallel)]
        arguments += ["--gpu-memory-utilization", str(gpus.memory_utilization)]
    if drain_s:
        arguments += ["--shutdown-timeout", str(drain_s)]
    if tool_call_parser:
        arguments += ["--enable-auto-tool-choice", "--tool-call-parser", tool_call_parser]
    if speculation:
        settings = dict(speculation) | ({"model": draft} if draft else {})
        arguments += ["--speculative-config", json.dumps(settings)]
    return arguments


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class VllmServer:
    """Context manager around `vllm serve`. `base_url` answers the OpenAI API once entered."""

    def __init__(self, arguments: list[str], port: int, log: Path, threads: int = 2, timeout_s: float = 240.0) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.arguments = arguments
        self._log, self._threads, self._timeout = log, threads, timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the server, while it runs."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Started, and not ended by itself."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        environment = os.environ | ENVIRONMENT | {OWNED: "1", "OMP_NUM_THREADS": str(self._threads)}
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *self.arguments],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - a bare prctl call, which takes no lock
            )

    def wait_ready(self) -> None:
        """Raises EngineError when the process ends or the time is over."""
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise EngineError(f"vLLM ended before it was ready; its log {self._log} ends with:\n{self._tail()}")
            try:
                if httpx.get(f"{self.base_url}/health", timeout=2.0, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.3)
        raise EngineError(
            f"vLLM was not ready after {self._timeout:.0f} s (raise serve.engine.start_timeout_s); "
            f"its log {self._log} ends with:\n{self._tail()}"
        )

    def stop(self) -> None:
        """SIGTERM to the whole group, SIGKILL after ten seconds: the engine core is a child of the server."""
        process, self._process = self._process, None
        if process is None:
            return
        for wanted, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, wanted)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        process.wait()

    def counters(self) -> dict[str, float]:
        """Prometheus counters and gauges, name with labels to value."""
        text = httpx.get(f"{self.base_url}/metrics", timeout=10.0, trust_env=False).text
        rows = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in rows}

    def _tail(self, lines: int = 12) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:]) if self._log.exists() else ""
