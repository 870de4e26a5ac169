"""Client-side rate limits, on a clock that the test moves."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.gateway.backends.bucket import Bucket, Taken
from hexad.gateway.backends.limits import RateLimits
from hexad.gateway.backends.token_bucket import OverLimitError, TokenBucket

PERIOD_S = 60.0
HEADERS = {"tokens_per_minute": "tokens-minute", "requests_per_day": "requests-day"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def told(limit: int, remaining: int, reset: float) -> dict[str, str]:
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"x-ratelimit-{what}-tokens-minute": str(value) for what, value in values.items()}


@given(
    st.integers(1, 1000),
    st.lists(st.tuples(st.floats(0, 90), st.floats(0, 1), st.floats(0, 1), st.booleans()), max_size=60),
)
def test_no_window_of_a_period_ever_holds_more_than_the_limit(
    limit: int, calls: list[tuple[float, float, float, bool]]
) -> None:
    bucket, now = Bucket(limit, PERIOD_S), 0.0
    open_calls: list[tuple[int, Taken]] = []
    passed: list[tuple[float, int]] = []
    for pause, share, cost, ends in calls:
        now += pause
        amount = math.ceil(share * limit)
        while (wait := bucket.wait_s(amount, now)) > 0:
            now += wait
        open_calls.append((len(passed), bucket.take(amount, now)))
        passed.append((now, amount))
        if ends:
            i, taken = open_calls.pop(0)
            real = int(cost * taken.amount)
            bucket.settle(taken, real)
            passed[i] = (passed[i][0], real)
    for start, _ in passed:
        assert sum(amount for when, amount in passed if start <= when < start + PERIOD_S) <= limit


@given(st.lists(st.integers(1, 100), min_size=1, max_size=30))
def test_waiting_is_no_longer_than_a_period(amounts: list[int]) -> None:
    bucket = Bucket(100, PERIOD_S)
    for amount in amounts:
        wait = bucket.wait_s(amount, 0.0)
        assert wait <= PERIOD_S * 1.01
        if not wait:
            bucket.take(amount, 0.0)


def test_what_a_call_did_not_use_comes_back_at_once() -> None:
    bucket = TokenBucket(RateLimits(tokens_per_minute=100), {}, Clock())
    first = bucket.take(90)
    assert bucket.wait_s(50) > 59
    assert bucket.wait_s(50, refunded=True) == 0
    bucket.settle(first, 20)
    assert bucket.wait_s(50) == 0


def test_what_a_call_used_beyond_its_charge_is_charged_after() -> None:
    bucket = TokenBucket(RateLimits(tokens_per_minute=100), {}, Clock())
    bucket.settle(bucket.take(10), 80)
    assert bucket.wait_s(30) > 59


@pytest.mark.parametrize(
    ("limits", "calls", "wait"),
    [
        ({"requests_per_minute": 2}, 2, 60),
        ({"requests_per_hour": 2}, 2, 3600),
        ({"requests_per_day": 2}, 2, 86400),
        ({"tokens_per_minute": 20}, 2, 60),
        ({"tokens_per_hour": 25}, 2, 3600),
        ({"tokens_per_day": 29}, 2, 86400),
        ({"requests_per_minute": 3, "tokens_per_day": 30}, 2, 0),
    ],
)
def test_every_limit_counts(limits: dict[str, int], calls: int, wait: float) -> None:
    bucket = TokenBucket(RateLimits.model_validate(limits), {}, Clock())
    for _ in range(calls):
        bucket.settle(bucket.take(10), 10)
    assert bucket.wait_s(10) == pytest.approx(wait, rel=0.005)


def test_a_call_larger_than_a_limit_is_refused_naming_the_limit_and_the_mend() -> None:
    bucket = TokenBucket(RateLimits(tokens_per_minute=1000), {}, Clock())
    with pytest.raises(
        OverLimitError, match=r"1000 tokens per minute: lower max_tokens by 200.*tokens_per_minute"
    ) as no:
        bucket.check(1200)
    assert no.value.retry_after_s == math.inf


def test_the_backends_lower_limit_replaces_ours_but_not_a_higher_one() -> None:
    bucket = TokenBucket(RateLimits(tokens_per_minute=1000), HEADERS, Clock())
    charge = bucket.take(1)
    bucket.sync(charge, told(500, 499, 60))
    with pytest.raises(OverLimitError):
        bucket.check(600)
    bucket.sync(charge, told(9000, 8999, 60))
    with pytest.raises(OverLimitError):
        bucket.check(1001)


def test_what_others_took_from_the_account_is_heeded_until_it_resets() -> None:
    clock = Clock()
    bucket = TokenBucket(RateLimits(), HEADERS, clock)
    bucket.sync(bucket.take(100), told(1000, 150, 30.0))
    assert bucket.wait_s(150) == 0
    assert bucket.wait_s(151) == pytest.approx(30)
    clock.now += 30
    assert bucket.wait_s(151) == 0


def test_our_own_running_and_refunded_calls_are_not_taken_for_others() -> None:
    bucket = TokenBucket(RateLimits(), HEADERS, Clock())
    first, second = bucket.take(400), bucket.take(400)
    bucket.settle(first, 10)
    bucket.sync(second, told(1000, 200, 30.0))  # counted before the refund
    assert bucket.wait_s(590) == 0
    assert bucket.wait_s(591) > 0


def test_a_share_of_the_account_is_ours_whatever_others_take_of_the_rest() -> None:
    bucket = TokenBucket(RateLimits(tokens_per_minute=300), HEADERS, Clock())
    bucket.sync(bucket.take(100), told(1000, 300, 30.0))
    assert bucket.wait_s(200) == 0
    assert bucket.wait_s(201) > 30


@pytest.mark.parametrize("value", ["", "soon", "-1", "nan", "inf"])
def test_headers_that_say_nothing_change_nothing(value: str) -> None:
    bucket = TokenBucket(RateLimits(tokens_per_minute=100), HEADERS, Clock())
    names = [f"x-ratelimit-{what}-tokens-minute" for what in ("limit", "remaining", "reset")]
    bucket.sync(bucket.take(10), dict.fromkeys(names, value))
    assert bucket.wait_s(90) == 0


def test_a_large_call_is_not_overtaken_by_small_ones() -> None:
    async def run() -> list[str]:
        bucket, order = TokenBucket(RateLimits(tokens_per_minute=100), {}), []

        async def call(name: str, tokens: int) -> None:
            await bucket.charge(tokens, math.inf)
            order.append(name)

        first = bucket.take(60)
        waiting = [asyncio.ensure_future(call("large", 90)), asyncio.ensure_future(call("small", 10))]
        await asyncio.sleep(0.05)
        assert order == []
        bucket.settle(first, 0)
        await asyncio.gather(*waiting)
        return order

    assert asyncio.run(run()) == ["large", "small"]


def test_no_time_is_spent_waiting_for_what_cannot_come_before_the_deadline() -> None:
    async def run() -> tuple[float, float]:
        bucket = TokenBucket(RateLimits(tokens_per_minute=100), {})
        bucket.settle(bucket.take(60), 60)
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(OverLimitError) as no:
            await bucket.charge(50, started + 5)
        return loop.time() - started, no.value.retry_after_s

    seconds, retry_after = asyncio.run(run())
    assert seconds < 0.5
    assert retry_after == pytest.approx(60, abs=0.5)


def test_a_refund_that_may_come_is_waited_for_until_the_deadline() -> None:
    async def run() -> float:
        bucket = TokenBucket(RateLimits(tokens_per_minute=100), {})
        bucket.take(60)
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(OverLimitError):
            await bucket.charge(50, started + 0.2)
        return loop.time() - started

    assert asyncio.run(run()) == pytest.approx(0.2, abs=0.15)
