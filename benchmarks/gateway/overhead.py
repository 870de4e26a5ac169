"""What the gateway adds to a request: the same streamed requests straight to the engine and through it, in turn."""

import asyncio
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psutil
from benchmarks.gateway import script
from benchmarks.gateway.contestants import start, start_gateway
from benchmarks.gateway.wire_client import Connection, Timings
from rich.console import Console
from rich.table import Table

from hexad.engines.vllm_server import free_port

AT_ONCE = 100
REQUESTS = 400
ROUNDS = 5
FIRST_S, TOKEN_S = 0.1, 0.02
SPREAD_S = 2.0
"""Seconds over which the first requests begin: about as long as one takes."""


async def _round(port: int, model: str) -> list[Timings]:
    """REQUESTS in all, AT_ONCE in flight, begun one after another: at once, they would time a burst of arrivals."""
    numbers = iter(range(REQUESTS))
    timings: list[Timings] = []

    async def one_after_another(late_s: float) -> None:
        await asyncio.sleep(late_s)
        connection = Connection(port)
        try:
            for number in numbers:
                asked = [{"role": "user", "content": script.problem(number).text}]
                timings.append(await connection.stream({"model": model, "messages": asked, "stream": True}))
        finally:
            connection.close()

    await asyncio.gather(*(one_after_another(SPREAD_S * i / AT_ONCE) for i in range(AT_ONCE)))
    return timings


def _quantile(values: list[float], q: float) -> float:
    return 1000 * sorted(values)[min(len(values) - 1, int(q * len(values)))]


def _row(rounds: list[list[Timings]], part: str, q: float) -> float:
    """Median over the rounds of one quantile, in milliseconds."""
    return statistics.median(_quantile([getattr(t, part) for t in timings], q) for timings in rounds)


def main(console: Console) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = free_port()
        pace = ["--first", str(FIRST_S), "--token", str(TOKEN_S)]
        start(stack, ["-m", "benchmarks.gateway.upstream", str(engine), *pace], engine)
        url, pid = start_gateway(stack, folder, f"http://127.0.0.1:{engine}", "m", concurrency=2 * AT_ONCE)
        gateway = int(url.rpartition(":")[2])
        direct: list[list[Timings]] = []
        through: list[list[Timings]] = []
        asyncio.run(_round(gateway, "k:bo1"))
        processor = psutil.Process(pid)
        used = sum(processor.cpu_times()[:2])
        for _ in range(ROUNDS):
            direct.append(asyncio.run(_round(engine, "m")))
            through.append(asyncio.run(_round(gateway, "k:bo1")))
        used = sum(processor.cpu_times()[:2]) - used
    title = (
        f"streamed requests, {AT_ONCE} at once, {ROUNDS} rounds of {REQUESTS} in turn; engine: first token after "
        f"{1000 * FIRST_S:g} ms, then {1 / TOKEN_S:g} tokens/s"
    )
    table = Table(
        "milliseconds", "direct p50", "p99", "gateway p50", "p99", "added p50", "p99", title=title, title_justify="left"
    )
    for part in ("first_byte", "first_text", "last_byte"):
        figures = [_row(rounds, part, q) for rounds in (direct, through) for q in (0.5, 0.99)]
        added = [figures[2] - figures[0], figures[3] - figures[1]]
        table.add_row(part.replace("_", " "), *(f"{value:.1f}" for value in figures + added))
    console.print(table)
    console.print(f"the gateway's processor time: {1000 * used / ROUNDS / REQUESTS:.1f} ms a request; "
                  "load generator, engine and gateway share this machine's cores")  # fmt: skip
