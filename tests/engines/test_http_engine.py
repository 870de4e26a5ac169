"""Samples of one request over real HTTP: each with its own length, where the engine tells it."""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from tests.loopback import listening

from hexad.engines import Sampling
from hexad.engines.http_engine import HttpEngine
from hexad.records import Message

QUESTION = [Message(role="user", content="12 + 30 = ?")]
LENGTHS = (3, 9)


class LikeVllm(BaseHTTPRequestHandler):
    """Gives token ids to those who ask."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({
            "choices": [self._choice(n, bool(body.get("return_token_ids"))) for n in LENGTHS],
            "usage": {"completion_tokens": sum(LENGTHS)},
        }).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _choice(self, length: int, told: bool) -> dict[str, Any]:
        ids = {"token_ids": list(range(length))} if told else {}
        return {"message": {"content": "42"}, "finish_reason": "stop", **ids}

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("token_ids", "expected"), [(True, [3, 9]), (False, [6, 6])])
def test_tokens_are_each_sample_s_own_where_ids_are_asked_for(token_ids: bool, expected: list[int]) -> None:
    with listening(LikeVllm) as address:
        engine = HttpEngine(f"http://{address}", "base", token_ids=token_ids)
        (samples,) = engine.generate([QUESTION], Sampling(n=2))
    assert [sample.tokens for sample in samples] == expected
