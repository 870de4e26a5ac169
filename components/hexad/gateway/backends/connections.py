"""The way to the engine: HTTP/1.1 over kept-alive connections, as a transport for httpx that costs little per chunk.

Engines send a chunk per token or few, so the cost of a chunk is where the gateway's processor time goes. httpx's own
transport hands each through h11, anyio and a pool that counts all of its connections at every request (httpcore 1.0,
`_assign_requests_to_connections`). Here the C parser that uvicorn uses, httptools, is fed from the socket directly.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import httptools
import httpx

_Origin = tuple[str, str, int]
_HIGH_WATER = 1 << 18
"""Bytes read and not yet consumed past which the engine is not read from."""
_FRAMING = {b"content-length", b"transfer-encoding"}


class Connections(httpx.AsyncBaseTransport):
    """As many connections as there are requests at once; idle ones are used again, the latest first."""

    def __init__(self) -> None:
        self._ssl = httpx.create_ssl_context()
        self._idle: dict[_Origin, list[_Connection]] = defaultdict(list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.ConnectError, ConnectTimeout, ReadTimeout or a ProtocolError."""
        url, timeouts = request.url, request.extensions.get("timeout", {})
        origin = (url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80))
        idle = self._idle[origin]
        body = await request.aread()
        connection = idle.pop() if idle else await self._open(origin, timeouts.get("connect"))
        try:
            connection.send(request, body)
            await connection.head(timeouts.get("read"))
        except BaseException:
            connection.close()
            raise
        return FreedResponse(
            connection.status, headers=connection.headers, stream=_Body(connection, timeouts.get("read"))
        )

    async def aclose(self) -> None:
        for idle in self._idle.values():
            for connection in [*idle]:
                connection.close()

    async def _open(self, origin: _Origin, timeout_s: float | None) -> "_Connection":
        scheme, host, port = origin
        encryption = self._ssl if scheme == "https" else None
        try:
            async with asyncio.timeout(timeout_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self._idle[origin]), host, port, ssl=encryption
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout(f"{host}:{port}: no connection within {timeout_s} s") from error
        except OSError as error:
            raise httpx.ConnectError(f"{host}:{port}: {error}") from error
        return connection


class FreedResponse(httpx.Response):
    """httpx's client makes response and stream refer to each other; once closed, they let go, so that both are freed
    at once and not by the garbage collector, which stops every other stream for its time.
    """

    async def aclose(self) -> None:
        await super().aclose()
        self.stream = httpx.ByteStream(b"")


class _Body(httpx.AsyncByteStream):
    """A response's body as it comes; closing it before its end closes the connection, which stops the engine."""

    def __init__(self, connection: "_Connection", timeout_s: float | None) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._connection.piece(self._timeout_s):
            yield piece

    async def aclose(self) -> None:
        self._connection.release()


class _Connection(asyncio.Protocol):
    """One connection with at most one exchange at a time; the `on_` methods are the parser's callbacks."""

    def __init__(self, idle: "list[_Connection]") -> None:
        self._idle = idle
        self._transport: Any = None
        self._parser: Any = None
        self._waiter: asyncio.Future[None] | None = None
        self._lost: str | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []

    def send(self, request: httpx.Request, body: bytes) -> None:
        """Begin an exchange."""
        lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
        lines += [b"%s: %s" % header for header in request.headers.raw]
        if any(b"\r" in line or b"\n" in line for line in lines):
            raise httpx.LocalProtocolError("a header of the request holds a line break")
        self.status, self.headers = 0, []
        self._pieces: list[bytes] = []
        self._unread = 0
        self._paused = self._has_head = self._complete = self._reusable = False
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(b"\r\n".join([*lines, b"", body]))

    async def head(self, timeout_s: float | None) -> None:
        """Wait for the response's status and headers."""
        while not self._has_head:
            await self._change(timeout_s)

    async def piece(self, timeout_s: float | None) -> bytes:
        """What has come of the body since the last call, at least a byte; empty at the end."""
        while not self._pieces and not self._complete:
            await self._change(timeout_s)
        piece = b"".join(self._pieces)
        self._pieces.clear()
        self._unread = 0
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return piece

    def release(self) -> None:
        """The exchange is over: keep the connection for another, if it was read to its end and the engine allows it."""
        if self._complete and self._reusable and self._lost is None:
            self._parser = None
            self._idle.append(self)
        else:
            self.close()

    def close(self) -> None:
        self._transport.abort()

    async def _change(self, timeout_s: float | None) -> None:
        if self._lost is not None:
            raise httpx.RemoteProtocolError(self._lost)
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await self._waiter
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"nothing came within {timeout_s} s") from error

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            self.close()  # an idle connection has nothing to say
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._lost = f"no HTTP response: {error}"
            self.close()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._idle:
            self._idle.remove(self)
        if self._parser is not None and self._has_head and not any(name in _FRAMING for name, _ in self.headers):
            self._complete = True  # a body without a length ends with the connection
        self._lost = (
            self._lost or f"the connection was closed before the response was complete: {error or 'end of file'}"
        )
        self._wake()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._has_head = self.status >= 200

    def on_body(self, data: bytes) -> None:
        self._pieces.append(data)
        self._unread += len(data)
        if self._unread > _HIGH_WATER and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if not self._has_head:
            self.headers = []  # it was an interim response, 1xx; the real one follows
            return
        self._complete = True
        self._reusable = self._parser.should_keep_alive()
