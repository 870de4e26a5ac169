"""Gateways against each other on one scripted engine in one run: time, calls, tokens, right answers, and troubles."""

import asyncio
import statistics
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from benchmarks.gateway import script
from benchmarks.gateway.contestants import Contestant, label, running, start
from benchmarks.gateway.settings import DEADLINE_S, ENGINE_MODELS, PATIENCE_S, N
from rich.console import Console
from rich.table import Table

from hexad.engines.vllm_server import free_port

TIMED = 30
"""Questions asked one at a time, to each contestant in turn."""
COUNTED = 120
"""Questions more, for calls, tokens and right answers only: AT_ONCE at a time."""
AT_ONCE = 8
TROUBLED = 4
_SETTLE_S = 0.1
"""Seconds after an answer, past which a request that is still open at the engine was left behind."""


@dataclass
class Results:
    """One contestant's, over some questions."""

    seconds: list[float] = field(default_factory=list)
    answered: int = 0
    right: int = 0
    calls: int = 0
    tokens: int = 0
    left_open: int = 0


async def _ask(client: httpx.AsyncClient, contestant: Contestant, asked: script.Problem, into: Results) -> None:
    began = time.perf_counter()
    try:
        answer = script.read_answer(await contestant.ask(client, asked.text))
    except (httpx.HTTPError, LookupError, ValueError):
        answer = None
    into.seconds.append(time.perf_counter() - began)
    into.answered += answer is not None
    into.right += answer == asked.gold


async def _counts(client: httpx.AsyncClient, engine_url: str, name: str) -> dict[str, int]:
    counts: dict[str, dict[str, int]] = (await client.get(f"{engine_url}/counts")).json()
    return counts.get(ENGINE_MODELS[name], {"calls": 0, "tokens": 0, "open": 0})


async def healthy(client: httpx.AsyncClient, engine_url: str, contestants: list[Contestant]) -> dict[str, Results]:
    """TIMED questions to each contestant in turn, so that other load meets all of them alike; then COUNTED more."""
    results: dict[str, Results] = defaultdict(Results)
    for contestant in contestants:
        await _ask(client, contestant, script.problem(9999), Results())
    before = {c.name: await _counts(client, engine_url, c.name) for c in contestants}
    for number in range(TIMED):
        for contestant in contestants:
            into = results[contestant.name]
            await _ask(client, contestant, script.problem(number), into)
            await asyncio.sleep(_SETTLE_S)
            into.left_open += (await _counts(client, engine_url, contestant.name))["open"]
    for contestant in contestants:
        into = results[contestant.name]
        timed = list(into.seconds)
        for first in range(TIMED, TIMED + COUNTED, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, TIMED + COUNTED))
            await asyncio.gather(*(_ask(client, contestant, script.problem(number), into) for number in numbers))
        into.seconds = timed
        after = await _counts(client, engine_url, contestant.name)
        into.calls = after["calls"] - before[contestant.name]["calls"]
        into.tokens = after["tokens"] - before[contestant.name]["tokens"]
    return results


async def troubled(
    client: httpx.AsyncClient, engine_url: str, contestants: list[Contestant]
) -> dict[str, dict[str, Results]]:
    """By contestant and trouble: TROUBLED questions at once."""
    results: dict[str, dict[str, Results]] = {c.name: defaultdict(Results) for c in contestants}
    for trouble in script.TROUBLES:
        if trouble == "none":
            continue
        for contestant in contestants:
            into = results[contestant.name][trouble]
            asked = [script.problem(1000 + i, trouble) for i in range(TROUBLED)]
            await asyncio.gather(*(_ask(client, contestant, problem, into) for problem in asked))
            await asyncio.sleep(_SETTLE_S)
            into.left_open = (await _counts(client, engine_url, contestant.name))["open"]
    return results


def show(console: Console, well: dict[str, Results], ill: dict[str, dict[str, Results]]) -> None:
    title = (
        f"N = {N}, {TIMED} questions timed one at a time, all contestants in turn, and {COUNTED} more; a candidate is "
        f"right with p = {script.ACCURACY}, a judge puts right before wrong with p = 0.75"
    )
    columns = ("contestant", "median s", "calls", "tokens", "right", "answered", "left open")
    table = Table(*columns, title=title, title_justify="left")
    asked = TIMED + COUNTED
    for name, r in well.items():
        cost = (f"{statistics.median(r.seconds):.3f}", f"{r.calls / asked:.1f}", f"{r.tokens / asked:.0f}")
        table.add_row(label(name), *cost, f"{r.right}/{asked}", f"{r.answered}/{asked}", str(r.left_open))
    console.print(table)
    console.print("calls and tokens per question; tokens: those that the engine really wrote; left open: engine calls "
                  f"that ran on {_SETTLE_S:g} s after the client had its answer")  # fmt: skip
    kinds = [trouble for trouble in script.TROUBLES if trouble != "none"]
    title = f"answered (of them right) of {TROUBLED}, slowest answer in seconds; clients wait {PATIENCE_S:g} s"
    table = Table("contestant", *kinds, "left open", title=title, title_justify="left")
    for name, by_trouble in ill.items():
        cells = [f"{r.answered} ({r.right}) {max(r.seconds):.1f}" for r in (by_trouble[kind] for kind in kinds)]
        table.add_row(label(name), *cells, str(sum(r.left_open for r in by_trouble.values())))
    console.print(table)
    for kind in kinds:
        console.print(f"{kind}: {script.TROUBLES[kind]}")
    console.print(f"deadlines: hexad's and the original's soft timeout are {DEADLINE_S:g} s; the others have none")


async def _run(console: Console) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        start(stack, ["-m", "benchmarks.gateway.upstream", str(port)], port)
        engine_url = f"http://127.0.0.1:{port}"
        contestants = stack.enter_context(running(engine_url, folder))
        async with httpx.AsyncClient() as client:
            well = await healthy(client, engine_url, contestants)
            ill = await troubled(client, engine_url, contestants)
    show(console, well, ill)


def main(console: Console) -> None:
    asyncio.run(_run(console))
