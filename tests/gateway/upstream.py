"""A scripted engine and verifier: says and breaks what a test tells it to, and counts open streams."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

SEED = 1000


@dataclass(frozen=True)
class Script:
    """One reply of the engine. A piece is one token."""

    text: str = "<think>so</think><answer>1</answer>"
    reasoning: str = ""
    reasoning_field: str = "reasoning"
    finish: str | None = "stop"
    status: int = 200
    message: str = "scripted refusal"
    retry_after: str | None = None
    delay_s: float = 0.0
    pause_s: float = 0.0
    break_after: int | None = None
    hang_after: int | None = None
    prompt_tokens: int = 10
    reasoning_tokens: int | None = None

    def pieces(self) -> list[tuple[str, str]]:
        thought = [(self.reasoning_field, w) for w in self.reasoning.split(" ")] if self.reasoning else []
        return thought + [("content", w) for w in _words(self.text)]


def answers(*values: str) -> Callable[[dict[str, Any]], Script]:
    """Candidate i writes values[i]; a plan is written when asked for."""
    scripts = [Script(f"<think>thought {i}</think><answer>{value}</answer>") for i, value in enumerate(values)]
    return by_candidate(*scripts)


def by_candidate(*scripts: Script, plan: Script | None = None) -> Callable[[dict[str, Any]], Script]:
    """Candidate i gets scripts[i]; planning calls get `plan`."""
    plan = plan or Script("<plan>add the ones, carry, add the tens</plan>")
    return lambda payload: plan if is_plan(payload) else scripts[payload["seed"] - SEED]


def is_plan(payload: dict[str, Any]) -> bool:
    return bool(payload["messages"][-1]["content"].startswith("Plan:"))


@dataclass
class Engine:
    """The scripted engine's state, shared between its server's thread and the test."""

    script: Callable[[dict[str, Any]], Script] = lambda _: Script()
    score: Callable[[str], float] | None = None
    judge: Callable[[str], dict[str, float] | None] | None = None
    healthy: bool = True
    held: bool = False
    calls: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    scored: list[dict[str, Any]] = field(default_factory=list)
    score_headers: list[dict[str, str]] = field(default_factory=list)
    judged: list[dict[str, Any]] = field(default_factory=list)
    judged_keys: list[str] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    open_streams: int = 0

    @property
    def plans(self) -> list[dict[str, Any]]:
        return [c for c in self.calls if is_plan(c)]

    @property
    def candidates(self) -> list[dict[str, Any]]:
        return [c for c in self.calls if not is_plan(c)]

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/health", self._health),
                Route("/score", self._score, methods=["POST"]),
            ]
        )

    async def _health(self, _: Request) -> Response:
        return Response(status_code=200 if self.healthy else 503)

    async def _score(self, request: Request) -> Response:
        body = await request.json()
        self.scored.append(body)
        self.score_headers.append(dict(request.headers))
        if self.score is None:
            return Response(status_code=500)
        usage = {"prompt_tokens": 7 * len(body["responses"]), "completion_tokens": 0}
        return JSONResponse({"scores": [self.score(r) for r in body["responses"]], "usage": usage})

    async def _chat(self, request: Request) -> Response:
        payload = await request.json()
        if self.judge is not None and payload.get("max_tokens") == 1:
            self.judged_keys.append(request.headers.get("authorization", ""))
            return self._verdict(payload, self.judge(payload["messages"][-1]["content"]))
        self.calls.append(payload)
        self.headers.append(dict(request.headers))
        self.connections.add(request.client)
        script = self.script(payload)
        if script.status != 200:
            headers = {"Retry-After": script.retry_after} if script.retry_after else {}
            body = {"error": {"message": script.message, "type": "x", "param": None, "code": script.status}}
            return JSONResponse(body, script.status, headers)
        if not payload.get("stream"):
            message = {"role": "assistant", "content": script.text, "reasoning": script.reasoning or None}
            choices = [{"index": i, "message": message, "finish_reason": "stop"} for i in range(payload.get("n", 1))]
            return JSONResponse({"id": "x", "object": "chat.completion", "created": 1, "model": payload["model"],
                                 "choices": choices, "usage": _usage(script, 1)})  # fmt: skip
        return StreamingResponse(self._stream(script, payload), media_type="text/event-stream")

    def _verdict(self, payload: dict[str, Any], likely: dict[str, float] | None) -> Response:
        """One token with its log-probabilities, as vLLM and OpenAI list them; 11 tokens read, 1 written."""
        self.judged.append(payload)
        if likely is None:
            return Response(status_code=500)
        listed = [{"token": t, "logprob": p, "bytes": []} for t, p in likely.items()]
        logprobs = {"content": [{"token": "x", "logprob": 0.0, "top_logprobs": listed}] if listed else []}
        choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "logprobs": logprobs}
        usage = {"prompt_tokens": 11, "completion_tokens": 1}
        return JSONResponse({"choices": [choice], "usage": usage})

    async def _stream(self, script: Script, payload: dict[str, Any]) -> AsyncIterator[str]:
        self.open_streams += 1
        options = payload.get("stream_options") or {}
        try:
            await asyncio.sleep(script.delay_s)
            while self.held:
                await asyncio.sleep(0.01)
            yield _chunk({"role": "assistant", "content": ""}, None, None)
            count = 0
            for name, text in script.pieces():
                if count == script.break_after:
                    raise ConnectionError("scripted break")
                if count == script.hang_after:
                    await asyncio.sleep(3600)
                count += 1
                yield _chunk(
                    {name: text}, None, _usage(script, count) if options.get("continuous_usage_stats") else None
                )
                await asyncio.sleep(script.pause_s)
            if script.finish is not None:
                yield _chunk({}, script.finish, None)
            if options.get("include_usage"):
                yield f"data: {json.dumps({'choices': [], 'usage': _usage(script, count)})}\n\n"
            yield "data: [DONE]\n\n"
        finally:
            self.open_streams -= 1


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """The app on a free loopback port, in a thread; yields its base URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(5)


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> float:
    """Seconds until `condition` held; fails the test when it does not in time."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "what the test waits for did not happen"
        time.sleep(0.005)
    return time.monotonic() - started


def _words(text: str) -> list[str]:
    words = text.split(" ")
    return [w + " " for w in words[:-1]] + words[-1:]


def _usage(script: Script, completion: int) -> dict[str, Any]:
    usage: dict[str, Any] = {"prompt_tokens": script.prompt_tokens, "completion_tokens": completion,
                             "total_tokens": script.prompt_tokens + completion,
                             "prompt_tokens_details": {"cached_tokens": 4}}  # fmt: skip
    if script.reasoning_tokens is not None:
        usage["completion_tokens_details"] = {"reasoning_tokens": script.reasoning_tokens}
    return usage


def _chunk(delta: dict[str, Any], finish: str | None, usage: dict[str, Any] | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(body | ({'usage': usage} if usage else {}))}\n\n"
