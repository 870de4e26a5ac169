"""Run N writers at once until all are done, their result is decided, or time is up; then close what still runs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from hexad.gateway.report import Stop


async def run_candidates(
    writers: Sequence[Callable[[], Awaitable[None]]], until: float, decided: Callable[[], Awaitable[bool]]
) -> Stop:
    """Await the writers concurrently; `until` is in the event loop's time.

    When this returns or raises, also by being cancelled, no writer runs any more. A writer's exception is raised:
    failures that leave the other candidates usable are the writer's to keep.
    """
    loop = asyncio.get_running_loop()
    tasks = [asyncio.ensure_future(write()) for write in writers]
    pending = set(tasks)
    try:
        while pending:
            left = max(0.0, until - loop.time())
            done, pending = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if not done:
                return "deadline"
            if pending and await decided():
                return "agreed"
        return "complete"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def majority_is_fixed(group_sizes: Sequence[int], running: int) -> bool:
    """Whether the largest group stays the largest however the `running` candidates answer."""
    sizes = [*sorted(group_sizes, reverse=True), 0, 0]
    return sizes[0] > sizes[1] + running
