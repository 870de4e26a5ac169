"""`hexad ask` draws what the gateway streams."""

import asyncio
import io
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from itertools import count

import pytest
from rich.console import Console
from tests.loopback import listening

from hexad.gateway.ask import ask, run_ask

from .upstream import SEED, Engine, Script, answers, is_plan


def test_plan_candidates_scores_and_answer_are_shown(
    engine: Engine, engine_url: str, gateway: Callable[..., str]
) -> None:
    plan_and_answers, turn = answers("[41]", "[42]", "[42]"), count(SEED)
    engine.script = lambda p: plan_and_answers({**p, "seed": SEED if is_plan(p) else next(turn)})
    engine.score = lambda _: 0.625
    out = io.StringIO()
    url = gateway(scorer_url=engine_url)
    answer = asyncio.run(ask(url, "17 + 25?", Console(file=out, width=120), None, None))
    assert answer == "[42]"
    for shown in ("add the ones, carry", "0.625", "[42]", "3 of 3 candidates", "hybrid: 2 of 3 agree"):
        assert shown in out.getvalue()


def test_an_error_is_one_line_and_exit_code_1(
    engine: Engine, gateway: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    engine.script = lambda _: Script(status=500, message="[out] of memory")
    assert run_ask("x", gateway(), None, None) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "[out] of memory" in line


def test_where_nothing_answers_the_line_says_how_to_start_something(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_ask("x", "http://127.0.0.1:9", None, None) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("http://127.0.0.1:9: nothing answers there; start an endpoint with `hexad serve RUN`")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"data": []}', b"[]"])
def test_another_server_on_that_port_is_one_line(body: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with listening(Other) as address:
        assert run_ask("x", f"http://{address}/v1", None, None) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "/v1/models lists no model" in line


def test_a_url_that_is_none_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_ask("x", "http://[", None, None) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
