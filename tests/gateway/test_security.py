"""What an attacker may try over a real socket, against the server with its own limits: refused, bounded, not logged."""

import hashlib
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from hexad.gateway.app import create_app
from hexad.gateway.backends.connections import Connections
from hexad.gateway.config import GatewayConfig
from hexad.gateway.guard import Guard
from hexad.gateway.server import listening

from .conftest import by_text, question
from .raw_client import KEY, chat, head, read_reply, reply, seconds_until_closed
from .upstream import Engine, Script, answers, wait_for

ATTACKS = [json.loads(line) for line in Path(__file__).with_name("attacks.jsonl").read_text().splitlines()]
HOSTILE = [json.loads(line) for line in Path(__file__).with_name("hostile_text.jsonl").read_text().splitlines()]


class Impatient(Guard):
    """The product's limits, with waits that a test can sit out."""

    head_s = 0.3
    linger_s = 0.3
    stall_s = 0.3


@pytest.fixture
def port(engine: Engine, engine_url: str) -> Iterator[Callable[..., int]]:
    """Starts the gateway's server as `python -m hexad.gateway.server` does; returns its port."""
    with ExitStack() as stack:

        def start(guard: type[Guard] = Impatient, **settings: Any) -> int:
            fields = {
                "model": "k",
                "engine_url": engine_url,
                "engine_model": "m",
                "port": 0,
                "retries": 0,
                "grace_s": 1,
            }
            keys = {"api_key_hashes": [hashlib.sha256(KEY.encode()).hexdigest()]}
            config = GatewayConfig.model_validate(fields | keys | settings)
            app = create_app(config, httpx.AsyncClient(transport=Connections()), by_text)
            server = uvicorn.Server(listening(app, config, guard))
            thread = threading.Thread(target=server.run, daemon=True)
            thread.start()
            wait_for(lambda: server.started)

            def stop() -> None:
                server.should_exit = True
                thread.join(5)

            stack.callback(stop)
            return int(server.servers[0].sockets[0].getsockname()[1])

        yield start


@pytest.mark.parametrize("key", [None, "", "wrong", KEY.upper(), KEY + "\t" + KEY, "é" * 100])
def test_without_the_right_key_nothing_is_done(engine: Engine, port: Callable[..., int], key: str | None) -> None:
    status, body, _ = reply(port(), chat(key))
    assert (status, body["error"]["code"]) == (401, "invalid_api_key")
    assert not engine.calls


@pytest.mark.parametrize("credentials", ["Basic c2VzYW1lLW9wZW4=", KEY, f"Bearer{KEY}", f"Token {KEY}"])
def test_only_a_bearer_key_counts(port: Callable[..., int], credentials: str) -> None:
    assert reply(port(), chat(None, f"Authorization: {credentials}\r\n"))[0] == 401


def test_a_body_that_says_it_is_too_long_is_refused_and_the_connection_not_held(port: Callable[..., int]) -> None:
    with socket.create_connection(("127.0.0.1", port(max_body_bytes=1000))) as client:
        client.settimeout(5)
        client.sendall(head(10**12) + b"x" * 2000)
        assert read_reply(client)[0] == 413
        assert seconds_until_closed(client) < 2


def test_a_chunked_body_is_refused_at_the_limit(port: Callable[..., int]) -> None:
    top = head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    assert reply(port(max_body_bytes=1000), top, chunk, chunk)[0] == 413


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case["case"])
def test_a_request_that_can_be_framed_in_two_ways_is_refused_and_the_connection_closed(
    engine: Engine, port: Callable[..., int], case: dict[str, Any]
) -> None:
    status, body, ended = reply(port(), case["head"].encode("latin-1"))
    assert (status, body["error"]["type"], ended) == (400, "invalid_request_error", True)
    assert not engine.calls


def test_a_broken_request_behind_a_good_one_is_not_answered_in_its_place(
    engine: Engine, port: Callable[..., int]
) -> None:
    engine.script = lambda _: Script("a", delay_s=0.3)
    with socket.create_connection(("127.0.0.1", port())) as client:
        client.sendall(chat() + b"BROKEN\r\n\r\n")
        client.settimeout(5)
        assert client.recv(100) == b""


@pytest.mark.parametrize(
    "top",
    [
        b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200_000,
        b"GET /v1/models HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * 200_000,
    ],
    ids=["one header", "many headers", "path"],
)
def test_a_head_over_64_kib_is_a_431(port: Callable[..., int], top: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port())) as client:
        client.settimeout(5)
        try:
            client.sendall(top)
        except OSError:
            return  # refused before all of it was sent
        try:
            assert client.recv(12) in (b"HTTP/1.1 431", b"")
        except ConnectionResetError:
            return


