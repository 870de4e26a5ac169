"""What a client may not do to a connection: trickle, send endless heads, never read, or frame a body in two ways.

uvicorn's own protocol waits for ever for the head of a request, for the rest of a body that nobody reads, and for a
client that does not read its answer; it keeps whatever arrives of a head.
"""

import asyncio
import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hexad.gateway.errors import ApiError


class Guard(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with time and size limits; `uvicorn.Config(http=Guard)`."""

    head_s = 10.0
    """Seconds for a request's head, from the connection's start or the head's first byte."""
    linger_s = 5.0
    """Seconds that a client may go on sending a body after its answer."""
    stall_s = 60.0
    """Seconds that a client may leave what was sent to it unread."""
    head_bytes = 65536
    """Longest head of a request: its line and all its headers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._in_head = True
        self._taken = 0
        self._refusal = ApiError(400, "this is not an HTTP/1.1 request that this server can read")
        self._close_after(self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unlimited()
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._taken += len(data)
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if self._taken > self.head_bytes:
            self._refusal = _too_long(self.head_bytes)
            self.send_400_response("")
        elif self._limit is None and not self._answering():
            self._close_after(self.head_s)

    def on_headers_complete(self) -> None:
        # An exception in here makes the parser give up, and uvicorn call send_400_response.
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self.head_bytes:
            self._refusal = _too_long(self.head_bytes)
            raise self._refusal
        _check_framing(self.headers)
        self._in_head = False
        self._unlimited()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._taken = True, 0
        if self.cycle.response_complete:
            self._unlimited()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._abort_after(self.stall_s)
        elif not self._in_head and self.cycle.response_complete:
            self._unset_keepalive_if_required()
            self._close_after(self.linger_s)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._abort_after(self.stall_s)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._abort_after(self.stall_s)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None and not self.transport.is_closing():
            self._stalled.cancel()
            self._stalled = None

    def send_400_response(self, msg: str) -> None:
        if self._answering():
            if self._in_head or self.cycle.response_started or self.pipeline:
                self.transport.abort()  # this would be mixed with the answer to an earlier request
                return
            self.cycle.disconnected = True  # the body was wrong: nobody is to answer the request any more
            self.cycle.message_event.set()
        content = json.dumps(self._refusal.body()).encode()
        reason = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}[self._refusal.status]
        self.transport.write(
            b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
            % (self._refusal.status, reason, len(content), content)
        )
        self.transport.close()
        self._abort_after(self.stall_s)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _close_after(self, seconds: float) -> None:
        self._unlimited()
        self._limit = self.loop.call_later(seconds, self.transport.abort)

    def _unlimited(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _abort_after(self, seconds: float) -> None:
        if self._stalled is None:
            self._stalled = self.loop.call_later(seconds, self.transport.abort)


def _check_framing(headers: list[tuple[bytes, bytes]]) -> None:
    """Raise ApiError for a head that a proxy in front of us might frame otherwise: so requests are smuggled."""
    names = [name for name, _ in headers]
    lengths, encodings = names.count(b"content-length"), [v for n, v in headers if n == b"transfer-encoding"]
    if lengths > 1 or (encodings and (lengths or [e.strip().lower() for e in encodings] != [b"chunked"])):
        raise ApiError(400, "the length of the body is given in more than one way")


def _too_long(limit: int) -> ApiError:
    return ApiError(431, f"the request's head is longer than this server's limit of {limit} bytes")
