"""Callers take turns at the engine, and nobody fills the queue for the others."""

import asyncio
import hashlib
import random
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.gateway.errors import ApiError
from hexad.gateway.slots import Slots

from .conftest import question
from .upstream import SEED, Engine, Script, wait_for


async def served(calls: list[str], slots: Slots) -> list[str]:
    """The order in which calls get a slot, all of them waiting in the given order while the slots are taken."""
    order: list[str] = []

    async def call(caller: str) -> None:
        await slots.acquire(caller)
        order.append(caller)
        await asyncio.sleep(0)
        slots.release()

    for _ in range(slots.concurrency):
        await slots.acquire("holder")
    tasks = [asyncio.ensure_future(call(caller)) for caller in calls]
    await asyncio.sleep(0)
    for _ in range(slots.concurrency):
        slots.release()
    await asyncio.gather(*tasks)
    assert slots.in_flight == 0
    return order


def test_a_thousand_waiting_calls_of_one_caller_delay_another_by_one() -> None:
    order = asyncio.run(served(["greedy"] * 1000 + ["modest"] * 3, Slots(1, 0)))
    assert [i for i, caller in enumerate(order) if caller == "modest"] == [1, 3, 5]


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 4))
def test_while_callers_wait_none_gets_more_than_one_turn_ahead(calls: list[str], concurrency: int) -> None:
    order = asyncio.run(served(calls, Slots(concurrency, 0)))
    assert sorted(order) == sorted(calls)
    for end in range(len(order)):
        still = [caller for caller in set(calls) if caller in order[end:]]
        counts = [order[:end].count(caller) for caller in still]
        assert not counts or max(counts) - min(counts) <= 1


@given(st.integers(0, 2**32), st.integers(1, 3))
def test_cancelled_calls_lose_no_slot_and_leave_none_waiting(seed: int, concurrency: int) -> None:
    chance = random.Random(seed)

    async def run() -> None:
        slots, running = Slots(concurrency, 100), 0

        async def call(caller: str) -> None:
            nonlocal running
            ticket = slots.admit(caller)
            try:
                async with ticket.call():
                    running += 1
                    assert running <= concurrency
                    try:
                        await asyncio.sleep(0)
                    finally:
                        running -= 1
            finally:
                ticket.close()

        tasks = [asyncio.ensure_future(call(chance.choice("ab"))) for _ in range(20)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            if chance.random() < 0.5:
                chance.choice(tasks).cancel()
        assert (slots.in_flight, slots.waiting) == (0, 0)

    asyncio.run(run())


def test_a_full_queue_still_takes_a_caller_with_less_than_its_share() -> None:
    async def run() -> None:
        slots = Slots(1, 4)
        await slots.acquire("greedy")
        for _ in range(4):
            slots.admit("greedy")
        with pytest.raises(ApiError, match="4 requests wait"):
            slots.admit("greedy")
        slots.admit("modest")
        slots.admit("modest")
        with pytest.raises(ApiError, match="6 requests wait"):
            slots.admit("modest")

    asyncio.run(run())


def test_over_the_wire_another_key_is_served_before_the_first_ones_backlog(
    engine: Engine, gateway: Callable[..., str]
) -> None:
    keys = ("greedy", "modest")
    url = gateway(concurrency=1, queue=6, api_key_hashes=[hashlib.sha256(k.encode()).hexdigest() for k in keys])
    engine.script, engine.held = lambda _: Script(), True
    done: list[tuple[str, int]] = []

    def post(key: str) -> None:
        body: dict[str, Any] = {"model": "k:bo1", "messages": question(), "seed": SEED}
        headers = {"Authorization": f"Bearer {key}"}
        done.append((key, httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=20).status_code))

    threads = [threading.Thread(target=post, args=(key,)) for key in ["greedy"] * 7 + ["modest"]]
    for count, thread in enumerate(threads):
        thread.start()
        wait_for(lambda count=count: f"hexad_waiting {count}.0" in httpx.get(f"{url}/metrics").text)
    engine.held = False
    for thread in threads:
        thread.join()
    assert {status for _, status in done} == {200}
    assert [key for key, _ in done].index("modest") <= 3
