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
    used: int
    """What all calls together had taken then, this one included."""
    gross: int
    """What all calls had ever taken then."""


class Bucket:
    """Times are seconds of one monotonic clock, passed in. `limit` None: unknown until the provider tells it."""

    def __init__(self, limit: int | None, period_s: float) -> None:
        self._ours = limit
        self._accounts: int | None = None
        self._others = 0
        self._others_until = -math.inf
        self._period_s = period_s
        self._width_s = period_s / _SLOTS
        self._slots: dict[int, _Slot] = {}
        self._gross = 0

    @property
    def limit(self) -> int | None:
        """The lower of ours and the provider's, which holds for the whole account."""
        return min((limit for limit in (self._ours, self._accounts) if limit is not None), default=None)

    def wait_s(self, amount: int, now: float, refunded: bool = False) -> float:
        """Seconds until `amount` fits; infinite where it never does.

        `refunded`: the best case, in which every running call turns out to cost nothing.
        """
        self._forget(now)
        if self.limit is None:
            return 0.0
        alone = self._until_fits(amount, self.limit, now, refunded)
        if self._accounts is None or now >= self._others_until:
            return alone
        beside = self._until_fits(amount, min(self.limit, self._accounts - self._others), now, refunded)
        return min(beside, max(alone, self._others_until - now))

    def take(self, amount: int, now: float) -> Taken:
        """Charge `amount`, which must fit."""
        self._forget(now)
        index = math.floor(now / self._width_s)
        self._slots.setdefault(index, _Slot()).open += amount
        self._gross += amount
        return Taken(index, amount, self._used(), self._gross)

    def settle(self, taken: Taken, real: int) -> None:
        """The call has ended and cost `real`: the rest comes back, or the excess is charged."""
        slot = self._slots.get(taken.slot)
        if slot is not None:
            slot.open -= taken.amount
            slot.spent += real

    def sync(self, taken: Taken, limit: int | None, remaining: int | None, reset_s: float | None, now: float) -> None:
        """Heed what the provider's response to the call of `taken` says of the account.

        What is gone and cannot be ours was taken by others, and stays so until the reset. Ours may be any of what was
        taken by then and since: the provider counted at a moment in between, before or after refunds. A guess too low
        costs a refusal with a time to wait; one too high would make calls wait for what is there.
        """
        self._accounts = limit if limit is not None else self._accounts
        if remaining is None or self._accounts is None:
            return
        ours = taken.used + self._gross - taken.gross
        self._others = max(0, self._accounts - remaining - ours)
        self._others_until = now + min(self._period_s, self._period_s if reset_s is None else reset_s)

    def _until_fits(self, amount: int, ceiling: int, now: float, refunded: bool) -> float:
        if amount > ceiling:
            return math.inf
        over, wait = self._used(refunded) + amount - ceiling, 0.0
        for index, slot in self._slots.items():
            if over <= 0:
                break
            over -= slot.spent + (0 if refunded else slot.open)
            wait = self._end(index) - now
        return wait

    def _used(self, refunded: bool = False) -> int:
        return sum(slot.spent + (0 if refunded else slot.open) for slot in self._slots.values())

    def _end(self, index: int) -> float:
        return (index + 1) * self._width_s + self._period_s

    def _forget(self, now: float) -> None:
        for index in [i for i in self._slots if self._end(i) <= now]:
            del self._slots[index]
