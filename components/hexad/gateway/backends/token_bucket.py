"""All rate limits of a backend together: charged before a call, settled after it, kept in step with its headers."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hexad.gateway.backends.bucket import Bucket, Taken
from hexad.gateway.backends.limits import RateLimits

_PERIODS_S = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}


class OverLimitError(Exception):
    """A call does not fit. `retry_after_s` tells when it will; infinite: never."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass
class Charge:
    """What one call was charged."""

    tokens: int
    taken: dict[str, Taken]


class TokenBucket:
    """Shared by all calls to one backend. First come, first served: a large call is not overtaken for ever.

    `limits`: the operator's; None leaves one to the backend's headers. `headers`: limit → name in the headers.
    """

    def __init__(
        self, limits: RateLimits, headers: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._headers = headers
        self._clock = clock
        self._buckets = {
            name: Bucket(limit, _PERIODS_S[name.rpartition("_")[2]])
            for name, limit in dict(limits).items()
            if limit is not None or name in headers
        }
        self._held_until = -math.inf
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    @property
    def counts(self) -> bool:
        """Whether there is any limit to keep."""
        return bool(self._buckets)

    def check(self, tokens: int) -> None:
        """Raise OverLimitError for a call that no waiting makes fit, naming the limit and the mend."""
        for name, bucket in self._buckets.items():
            if bucket.limit is not None and _amount(name, tokens) > bucket.limit:
                raise OverLimitError(
                    f"this call may take {tokens} tokens (its prompt and max_tokens), more than the engine's limit of "
                    f"{bucket.limit} {name.replace('_', ' ')}: lower max_tokens by {tokens - bucket.limit}, shorten "
                    f"the prompt, or have the operator raise limits.{name}",
                    math.inf,
                )

    async def charge(self, tokens: int, until: float) -> Charge:
        """Wait until a call of at most `tokens` fits, and charge it. `until` is in the event loop's time.

        Raises OverLimitError at once when it cannot fit before `until`, or then.
        """
        try:
            async with asyncio.timeout_at(until if until < math.inf else None), self._turn:
                while (wait := self.wait_s(tokens)) > 0:
                    if self._clock() + self.wait_s(tokens, refunded=True) > until:
                        raise self._empty(tokens)
                    self._changed.clear()
                    await _wait(self._changed, wait)
                return self.take(tokens)
        except TimeoutError as error:
            raise self._empty(tokens) from error

    def wait_s(self, tokens: int, refunded: bool = False) -> float:
        """Seconds until a call of at most `tokens` fits every limit; `refunded`: at best."""
        self.check(tokens)
        now = self._clock()
        waits = [bucket.wait_s(_amount(name, tokens), now, refunded) for name, bucket in self._buckets.items()]
        return max([self._held_until - now, 0.0, *waits])

    def take(self, tokens: int) -> Charge:
        """Charge a call that fits."""
        now = self._clock()
        taken = {name: bucket.take(_amount(name, tokens), now) for name, bucket in self._buckets.items()}
        return Charge(tokens, taken)

    def sync(self, charge: Charge, headers: Mapping[str, str]) -> None:
        """Take over what the backend's response to the call says of its limits."""
        now = self._clock()
        for name, suffix in self._headers.items():
            limit, remaining, reset = (
                _number(headers.get(f"x-ratelimit-{what}-{suffix}")) for what in ("limit", "remaining", "reset")
            )
            self._buckets[name].sync(charge.taken[name], _whole(limit), _whole(remaining), reset, now)
        self._changed.set()

    def hold(self, seconds: float) -> None:
        """No call for so long: the backend refused one with Retry-After."""
        self._held_until = max(self._held_until, self._clock() + seconds)

    def settle(self, charge: Charge, tokens: int) -> None:
        """The call has ended and cost so many tokens. As a request it counts whatever came of it."""
        for name, taken in charge.taken.items():
            self._buckets[name].settle(taken, _amount(name, tokens))
        self._changed.set()

    def _empty(self, tokens: int) -> OverLimitError:
        wait = self.wait_s(tokens)
        return OverLimitError(
            f"the engine's rate limits have no room for {tokens} tokens before this request's deadline; "
            f"ask again in {wait:.0f} s, or for fewer tokens or candidates",
            wait,
        )


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _amount(name: str, tokens: int) -> int:
    return tokens if name.startswith("tokens") else 1


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