def test_a_head_that_trickles_is_cut_off(port: Callable[..., int]) -> None:
    with socket.create_connection(("127.0.0.1", port())) as client:
        began = time.monotonic()
        for byte in b"GET /v1/models HTTP/1.1\r\nX-Slow: " + b"a" * 100:
            try:
                client.sendall(bytes([byte]))
            except OSError:
                break
            time.sleep(0.02)
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_a_connection_that_says_nothing_is_closed(port: Callable[..., int], sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port())) as client:
        client.sendall(sent)
        assert seconds_until_closed(client) < 2


def test_a_body_that_trickles_is_a_408(port: Callable[..., int]) -> None:
    with socket.create_connection(("127.0.0.1", port(body_timeout_s=0.3))) as client:
        client.sendall(head(1000) + b"{")
        sent = threading.Event()

        def trickle() -> None:
            while not sent.wait(0.05):
                try:
                    client.sendall(b" ")
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            client.settimeout(5)
            assert client.recv(12) == b"HTTP/1.1 408"
            wait_for(lambda: not thread.is_alive(), 3)  # it cannot send for ever behind the answer
        finally:
            sent.set()
            thread.join()


def test_a_body_behind_a_refusal_does_not_hold_the_connection(port: Callable[..., int]) -> None:
    with socket.create_connection(("127.0.0.1", port())) as client:
        client.sendall(head(10**9, key="wrong"))
        client.settimeout(5)
        assert client.recv(12) == b"HTTP/1.1 401"
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < 3:
                client.sendall(b" ")
                time.sleep(0.05)


def test_many_slow_connections_leave_others_served(port: Callable[..., int]) -> None:
    server = port()
    slow = [socket.create_connection(("127.0.0.1", server)) for _ in range(200)]
    try:
        for client in slow:
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nX")
        assert reply(server, chat())[0] == 200
    finally:
        for client in slow:
            client.close()


def test_a_client_that_does_not_read_its_stream_is_cut_off(engine: Engine, port: Callable[..., int]) -> None:
    engine.script = lambda _: Script("a" * 12_000_000)
    server = port()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server))
        client.sendall(chat(stream=True))
        wait_for(lambda: "hexad_requests_total{" in httpx.get(f"http://127.0.0.1:{server}/metrics").text, 10)
        time.sleep(2 * Impatient.stall_s)
        client.settimeout(2)
        received = 0
        with suppress(ConnectionResetError):
            while piece := client.recv(1 << 20):
                received += len(piece)
        assert received < 12_000_000


def test_a_client_that_keeps_up_is_not_cut_off(engine: Engine, port: Callable[..., int]) -> None:
    engine.script = lambda _: Script("a b c d e f g h", pause_s=0.2)
    status, body, ended = reply(port(), chat())
    assert (status, body["choices"][0]["message"]["content"], ended) == (200, "a b c d e f g h", False)


@pytest.mark.parametrize(
    "headers",
    ["X-Its-Endpoint: http://169.254.169.254/", "X-Its-Api-Key: k", "X-Forwarded-Host: evil", "Host: evil",
     "X-Base-Url: http://evil/", "Forwarded: host=evil"],
)  # fmt: skip
def test_no_header_chooses_the_engine(engine: Engine, port: Callable[..., int], headers: str) -> None:
    assert reply(port(), chat(headers=headers + "\r\n"))[0] in (200, 400)
    for sent in engine.headers:
        assert not {"x-its-endpoint", "x-its-api-key", "x-forwarded-host", "x-base-url", "forwarded"} & sent.keys()
        assert "evil" not in sent["host"]


