"""Back-pressure: a bounded number of engine calls in flight, a bounded number of requests waiting for their first."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hexad.gateway.errors import ApiError

Caller = str | None
"""Whose request it is: the start of the key's hash; None where no key is asked for."""


class Slots:
    """Shared by all requests of one gateway. Callers take turns; among one caller's calls, first come, first served.

    A caller with a thousand calls waiting thus delays another by one call each time, not by a thousand.
    """

    def __init__(self, concurrency: int, queue: int) -> None:
        self.in_flight = 0
        self.seconds_per_call = 1.0
        self.concurrency = concurrency
        self._queue = queue
        self._requests: Counter[Caller] = Counter()
        self._turns: dict[Caller, deque[asyncio.Future[None]]] = {}

    @property
    def waiting(self) -> int:
        """Requests that wait for their first engine call."""
        return self._requests.total()

    def admit(self, caller: Caller = None) -> "Ticket":
        """A ticket for one request. Raises ApiError 429 when the queue is full.

        A full queue still takes a caller who has less than an equal share of it waiting, so that nobody is kept out
        by others; k callers can make it 1 + 1/2 + … + 1/k times as long at most.
        """
        places = self._queue + self.concurrency - self.in_flight
        callers = len(self._requests.keys() | {caller})
        if self.waiting >= places and self._requests[caller] >= places // callers:
            wait = min(60.0, self.seconds_per_call * (self.waiting + 1) / self.concurrency)
            raise ApiError(
                429,
                f"{self.waiting} requests wait already, which is the most that this server lets wait; try again later",
                code="rate_limit_exceeded",
                retry_after_s=wait,
            )
        return Ticket(self, caller)

    def enter(self, caller: Caller) -> None:
        """One more request of this caller waits."""
        self._requests[caller] += 1

    def leave(self, caller: Caller) -> None:
        """One less."""
        self._requests[caller] -= 1
        if not self._requests[caller]:
            del self._requests[caller]

    async def acquire(self, caller: Caller) -> None:
        """Wait for a free slot; give it back with `release`."""
        if self.in_flight < self.concurrency:  # then nobody waits: `release` hands slots on without freeing them
            self.in_flight += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._turns.setdefault(caller, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(caller, turn)
            else:
                self.release()  # the slot came in the same moment
            raise

    def release(self) -> None:
        """Hand the slot to the caller whose turn it is, or free it."""
        while self._turns:
            caller = next(iter(self._turns))
            turns = self._turns.pop(caller)
            turn = turns.popleft()
            if turns:
                self._turns[caller] = turns  # behind all others
            if not turn.done():  # its task may be cancelled, and not have run since
                turn.set_result(None)
                return
        self.in_flight -= 1

    def _forget(self, caller: Caller, turn: "asyncio.Future[None]") -> None:
        turns = self._turns.get(caller, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._turns[caller]


class Ticket:
    """One request's right to call the engine. Waiting until its first call starts; close it when done."""

    def __init__(self, slots: Slots, caller: Caller) -> None:
        self._slots = slots
        self._caller = caller
        self._admitted = time.monotonic()
        self.queue_s: float | None = None
        """Seconds from admission to the first engine call; None before."""
        self._waiting = True
        slots.enter(caller)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Holds one slot for the length of an engine call."""
        await self._slots.acquire(self._caller)
        started = time.monotonic()
        try:
            if self.queue_s is None:
                self.queue_s = started - self._admitted
            self.close()
            yield
        finally:
            self._slots.release()
            elapsed = time.monotonic() - started
            self._slots.seconds_per_call += 0.1 * (elapsed - self._slots.seconds_per_call)

    def close(self) -> None:
        """No longer waiting; further calls of this method do nothing."""
        if self._waiting:
            self._waiting = False
            self._slots.leave(self._caller)
