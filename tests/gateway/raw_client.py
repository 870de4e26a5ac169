"""A client that writes its own bytes, since no library would send what the tests of security send."""

import json
import socket
import time
from typing import Any

from .conftest import question
from .upstream import SEED

KEY = "sesame-open"


def chat(key: str | None = KEY, headers: str = "", **fields: Any) -> bytes:
    """The bytes of a well-formed chat request with these fields."""
    content = json.dumps({"model": "k:bo1", "messages": question(), "seed": SEED, **fields}).encode()
    return head(len(content), key, headers) + content


def head(length: int, key: str | None = KEY, headers: str = "") -> bytes:
    said = f"Authorization: Bearer {key}\r\n" if key is not None else ""
    return f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n{said}{headers}Content-Length: {length}\r\n\r\n".encode()


def reply(port: int, *sent: bytes, seconds: float = 5.0) -> tuple[int, dict[str, Any], bool]:
    """Status and JSON of the one answer to these bytes, and whether the server then closed the connection."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(seconds)
        for part in sent:
            client.sendall(part)
        return read_reply(client)


def read_reply(client: socket.socket) -> tuple[int, dict[str, Any], bool]:
    read = b""
    while b"\r\n\r\n" not in read:
        piece = client.recv(65536)
        assert piece, f"closed after {read!r}"
        read += piece
    top, _, content = read.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in top.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(content) < lengths[0]:
        content += client.recv(65536)
    assert len(content) == lengths[0], "more than one answer came"
    client.settimeout(0.05)
    return int(top.split(b" ")[1]), json.loads(content), closed(client)


def closed(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def seconds_until_closed(client: socket.socket) -> float:
    began = time.monotonic()
    client.settimeout(5)
    while not closed(client):
        assert time.monotonic() - began < 5, "the server keeps the connection"
    return time.monotonic() - began
