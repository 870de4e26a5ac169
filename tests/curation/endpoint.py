"""An OpenAI-compatible endpoint over real HTTP whose answers follow from question and seed alone."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Lock, Thread
from typing import Any

SOLVED = {"never": 0.0, "sometimes": 0.5, "always": 1.0}
"""A question with this word is answered 4 with this chance, else 5; any other is answered 5."""


class Endpoint(ThreadingHTTPServer):
    """`asked` counts requests by question; after `break_after` of them every request fails."""

    daemon_threads = True

    def __init__(self, break_after: int | None) -> None:
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.break_after, self.lock = break_after, Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = body["messages"][-1]["content"]
        with self.server.lock:
            broken = self.server.break_after is not None and self.server.asked.total() >= self.server.break_after
            self.server.asked[question] += 1
            self.server.bodies.append(body)
        if self.path != "/v1/chat/completions" or broken or "broken" in question:
            self.send_error(503)
            return
        chance = next((chance for word, chance in SOLVED.items() if word in question), 0.0)
        choices = [
            {"index": i, "finish_reason": "stop",
             "message": {"role": "assistant", "content": _answer(question, body["seed"] + i, chance)}}
            for i in range(body["n"])
        ]  # fmt: skip
        answer = json.dumps({"choices": choices, "usage": {"completion_tokens": 7 * body["n"]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        pass


def _answer(question: str, seed: int, chance: float) -> str:
    right = Random(f"{question} {seed}").random() < chance
    return f"<think>hm {seed}</think><answer>{4 if right else 5}</answer>"


@contextmanager
def answering(break_after: int | None = None) -> Iterator[Endpoint]:
    with Endpoint(break_after) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
