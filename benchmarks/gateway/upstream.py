"""The scripted engine as a process: `python -m benchmarks.gateway.upstream PORT --first SECONDS --token SECONDS`.

OpenAI-compatible chat completions, whole and streamed, on a bare asyncio protocol, so that the engine costs little of
the two cores that it shares with what is measured. A request whose client leaves is stopped, as vLLM does. It counts,
by the model's name, which is a contestant's: calls, tokens really written, and requests open at this moment.
"""

import argparse
import asyncio
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from benchmarks.gateway import script
from benchmarks.gateway.script import Problem, Said

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
_HEAD = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
_STEP = 4
"""Tokens per chunk, like vLLM's --stream-interval."""


@dataclass
class Counts:
    """What one contestant has cost."""

    calls: int = 0
    tokens: int = 0
    open: int = 0
    drawn: Counter[str] = field(default_factory=Counter)
    """Calls and candidates so far, by problem."""


class Engine:
    """The script, its pace, and the counts."""

    def __init__(self, first_s: float, token_s: float) -> None:
        self.first_s = first_s
        self.token_s = token_s
        self.counts: dict[str, Counts] = defaultdict(Counts)

    async def answer(self, wire: "Wire", path: str, body: bytes) -> None:
        if path == "/health":
            wire.whole(200, {})
        elif path == "/counts":
            wire.whole(
                200, {name: {"calls": c.calls, "tokens": c.tokens, "open": c.open} for name, c in self.counts.items()}
            )
        elif path == "/v1/chat/completions":
            payload = json.loads(body)
            counts = self.counts[payload["model"]]
            counts.calls += 1
            counts.open += 1
            try:
                await self._complete(wire, payload, counts)
            finally:
                counts.open -= 1
        elif path.endswith("/score"):
            self._score(wire, path.split("/")[1], json.loads(body))
        else:
            wire.whole(404, {"error": {"message": path, "type": "x", "param": None, "code": 404}})

    def _score(self, wire: "Wire", model: str, payload: dict[str, Any]) -> None:
        asked = script.read_problem(payload["messages"])
        self.counts[model].calls += 1
        if asked.trouble == "prose judge":
            wire.whole(500, {"error": "out of memory"})
            return
        wire.whole(200, {"scores": [script.probability(asked, r) for r in payload["responses"]]})

    async def _complete(self, wire: "Wire", payload: dict[str, Any], counts: Counts) -> None:
        asked = script.read_problem(payload["messages"])
        replies = self._replies(asked, payload, counts)
        bad = next((said for said in replies if said.status != 200), None)
        if bad is not None:
            wire.whole(bad.status, {"error": {"message": "scripted", "type": "x", "param": None, "code": bad.status}})
            return
        await asyncio.sleep(self.first_s)
        stream = bool(payload.get("stream"))
        if stream:
            usage = (payload.get("stream_options") or {}).get("include_usage", False)
            wire.start_stream({"role": "assistant", "content": ""})
        words = [said.words() for said in replies]
        ends = [
            len(w) if said.stops_after is None else said.stops_after for w, said in zip(words, replies, strict=True)
        ]
        written, loop = 0, asyncio.get_running_loop()
        due = loop.time()
        while written < max(ends):
            step = min(_STEP, max(ends) - written)
            due += self.token_s * step  # so that a late wake-up does not put off all later tokens
            await asyncio.sleep(max(0.0, due - loop.time()))
            counts.tokens += sum(max(0, min(end, written + step) - written) for end in ends)
            if stream:
                piece = "".join(words[0][written : written + step])
                wire.chunk({"content": piece}, None, _usage(payload, written + step) if usage else None)
            written += step
        for said in replies:
            if said.stops_after is not None:
                if said.breaks:
                    wire.close()
                    return
                await asyncio.sleep(3600)
        tokens = sum(ends)
        if stream:
            wire.chunk({}, replies[0].finish, None)
            wire.end_stream(_usage(payload, tokens) if usage else None)
            return
        choices = [
            {"index": i, "message": {"role": "assistant", "content": said.text}, "finish_reason": said.finish}
            for i, said in enumerate(replies)
        ]
        head = {"id": "x", "object": "chat.completion", "created": 1, "model": payload["model"]}
        wire.whole(200, head | {"choices": choices, "usage": _usage(payload, tokens)})

    def _replies(self, asked: Problem, payload: dict[str, Any], counts: Counts) -> list[Said]:
        failing, status = script.failing_calls(asked.trouble)
        counts.drawn[f"{asked.text} calls"] += 1
        if counts.drawn[f"{asked.text} calls"] <= failing:
            return [Said("", status=status)]
        side = script.side_call(payload["messages"])
        if side is not None:
            return [side]
        n = payload.get("n") or 1
        first = counts.drawn[asked.text]
        counts.drawn[asked.text] += n
        return [script.candidate(asked, first + i) for i in range(n)]


class Wire(asyncio.Protocol):
    """One client connection: enough of HTTP/1.1 for well-behaved clients."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._read = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, rest = bytes(self._read).partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._read = bytearray(rest[length:])
        self._task = asyncio.ensure_future(self._engine.answer(self, lines[0].split(" ")[1], rest[:length]))
        self._task.add_done_callback(_show)

    def whole(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        extra = "Retry-After: 1\r\n" if status == 429 else ""
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n{extra}"
        self._transport.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)

    def start_stream(self, delta: dict[str, Any]) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            + _event(delta, None, None)
        )

    def chunk(self, delta: dict[str, Any], finish: str | None, usage: dict[str, int] | None) -> None:
        self._transport.write(_event(delta, finish, usage))

    def end_stream(self, usage: dict[str, int] | None) -> None:
        last = _data(
            {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}
        )
        self._transport.write((last if usage else b"") + _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    def close(self) -> None:
        self._transport.close()


def _event(delta: dict[str, Any], finish: str | None, usage: dict[str, int] | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _data(_HEAD | {"choices": [choice]} | ({"usage": usage} if usage else {}))


def _data(body: dict[str, Any]) -> bytes:
    return _framed(f"data: {json.dumps(body)}\n\n".encode())


def _framed(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def _usage(payload: dict[str, Any], completion: int) -> dict[str, int]:
    prompt = sum(len(str(m.get("content") or "").split()) for m in payload["messages"])
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _show(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        task.get_loop().call_exception_handler({"message": "the scripted engine failed", "exception": task.exception()})


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--first", type=float, default=0.02, help="seconds to the first token")
    parser.add_argument("--token", type=float, default=0.002, help="seconds per token")
    options = parser.parse_args()
    engine = Engine(options.first, options.token)
    server = await asyncio.get_running_loop().create_server(lambda: Wire(engine), "127.0.0.1", options.port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
