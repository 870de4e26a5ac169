"""The transport to the engine: connections used again, streams as they come, failures as httpx's errors."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from hexad.gateway.connections import Connections

from .upstream import Engine, Script, wait_for

BODY = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def run(work: Callable[[httpx.AsyncClient], Awaitable[object]]) -> object:
    async def with_client() -> object:
        async with httpx.AsyncClient(transport=Connections()) as client:
            return await work(client)

    return asyncio.run(with_client())


@contextmanager
def server_that_says(*answers: bytes, then_closes: bool = False) -> Iterator[str]:
    """Answers the requests of one connection with these bytes, whatever was asked; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            connection.settimeout(5)
            with connection, suppress(OSError):
                for answer in answers:
                    connection.recv(65536)
                    connection.sendall(answer)
                while not then_closes and connection.recv(65536):
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread.join(5)


def test_calls_one_after_another_use_one_connection(engine: Engine, engine_url: str) -> None:
    async def work(client: httpx.AsyncClient) -> list[int]:
        return [(await client.post(f"{engine_url}/v1/chat/completions", json=BODY)).status_code for _ in range(20)]

    assert run(work) == [200] * 20
    assert len(engine.connections) == 1


def test_any_number_of_calls_at_once_is_answered(engine: Engine, engine_url: str) -> None:
    async def work(client: httpx.AsyncClient) -> list[int]:
        calls = [client.post(f"{engine_url}/v1/chat/completions", json=BODY) for _ in range(60)]
        return [response.status_code for response in await asyncio.gather(*calls)]

    assert run(work) == [200] * 60


def test_a_stream_arrives_as_it_is_written_and_closing_it_stops_the_engine(engine: Engine, engine_url: str) -> None:
    engine.script = lambda _: Script("a b c", hang_after=1)

    async def work(client: httpx.AsyncClient) -> bytes:
        async with client.stream("POST", f"{engine_url}/v1/chat/completions", json=BODY | {"stream": True}) as response:
            read = b""
            async for piece in response.aiter_bytes():
                read += piece
                if b'"a "' in read:
                    return read
            return read

    assert b'"a "' in bytes(run(work))  # type: ignore[call-overload]
    assert wait_for(lambda: engine.open_streams == 0) < 1


@pytest.mark.parametrize(
    ("answers", "closes", "text"),
    [
        ([OK], False, "ok"),
        ([b"HTTP/1.1 200 OK\r\n\r\nto the end"], True, "to the end"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + OK], False, "ok"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"], False, "ok"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000], False, "x" * 300_000),
    ],
    ids=["length", "until closed", "interim response first", "chunked", "more than the buffer"],
)
def test_every_way_to_frame_a_body_is_read(answers: list[bytes], closes: bool, text: str) -> None:
    with server_that_says(*answers, then_closes=closes) as url:
        assert run(lambda client: _text(client, url)) == text


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", b"HTTP/1.1 200 OK\r\nContent-Le"],
    ids=["nothing", "not HTTP", "cut body", "cut head"],
)
def test_a_broken_response_is_a_protocol_error(answer: bytes) -> None:
    with server_that_says(answer, then_closes=True) as url, pytest.raises(httpx.RemoteProtocolError):
        run(lambda client: _text(client, url))


def test_a_connection_that_the_engine_closed_is_not_used_again() -> None:
    accepted = 0

    async def close_after_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()

    async def work(client: httpx.AsyncClient) -> list[str]:
        async with await asyncio.start_server(close_after_one, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            first = await _text(client, url)
            await asyncio.sleep(0.05)
            return [first, await _text(client, url)]

    assert run(work) == ["ok", "ok"]
    assert accepted == 2


async def _text(client: httpx.AsyncClient, url: str) -> str:
    return (await client.get(url)).text


def test_nobody_listening_is_a_connect_error() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(httpx.ConnectError):
        run(lambda client: _text(client, url))


def test_silence_longer_than_the_read_timeout_is_a_read_timeout() -> None:
    with server_that_says() as url, pytest.raises(httpx.ReadTimeout):
        run(lambda client: client.get(url, timeout=0.2))


def test_a_line_break_in_a_header_is_not_sent() -> None:
    with server_that_says(OK) as url, pytest.raises(httpx.LocalProtocolError):
        run(lambda client: client.get(url, headers={"Authorization": "Bearer a\r\nX-Other: b"}))
