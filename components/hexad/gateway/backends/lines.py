"""A response's lines as bytes: httpx's own chain of decoders costs more per line than all that is done with it."""

from collections.abc import AsyncIterator

import httpx


async def lines_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """Each line without its end, as soon as the line is whole; the last one also without an end of its own."""
    pieces = response.aiter_bytes() if "content-encoding" in response.headers else response.aiter_raw()
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line
    if rest:
        yield rest
