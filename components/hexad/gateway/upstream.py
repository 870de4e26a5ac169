"""One streaming call to the engine. Always a stream, so that closing it stops the engine at once."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from hexad.chat.parts import THINK_CLOSE, THINK_OPEN
from hexad.gateway.config import GatewayConfig

_RETRIED = {429, 502, 503}
_MAX_BACKOFF_S = 5.0
_DRAIN_S = 0.5
OnDelta = Callable[[str, str], None]
"""Told each piece of text: ("reasoning" | "content", text)."""


class UpstreamError(Exception):
    """The engine failed. `status` is its HTTP status, or None where no whole response came."""

    def __init__(self, message: str, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass
class Draft:
    """What one stream has written so far: readable at any moment, also after the stream was cancelled."""

    seed: int
    started: bool = False
    reasoning: list[str] = field(default_factory=list)
    content: list[str] = field(default_factory=list)
    finish_reason: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    pieces: int = 0
    error: UpstreamError | None = None

    @property
    def raw(self) -> str:
        """The text as the engine wrote it; where a reasoning parser took the think tags away, with them put back."""
        reasoning, content = "".join(self.reasoning), "".join(self.content)
        if not reasoning:
            return content
        return f"{THINK_OPEN}{reasoning}{THINK_CLOSE}{content}" if content else f"{THINK_OPEN}{reasoning}"

    @property
    def tokens(self) -> int:
        """Completion tokens; without a count from the engine, the pieces received: at most the true number."""
        return int(self.usage.get("completion_tokens", self.pieces))


class Upstream:
    """The engine behind a gateway. Its address and key come from the operator alone."""

    def __init__(self, client: httpx.AsyncClient, config: GatewayConfig) -> None:
        self._client = client
        self._url = config.engine_url.rstrip("/")
        self._model = config.engine_model
        self._retries = config.retries
        self._connect_s = config.connect_timeout_s
        self._options = {"include_usage": True} | ({"continuous_usage_stats": True} if config.continuous_usage else {})
        self._headers = {"Content-Type": "application/json"}
        if config.engine_key is not None:
            self._headers["Authorization"] = f"Bearer {config.engine_key.get_secret_value()}"

    async def write(self, payload: dict[str, Any], draft: Draft, on_delta: OnDelta) -> None:
        """Stream one completion of `payload` (messages and sampling) into `draft`.

        A call that failed before its first token is tried again. Raises UpstreamError, also kept in `draft.error`.
        """
        payload = payload | {"seed": draft.seed, "stream": True, "stream_options": self._options}
        for attempt in range(self._retries + 1):
            try:
                draft.started = True
                async with self.open(payload) as response:
                    await _read(response, draft, on_delta)
                draft.error = None
                return
            except UpstreamError as error:
                draft.error = error
                retried = error.status in _RETRIED or (error.status is None and not draft.pieces)
                if not retried or attempt == self._retries:
                    raise
                wait = error.retry_after_s if error.retry_after_s is not None else 0.1 * 2**attempt
                await asyncio.sleep(min(wait, _MAX_BACKOFF_S) * random.uniform(0.75, 1.25))

    @asynccontextmanager
    async def open(self, payload: dict[str, Any]) -> AsyncIterator[httpx.Response]:
        """The engine's successful response to `payload`, not read yet. Raises UpstreamError."""
        # escaped JSON: a lone surrogate in a client's text cannot be encoded otherwise
        content = json.dumps(payload | {"model": self._model}).encode()
        timeout = httpx.Timeout(None, connect=self._connect_s)
        try:
            async with self._client.stream(
                "POST", f"{self._url}/v1/chat/completions", content=content, headers=self._headers, timeout=timeout
            ) as response:
                if response.status_code != 200:
                    raise _refusal(response, await response.aread())
                yield response
        except httpx.HTTPError as error:
            raise UpstreamError(f"engine: {type(error).__name__}: {error}") from error

    async def ready(self) -> bool:
        """The engine answers /health, or where it has no such page, /v1/models."""
        try:
            for page in ("/health", "/v1/models"):
                response = await self._client.get(f"{self._url}{page}", headers=self._headers, timeout=self._connect_s)
                if response.status_code != 404:
                    return response.status_code == 200
        except httpx.HTTPError:
            return False
        return False


async def events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The JSON of each `data:` line until [DONE]. Raises UpstreamError for an error sent inside the stream."""
    lines = response.aiter_lines()
    async for line in lines:
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if data == "[DONE]":
            await _drain(lines)
            return
        try:
            event = json.loads(data)
        except ValueError as error:
            raise UpstreamError(f"engine: a line of the stream is not JSON: {data[:80]!r}") from error
        if not isinstance(event, dict):
            raise UpstreamError(f"engine: a line of the stream is no JSON object: {data[:80]!r}")
        if "error" in event:
            raise UpstreamError(f"engine: {_message(event)}")
        yield event


async def _drain(lines: AsyncIterator[str]) -> None:
    """Read to the end of the body: only then can the connection be used again, which saves a connect per candidate."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in lines:
                pass
    except (httpx.HTTPError, TimeoutError):
        return  # nothing is missing: the text ended before


async def _read(response: httpx.Response, draft: Draft, on_delta: OnDelta) -> None:
    async for event in events(response):
        draft.usage = event.get("usage") or draft.usage
        for choice in event.get("choices") or []:
            delta = choice.get("delta") or {}
            # vLLM says `reasoning`, older engines `reasoning_content`, and some say both
            thought = delta.get("reasoning") or delta.get("reasoning_content")
            for name, text, into in (
                ("reasoning", thought, draft.reasoning),
                ("content", delta.get("content"), draft.content),
            ):
                if text:
                    into.append(text)
                    draft.pieces += 1
                    on_delta(name, text)
            draft.finish_reason = choice.get("finish_reason") or draft.finish_reason
    if draft.finish_reason is None:
        raise UpstreamError("engine: the stream ended without a finish_reason")


def _refusal(response: httpx.Response, body: bytes) -> UpstreamError:
    try:
        message = _message(json.loads(body))
    except ValueError:
        message = body[:200].decode("utf-8", "replace")
    after = response.headers.get("retry-after", "")
    seconds = float(after) if after.isdecimal() else None
    return UpstreamError(f"engine: HTTP {response.status_code}: {message}", response.status_code, seconds)


def _message(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message", error) if isinstance(error, dict) else error)[:500]
