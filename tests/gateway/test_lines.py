"""Lines of a response, however the network cut it."""

import asyncio
from collections.abc import AsyncIterator

import httpx
from hypothesis import given
from hypothesis import strategies as st

from hexad.gateway.backends.lines import lines_of


class Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


@given(st.lists(st.text("aé\n", max_size=4).map(str.encode), max_size=8))
def test_lines_do_not_depend_on_the_cuts(pieces: list[bytes]) -> None:
    async def read() -> list[bytes]:
        return [line async for line in lines_of(httpx.Response(200, stream=Pieces(pieces)))]

    whole = b"".join(pieces)
    assert asyncio.run(read()) == (whole.removesuffix(b"\n").split(b"\n") if whole else [])
