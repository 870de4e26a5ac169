"""A behaviour model of the original K2-Think scaffold, written from its documented behaviour and not from its code.

For each of N samples: one call for topics, one for a plan, one for the solution; a barrier until all are done or the
soft timeout; then a linear scan by a judge in which the winner so far is always "Response 0": 11 calls for N = 3.
Its weaknesses are kept where they decide whether a question is answered: a failed sample is None and takes part,
content is cut at the first </think>, a failure of the judge throws the finished answers away, and nothing is retried.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

TOPICS = "Is this a hard problem? Name its topics."
PLAN = "Write a plan for the question from these topics, without its answer."
COMPARE = "Which of these two responses is better?"
_SYSTEM = "You think before you answer, between <think> and </think>, and answer between <answer> and </answer>."
_FIRST, _SECOND = "\nResponse 0: ", "\nResponse 1: "
_POLL_S = 0.1

Complete = Callable[[list[dict[str, str]]], Awaitable[str]]
"""Messages in, the whole content out; raises on any failure."""


async def solve(question: str, n: int, soft_timeout_s: float, complete: Complete) -> str:
    """The chosen answer. Raises whatever the original would end with."""
    tasks = [asyncio.ensure_future(_sample(question, complete)) for _ in range(n)]
    loop = asyncio.get_running_loop()
    until = loop.time() + soft_timeout_s
    try:
        while not all(task.done() for task in tasks):
            if loop.time() > until and any(task.done() for task in tasks):
                break
            await asyncio.sleep(_POLL_S)
        samples = [task.result() if task.done() else None for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
    if all(sample is None for sample in samples):
        raise RuntimeError("no sample within the hard timeout")
    best = samples[0]
    for other in samples[1:]:
        asked = f"{COMPARE}\n{question}{_FIRST}{_shown(best)}{_SECOND}{_shown(other)}"
        verdict = json.loads(await complete([_user(asked)]))
        best = (best, other)[verdict["index"]]
    if best is None:
        raise AttributeError("the chosen sample is None")
    return best


def read_pair(prompt: str) -> tuple[str, str]:
    """The two responses in a judge's prompt."""
    first, _, second = prompt.partition(_FIRST)[2].partition(_SECOND)
    return first, second


async def _sample(question: str, complete: Complete) -> str | None:
    try:
        topics: dict[str, Any] = json.loads(await complete([_user(f"{TOPICS}\n{question}")]))
        asked = question
        if topics["is_hard_problem"]:
            plan = await complete([_user(f"{PLAN}\n{question}\n{topics['search_list']}")])
            ideas = plan.partition("<plan>")[2].partition("</plan>")[0]
            asked = f"{question}\nIdeas that may help: {ideas}"
        return await complete([{"role": "system", "content": _SYSTEM}, _user(asked)])
    except Exception:  # noqa: BLE001 - the original logs any failure of a sample and goes on with None
        return None


def _shown(sample: str | None) -> str:
    if sample is None:
        return "No answer."
    parts = sample.split("</think>")
    return parts[1] if len(parts) > 1 else f"No answer was found, the end was: {sample[-200:]}"


def _user(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}
