"""Many connections to one engine without looking through all of them for every call.

httpcore's pool walks its connections at each request and, for every idle one, counts all of them again
(httpcore 1.0, `_assign_requests_to_connections`): with two hundred streams open that was half of the gateway's time.
Several small pools, used in turn, hold the same connections.
"""

from itertools import cycle

import httpx

POOL_SIZE = 8
"""Connections a pool is meant for."""


class Pools(httpx.AsyncBaseTransport):
    """Spreads requests over pools, enough for `connections` open at once; more than that still work, more slowly."""

    def __init__(self, connections: int) -> None:
        # Idle ones are kept without bound: httpcore would count the busy ones against one, and close what is needed.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        count = max(1, -(-connections // POOL_SIZE))
        self._pools = [httpx.AsyncHTTPTransport(limits=limits) for _ in range(count)]
        self._turn = cycle(self._pools)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await next(self._turn).handle_async_request(request)

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.aclose()