@pytest.mark.parametrize("field", ["base_url", "engine_url", "api_base", "endpoint", "api_key", "optillm_approach"])
def test_no_field_chooses_the_engine_or_the_algorithm(engine: Engine, port: Callable[..., int], field: str) -> None:
    status, body, _ = reply(port(), chat(**{field: "http://169.254.169.254/"}))
    assert (status, body["error"]["param"]) == (400, field)
    assert not engine.calls


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case["case"])
def test_text_of_a_user_changes_no_policy(engine: Engine, port: Callable[..., int], case: dict[str, str]) -> None:
    engine.script = answers("1", "1", "1")
    status, body, _ = reply(
        port(), chat(model="k:bo3", messages=question(case["text"]), scaffold={"early_stop": False})
    )
    assert status == 200
    assert body["choices"][0]["message"]["content"] == "1"
    assert (body["scaffold"]["n_launched"], body["scaffold"]["plan"]) == (3, None)
    assert [call["messages"] for call in engine.candidates] == [question(case["text"])] * 3
    assert {call["model"] for call in engine.calls} == {"m"}


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case["case"])
def test_text_of_a_candidate_is_data(engine: Engine, port: Callable[..., int], case: dict[str, str]) -> None:
    engine.script = lambda _: Script(f"<think>x</think>{case['text']} <answer>7</answer>")
    status, body, _ = reply(port(), chat(model="k:bo3", stream=False))
    assert status == 200
    assert body["scaffold"]["candidates"][0]["answer"] == "7"


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"model": "k", "messages": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
        b'{"model": "k", "messages": [{"role": "user", "content": "x"}], "temperature": NaN}',
        b'{"model": "k", "messages": [{"role": "user", "content": "x"}], "temperature": Infinity}',
        b'{"model": "k", "messages": [{"role": "user", "content": "x"}], "top_k": NaN}',
        b'{"model": "k", "messages": [{"role": "user", "content": "x"}], "seed": 1' + b"0" * 5000 + b"}",
        b'{"model": "k", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1' + b"0" * 400 + b"}",
        b'{"model": "k", "messages": [{"role": "user", "content": "x"}], "presence_penalty": 1e999}',
        b'{"model": "k", "messages": [{"role": "user", "content": "x"}], "logit_bias": {"1": NaN}}',
        b'{"model": "k", "messages": [{"role": "user\\u0000", "content": "x"}]}',
        b'{"model": "k\\u0000", "messages": [{"role": "user", "content": "x"}]}',
        b'{"model": "k", "messages": "\xed\xa0\x80"}',
        b"\x00" * 100,
        b"null",
        b"\xff\xfe{\x00}\x00",
    ],
    ids=["deep list", "deep object", "NaN", "infinity", "NaN for a whole number", "huge seed",
         "huge whole number", "huge float", "NaN within", "NUL in a role", "NUL in a model", "surrogate bytes", "NULs",
         "null", "UTF-16"],
)  # fmt: skip
def test_json_that_no_client_sends_is_a_400_or_404_in_openais_shape(
    engine: Engine, port: Callable[..., int], content: bytes
) -> None:
    status, body, _ = reply(port(), head(len(content)) + content)
    assert status in (400, 404)
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert len(body["error"]["message"]) < 2000
    assert not engine.calls


@pytest.mark.parametrize(
    "text", ["a\x00b", "\ud800 lone", "\u202e reversed", "\U0010ffff", "data: [DONE]\n\n", "\r\n\r\n"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_odd_characters_reach_the_engine_and_come_back_as_they_are(
    engine: Engine, port: Callable[..., int], text: str, stream: bool
) -> None:
    engine.script = lambda _: Script(f"<think>x</think>got{text}end")
    with socket.create_connection(("127.0.0.1", port())) as client:
        client.settimeout(5)
        client.sendall(chat(messages=question(text), stream=stream))
        read = b""
        while not read.endswith(b"0\r\n\r\n" if stream else b"}"):
            read += client.recv(65536)
    assert engine.calls[0]["messages"][0]["content"] == text
    assert json.dumps(f"got{text}end")[1:-1].encode() in read
    assert read.count(b"\ndata: [DONE]\n\n") == int(stream)


@pytest.mark.parametrize("wished", ["a\rb", "x" * 65, "a b", "<script>", "../x", "", "\u00e9", "a%0d%0aSet-Cookie:x"])
def test_a_request_id_that_could_forge_headers_or_logs_is_replaced(port: Callable[..., int], wished: str) -> None:
    with socket.create_connection(("127.0.0.1", port())) as client:
        client.settimeout(5)
        client.sendall(chat(headers=f"X-Request-Id: {wished}\r\n"))
        answer = client.recv(65536).lower()
    assert b"set-cookie" not in answer
    if answer.startswith(b"http/1.1 200"):
        given = next(line[14:] for line in answer.split(b"\r\n") if line.startswith(b"x-request-id: "))
        assert len(given) == 32 and given.isalnum()
    else:
        assert answer.startswith(b"http/1.1 400")


def test_neither_keys_nor_text_are_logged_at_any_level(
    engine: Engine, port: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    for name in ("hexad.gateway", "uvicorn", "uvicorn.error", "httpx", "asyncio", "hexad.gateway.connection"):
        logging.getLogger(name).setLevel(1)
    server = port(engine_key="upstream-secret")
    engine.script = lambda _: Script("<think>thinking-secret</think>answer-secret")
    asked = question("question-secret")
    for key, fields in [
        (KEY, {}),
        ("wrong-secret", {}),
        (KEY, {"stream": True}),
        (KEY, {"temperature": "field-secret"}),
    ]:
        with socket.create_connection(("127.0.0.1", server)) as client:
            client.settimeout(5)
            client.sendall(chat(key, messages=asked, **fields))
            read = b""
            while not read.endswith((b"}", b"0\r\n\r\n")):
                read += client.recv(65536)
    engine.script = lambda _: Script(status=500, message="error-secret")
    reply(server, chat(messages=asked))
    reply(server, b"POST /bad-secret HTTP/1.1\nAuthorization: Bearer header-secret\n\n")
    wait_for(lambda: len([r for r in caplog.records if "completed=1" in r.getMessage()]) == 2)
    logged = "\n".join([caplog.text, *(str(record.__dict__) for record in caplog.records)])
    assert "secret" not in logged
    assert KEY not in logged


def test_the_servers_software_is_not_named(port: Callable[..., int]) -> None:
    response = httpx.get(f"http://127.0.0.1:{port()}/livez")
    assert "server" not in response.headers
