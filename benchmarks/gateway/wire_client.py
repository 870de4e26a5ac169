"""A load generator's client: one streamed chat request at a time on a bare socket, and when its parts arrived.

An HTTP client library would take more of the two cores than the gateway that it measures.
"""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import Any

_TEXT = re.compile(rb'"(?:reasoning|content)": "[^"]')
END = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Timings:
    """Seconds from the moment the request was sent."""

    first_byte: float
    first_text: float
    last_byte: float


class Connection:
    """A keep-alive connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def stream(self, body: dict[str, Any]) -> Timings:
        """One request, read to its end. Raises OSError or ValueError for anything but a whole stream."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        began = time.perf_counter()
        writer.write(request(body))
        first_byte = first_text = 0.0
        read = b""
        while not read.endswith(b"0\r\n\r\n"):
            piece = await reader.read(65536)
            if not piece:
                raise ConnectionError("the server closed the connection")
            now = time.perf_counter() - began
            first_byte = first_byte or now
            read += piece
            if not first_text and _TEXT.search(piece):
                first_text = now
        if not read.startswith(b"HTTP/1.1 200") or END not in read or not first_text:
            raise ValueError(read[:500].decode(errors="replace"))
        return Timings(first_byte, first_text, now)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


def request(body: dict[str, Any], close: bool = False) -> bytes:
    """The bytes of a POST to /v1/chat/completions."""
    content = json.dumps(body).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: load\r\nContent-Type: application/json\r\n"
    head += "Connection: close\r\n" if close else ""
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
