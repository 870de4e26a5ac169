"""One rate limit, counted on our side: at most `limit` in any `period_s` seconds, whatever the moment.

A bucket that refills steadily lets up to twice its size through in one period (what it held plus what ran in), and one
that refills at the full minute does too, around the edge. This one remembers when it was charged and gives each
amount back one period later. What it lets through, all three kinds of provider's bucket accept.
"""

import math
from dataclasses import dataclass

_SLOTS = 600
"""Parts of a period that are counted together. An amount comes back at most one part too late, never too early."""


@dataclass
class _Slot:
    open: int = 0
    """Charged to calls that still run."""
    spent: int = 0
    """Settled."""


@dataclass
class Taken:
    """One call's part of a bucket."""

    slot: int
    amount: int
    unseen: bool = True
    """The provider has not answered yet, so that its `remaining` may not count this call."""


class Bucket:
    """Times are seconds of one monotonic clock, passed in."""

    def __init__(self, limit: int | None, period_s: float) -> None:
        self.limit = limit
        self._most = limit
        self._period_s = period_s
        self._width_s = period_s / _SLOTS
        self._slots: dict[int, _Slot] = {}
        self._unseen = 0
        self._free = 0
        self._free_until = -math.inf

    def wait_s(self, amount: int, now: float, refunded: bool = False) -> float:
        """Seconds until `amount` fits; infinite where it never does.

        `refunded`: the best case, in which every running call turns out to cost nothing.
        """
        self._forget(now)
        wait = 0.0
        if self.limit is not None:
            if amount > self.limit:
                return math.inf
            sizes = {index: s.spent + (0 if refunded else s.open) for index, s in self._slots.items()}
            over = sum(sizes.values()) + amount - self.limit
            for index, size in sizes.items():
                if over <= 0:
                    break
                over -= size
                wait = self._end(index) - now
        running = sum(s.open for s in self._slots.values()) if refunded else 0
        if now < self._free_until and amount > self._free + running:
            wait = max(wait, self._free_until - now)
        return wait

    def take(self, amount: int, now: float) -> Taken:
        """Charge `amount`, which must fit."""
        self._forget(now)
        index = math.floor(now / self._width_s)
        self._slots.setdefault(index, _Slot()).open += amount
        self._free -= amount
        self._unseen += amount
        return Taken(index, amount)

    def settle(self, taken: Taken, real: int) -> None:
        """The call has ended and cost `real`: the rest comes back, or the excess is charged."""
        self._saw(taken)
        slot = self._slots.get(taken.slot)
        if slot is not None:
            slot.open -= taken.amount
            slot.spent += real
        self._free += taken.amount - real

    def sync(self, taken: Taken, limit: int | None, remaining: int | None, reset_s: float | None, now: float) -> None:
        """Heed what the provider said when it accepted or refused the call of `taken`.

        Its limit counts where it is lower than ours. Its `remaining`, less the calls that it has not answered yet,
        bounds what may be charged until it resets: others may use the same account.
        """
        self._saw(taken)
        if limit is not None:
            self.limit = limit if self._most is None else min(self._most, limit)
        if remaining is not None:
            self._free = remaining - self._unseen
            self._free_until = now + min(self._period_s, self._period_s if reset_s is None else reset_s)

    def _saw(self, taken: Taken) -> None:
        if taken.unseen:
            taken.unseen = False
            self._unseen -= taken.amount

    def _end(self, index: int) -> float:
        return (index + 1) * self._width_s + self._period_s

    def _forget(self, now: float) -> None:
        for index in [i for i in self._slots if self._end(i) <= now]:
            del self._slots[index]
