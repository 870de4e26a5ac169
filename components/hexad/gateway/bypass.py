"""Requests that a vote over texts would break (tools, schemas, logprobs, n > 1, images): one engine call, as it is."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from hexad.gateway.connection import Write
from hexad.gateway.errors import ApiError
from hexad.gateway.reply import DONE, data
from hexad.gateway.request import ChatRequest
from hexad.gateway.slots import Ticket
from hexad.gateway.upstream import Upstream, UpstreamError, events


@dataclass
class Passed:
    """What the engine wrote for a bypassed request, for metrics and audit; filled while it streams."""

    usage: dict[str, Any] = field(default_factory=dict)
    pieces: dict[int, list[str]] = field(default_factory=dict)
    finishes: dict[int, str] = field(default_factory=dict)

    def read(self, body: dict[str, Any], part: str) -> None:
        """Take in a response (part "message") or a chunk of one ("delta")."""
        if isinstance(body.get("usage"), dict):
            self.usage = body["usage"]
        for choice in body.get("choices") or []:
            index = choice.get("index", 0)
            content = (choice.get(part) or {}).get("content")
            self.pieces.setdefault(index, []).append(content if isinstance(content, str) else "")
            if choice.get("finish_reason"):
                self.finishes[index] = choice["finish_reason"]

    def texts(self) -> dict[int, str]:
        """The content of each choice."""
        return {i: "".join(pieces) for i, pieces in sorted(self.pieces.items())}


async def pass_whole(upstream: Upstream, request: ChatRequest, ticket: Ticket, passed: Passed) -> dict[str, Any]:
    """The engine's response under the gateway's model name. Raises ApiError."""
    try:
        async with (
            asyncio.timeout(request.policy.deadline_s),
            ticket.call(),
            upstream.open(_payload(request)) as response,
        ):
            body = json.loads(await response.aread())
    except (UpstreamError, TimeoutError, ValueError) as error:
        raise _refused(error, request) from error
    passed.read(body, "message")
    return _renamed(body, request.model, "message")


async def pass_stream(upstream: Upstream, request: ChatRequest, ticket: Ticket, write: Write, passed: Passed) -> None:
    """The engine's chunks, likewise. Usage is always asked for, and handed on only to those who asked."""
    payload = _payload(request) | {"stream": True, "stream_options": {"include_usage": True}}
    try:
        async with asyncio.timeout(request.policy.deadline_s), ticket.call(), upstream.open(payload) as response:
            async for event in events(response):
                passed.read(event, "delta")
                if not request.include_usage and "usage" in event:
                    del event["usage"]
                    if not event.get("choices"):
                        continue
                write(data(_renamed(event, request.model, "delta")))
    except (UpstreamError, TimeoutError) as error:
        raise _refused(error, request) from error
    write(DONE)


def _payload(request: ChatRequest) -> dict[str, Any]:
    return request.sampling | {"messages": request.messages, "seed": request.seed, "n": request.samples}


def _renamed(body: dict[str, Any], model: str, part: str) -> dict[str, Any]:
    """The engine's body with the name that the client asked for, and its reasoning under both names."""
    for choice in body.get("choices") or []:
        text = choice.get(part) or {}
        thought = text.get("reasoning") or text.get("reasoning_content")
        if thought:
            text |= {"reasoning": thought, "reasoning_content": thought}
    return body | {"model": model}


def _refused(error: Exception, request: ChatRequest) -> ApiError:
    match error:
        case TimeoutError():
            seconds = request.policy.deadline_s
            return ApiError(504, f"the engine was not done within {seconds:g} s", code="deadline_exceeded")
        case UpstreamError(status=400 | 413 | 422):
            return ApiError(400, str(error), code="upstream_rejected")
        case UpstreamError(status=429 | 503):
            return ApiError(503, str(error), code="upstream_busy", retry_after_s=error.retry_after_s or 1.0)
    return ApiError(502, str(error), code="upstream_error")
