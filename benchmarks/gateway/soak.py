"""Many requests to one gateway with faults and clients that leave: memory, open engine streams, form of the answers."""

import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from benchmarks.gateway import script
from benchmarks.gateway.contestants import start, start_gateway
from benchmarks.gateway.wire_client import END, request
from rich.console import Console

from hexad.engines.vllm_server import free_port

REQUESTS = 10_000
AT_ONCE = 32
FAULTS = 0.05
LEAVERS = 0.1
_WARM_UP = 0.3
"""Share of the requests before memory is compared: pools, caches and the allocator fill first."""
_SAMPLES = 40
_SHAPES: tuple[dict[str, Any], ...] = (
    {"model": "k:bo3"},
    {"model": "k:bo3", "stream": True},
    {"model": "k:plan+bo3", "stream": True, "scaffold": {"events": True}},
    {"model": "k:bo1", "stream": True},
    {"model": "k", "logprobs": True, "stream": True},
)
"""The requests' kinds, in turn: whole, streamed, planned with progress events, single, bypassed."""


_TROUBLES: tuple[script.Trouble, ...] = ("error", "two errors", "refused", "breaks", "hangs", "truncated", "busy")


@dataclass
class Soaked:
    """What a soak has seen."""

    answers: Counter[str] = field(default_factory=Counter)
    malformed: list[str] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    left_open: int = 0
    in_flight: float = 0.0
    seconds: float = 0.0

    @property
    def growth(self) -> float:
        """Relative change of memory from the first to the last quarter after the warm-up, by medians."""
        steady = self.megabytes[int(_WARM_UP * len(self.megabytes)) :]
        quarter = max(1, len(steady) // 4)
        return statistics.median(steady[-quarter:]) / statistics.median(steady[:quarter]) - 1


async def soak(port: int, pid: int, engine_url: str, requests: int) -> Soaked:
    """`requests` to the gateway on `port`, AT_ONCE in flight, FAULTS of them with a fault, LEAVERS of them given up."""
    soaked, numbers, process = Soaked(), iter(range(requests)), psutil.Process(pid)
    every = max(1, requests // _SAMPLES)
    began = time.perf_counter()

    async def one_after_another() -> None:
        for number in numbers:
            if number % every == 0:
                soaked.megabytes.append(process.memory_info().rss / 2**20)
            draw = random.Random(f"soak {number}")
            trouble = draw.choice(_TROUBLES) if draw.random() < FAULTS else "none"
            patience = draw.uniform(0.0, 0.3) if draw.random() < LEAVERS else None
            body = _SHAPES[number % len(_SHAPES)] | {
                "messages": [{"role": "user", "content": script.problem(number, trouble).text}], "seed": number
            }  # fmt: skip
            kind, malformed = await _one(port, body, patience)
            soaked.answers[kind] += 1
            if malformed:
                soaked.malformed.append(malformed)

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
    soaked.seconds = time.perf_counter() - began
    await asyncio.sleep(1)
    soaked.megabytes.append(process.memory_info().rss / 2**20)
    async with httpx.AsyncClient() as client:
        counts = (await client.get(f"{engine_url}/counts")).json()
        soaked.left_open = sum(c["open"] for c in counts.values())
        metrics = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        gauges = [line for line in metrics.splitlines() if line.startswith(("hexad_in_flight ", "hexad_waiting "))]
        soaked.in_flight = sum(float(line.split(" ")[1]) for line in gauges)
    return soaked


async def _one(port: int, body: dict[str, Any], patience_s: float | None) -> tuple[str, str | None]:
    """How a request ended, and what was wrong with the form of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(body, close=True))
        async with asyncio.timeout(patience_s):
            read = await reader.read(-1)
    except TimeoutError:
        return "the client left", None
    finally:
        writer.transport.abort()
    return _judge(read, bool(body.get("stream")))


def _judge(read: bytes, stream: bool) -> tuple[str, str | None]:
    """Whether the whole response is one that OpenAI's clients can read."""
    head, _, content = read.partition(b"\r\n\r\n")
    status = head[9:12].decode()
    try:
        if b"transfer-encoding: chunked" in head:
            content = _unchunked(content)
        if b"text/event-stream" not in head:
            _check_whole(status, json.loads(content))
            return f"HTTP {status}", None
        if not stream or not content.endswith(END):
            raise ValueError("the stream has no end")
        errors = 0
        for event in content.decode().removesuffix(END.decode()).split("\n\n"):
            data = [line[6:] for line in event.split("\n") if line.startswith("data: ")]
            if data and not event.startswith("event: "):
                chunk = json.loads(data[0])
                errors += "error" in chunk
                if "error" not in chunk and chunk["object"] != "chat.completion.chunk":
                    raise ValueError(f"not a chunk: {chunk}")
        return ("a stream with an error" if errors else "a whole stream"), None
    except (ValueError, KeyError, IndexError) as error:
        return "malformed", f"{error!r}: {read[:300]!r} … {read[-300:]!r}"


def _check_whole(status: str, body: dict[str, Any]) -> None:
    if status == "200":
        int(script.read_answer(body["choices"][0]["message"]["content"]) or 0)
        int(body["usage"]["total_tokens"])
    elif set(body["error"]) != {"message", "type", "param", "code"}:
        raise ValueError(f"not an error of OpenAI's: {body}")


def _unchunked(content: bytes) -> bytes:
    whole = b""
    while True:
        size, _, rest = content.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return whole
        whole, content = whole + rest[:length], rest[length + 2 :]


def run(requests: int) -> Soaked:
    """A soak of a new gateway and engine."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = free_port()
        pace = ["--first", "0.005", "--token", "0.0005"]
        start(stack, ["-m", "benchmarks.gateway.upstream", str(engine), *pace], engine)
        engine_url = f"http://127.0.0.1:{engine}"
        url, pid = start_gateway(stack, folder, engine_url, "m", deadline_s=3.0, queue=1000)
        return asyncio.run(soak(int(url.rpartition(":")[2]), pid, engine_url, requests))


def main(console: Console) -> None:
    soaked = run(REQUESTS)
    console.print(f"soak: {REQUESTS:,} requests in {soaked.seconds:.0f} s, {AT_ONCE} at once, engine faults in "
                  f"{FAULTS:.0%} of the questions, {LEAVERS:.0%} of the clients leave")  # fmt: skip
    console.print(", ".join(f"{kind}: {count:,}" for kind, count in soaked.answers.most_common()))
    steady = soaked.megabytes[int(_WARM_UP * len(soaked.megabytes)) :]
    console.print(f"memory: {soaked.megabytes[0]:.0f} MiB at the start; after {_WARM_UP:.0%} of the requests "
                  f"{min(steady):.0f} to {max(steady):.0f}, last quarter to first {soaked.growth:+.1%}")  # fmt: skip
    console.print(f"engine streams left open: {soaked.left_open}; in flight or waiting by the gateway's own count: "
                  f"{soaked.in_flight:g}; malformed answers: {len(soaked.malformed)}")  # fmt: skip
    for text in soaked.malformed[:5]:
        console.print(text, markup=False)
    sys.exit(bool(soaked.malformed or soaked.left_open or soaked.in_flight or abs(soaked.growth) > 0.05))
