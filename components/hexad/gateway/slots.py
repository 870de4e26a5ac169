"""Back-pressure: a bounded number of engine calls in flight, a bounded number of requests waiting for their first."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hexad.gateway.errors import ApiError


class Slots:
    """Shared by all requests of one gateway; first come, first served."""

    def __init__(self, concurrency: int, queue: int) -> None:
        self.in_flight = 0
        self.waiting = 0
        self.seconds_per_call = 1.0
        self.concurrency = concurrency
        self._queue = queue
        self.free = asyncio.Semaphore(concurrency)

    def admit(self) -> "Ticket":
        """A ticket for one request. Raises ApiError 429 when the queue is full."""
        if self.waiting >= self._queue + self.concurrency - self.in_flight:
            wait = min(60.0, self.seconds_per_call * (self.waiting + 1) / self.concurrency)
            raise ApiError(
                429,
                f"{self.waiting} requests wait already, which is the most that this server lets wait; try again later",
                code="rate_limit_exceeded",
                retry_after_s=wait,
            )
        return Ticket(self)


class Ticket:
    """One request's right to call the engine. Waiting until its first call starts; close it when done."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._waiting = True
        slots.waiting += 1

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Holds one slot for the length of an engine call."""
        async with self._slots.free:
            self.close()
            self._slots.in_flight += 1
            started = time.monotonic()
            try:
                yield
            finally:
                self._slots.in_flight -= 1
                elapsed = time.monotonic() - started
                self._slots.seconds_per_call += 0.1 * (elapsed - self._slots.seconds_per_call)

    def close(self) -> None:
        """No longer waiting; further calls of this method do nothing."""
        if self._waiting:
            self._waiting = False
            self._slots.waiting -= 1
