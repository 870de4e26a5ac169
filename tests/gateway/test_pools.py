"""Many pools behave as one: connections are used again, and any number of calls is answered."""

import asyncio

import httpx

from hexad.gateway.pools import POOL_SIZE, Pools

from .upstream import Engine


def statuses(url: str, connections: int, calls: int, at_once: int) -> list[int]:
    async def run() -> list[int]:
        gate = asyncio.Semaphore(at_once)
        async with httpx.AsyncClient(transport=Pools(connections)) as client:

            async def call() -> int:
                async with gate:
                    body = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
                    return (await client.post(f"{url}/v1/chat/completions", json=body)).status_code

            return await asyncio.gather(*(call() for _ in range(calls)))

    return asyncio.run(run())


def test_calls_one_after_another_use_one_connection_a_pool(engine: Engine, engine_url: str) -> None:
    assert statuses(engine_url, connections=2 * POOL_SIZE, calls=20, at_once=1) == [200] * 20
    assert len(engine.connections) == 2


def test_more_calls_than_connections_are_answered(engine: Engine, engine_url: str) -> None:
    assert statuses(engine_url, connections=4, calls=60, at_once=60) == [200] * 60
