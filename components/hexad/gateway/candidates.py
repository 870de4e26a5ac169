"""Run writers, all at once or in turns, until their result is decided or time is up; then close the rest."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import comb

from hexad.gateway.report import Stop


async def run_candidates(
    writers: Sequence[Callable[[], Awaitable[None]]],
    until: float,
    decided: Callable[[], Awaitable[bool]],
    first: int,
    then: int,
    between: Callable[[], Awaitable[Stop | None]],
) -> Stop:
    """Await the writers; `until` is in the event loop's time.

    The `first` of them start at once. Each time that all have ended, `between` may give a reason to stop; else `then`
    more start. When this returns or raises, also by being cancelled, no writer runs any more. A writer's exception is
    raised: failures that leave the other candidates usable are the writer's to keep.
    """
    loop = asyncio.get_running_loop()
    waiting, tasks, pending = deque(writers), [], set()

    def start(count: int) -> None:
        for _ in range(min(count, len(waiting))):
            task = asyncio.ensure_future(waiting.popleft()())
            tasks.append(task)
            pending.add(task)

    start(first)
    try:
        while pending:
            left = max(0.0, until - loop.time())
            done, still = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            pending.clear()
            pending.update(still)
            for task in done:
                task.result()
            if not done:
                return "deadline"
            if pending and await decided():
                return "agreed"
            if not pending and waiting:
                try:
                    async with asyncio.timeout_at(until):
                        reason = await between()
                except TimeoutError:
                    return "deadline"
                if reason is not None:
                    return reason
                start(then)
        return "complete"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def majority_is_fixed(group_sizes: Sequence[int], running: int) -> bool:
    """Whether the largest group stays the largest however the `running` candidates answer."""
    sizes = [*sorted(group_sizes, reverse=True), 0, 0]
    return sizes[0] > sizes[1] + running


def confidence(agreeing: int, candidates: int) -> float:
    """Probability that the answer of `agreeing` of `candidates` is the majority of all that could be sampled.

    P(p > 1/2) for p ~ Beta(1 + agreeing, 1 + others), the posterior from a uniform prior (Aggarwal et al. 2023,
    arXiv 2305.11860); for whole numbers a sum of binomials.
    """
    trials = candidates + 1
    return sum(comb(trials, i) for i in range(agreeing + 1)) / 2.0**trials


def unanimous_for(wanted: float, most: int) -> int:
    """The least number of candidates whose agreement alone reaches the confidence; at most `most`."""
    return next((n for n in range(1, most) if confidence(n, n) >= wanted), most)
