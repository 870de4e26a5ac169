"""A scripted Cerebras endpoint: what its documents and its SDK say of fields, limits and headers, over real HTTP.

https://inference-docs.cerebras.ai/support/rate-limits: a request is charged with its prompt and max_completion_tokens
when it arrives, and refused when the bucket does not hold that much.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .upstream import Engine, Script

KEY = "csk-test"
_TAKEN = {
    "model", "messages", "stream", "stream_options", "max_completion_tokens", "min_completion_tokens", "temperature",
    "top_p", "seed", "stop", "logprobs", "top_logprobs", "tools", "tool_choice", "response_format", "reasoning_effort",
    "reasoning_format", "service_tier",
}  # fmt: skip


@dataclass
class Cerebras(Engine):
    """An Engine that is as strict as Cerebras. Its bucket does not refill: a test is over before that matters."""

    tokens_per_minute: int = 60_000
    requests_per_day: int = 1000
    reset_s: float = 60.0
    others: int = 0
    """Tokens that other users of the account have taken."""
    charged: list[int] = field(default_factory=list)
    used: int = 0
    refusals: list[str] = field(default_factory=list)
    asked_for_models: int = 0

    def app(self) -> Starlette:
        routes = [*super().app().routes, Route("/v1/models", self._models)]
        return Starlette(routes=[r for r in routes if r.path != "/health"])  # type: ignore[attr-defined]

    async def _models(self, request: Request) -> Response:
        self.asked_for_models += 1
        return Response(status_code=200 if self._knows(request) else 401)

    async def _chat(self, request: Request) -> Response:
        payload = await request.json()
        fault = self._fault(payload) if self._knows(request) else (401, "wrong API key")
        charge = payload.get("max_completion_tokens", 0) + 10
        if fault is None and self.used + self.others + charge > self.tokens_per_minute:
            fault = (429, "tokens per minute limit exceeded")
        if fault is not None:
            self.refusals.append(fault[1])
            retry = {"Retry-After": f"{self.reset_s:g}"} if fault[0] == 429 else {}
            return JSONResponse({"message": fault[1], "code": "x"}, fault[0], self._rates() | retry)
        self.used += charge
        self.charged.append(charge)
        response = await super()._chat(request)
        response.headers.update(self._rates())
        if not payload.get("stream"):
            self._refund(self.script(payload), payload)
        return response

    async def _stream(self, script: Script, payload: dict[str, Any]) -> AsyncIterator[str]:
        async for piece in super()._stream(script, payload):
            if piece.startswith("data: [DONE]"):
                self._refund(script, payload)
            yield piece

    def _knows(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {KEY}"

    def _fault(self, payload: dict[str, Any]) -> tuple[int, str] | None:
        foreign = sorted(payload.keys() - _TAKEN)
        if foreign:
            return 400, f"unsupported: {', '.join(foreign)}"
        if "max_completion_tokens" not in payload:
            return 400, "a request without max_completion_tokens is charged with the model's greatest length"
        if payload.get("temperature", 0) > 1.5 or len(payload.get("stop") or []) > 4:
            return 400, "out of range"
        if payload.get("stream_options", {}).keys() - {"include_usage"}:
            return 400, "unsupported stream option"
        return None

    def _rates(self) -> dict[str, str]:
        free = max(0, self.tokens_per_minute - self.used - self.others)
        return {
            "x-ratelimit-limit-tokens-minute": str(self.tokens_per_minute),
            "x-ratelimit-remaining-tokens-minute": str(free),
            "x-ratelimit-reset-tokens-minute": str(self.reset_s),
            "x-ratelimit-limit-requests-day": str(self.requests_per_day),
            "x-ratelimit-remaining-requests-day": str(self.requests_per_day - len(self.charged)),
            "x-ratelimit-reset-requests-day": "30000.5",
        }

    def _refund(self, script: Script, payload: dict[str, Any]) -> None:
        self.used -= payload["max_completion_tokens"] + 10 - script.prompt_tokens - len(script.pieces())
