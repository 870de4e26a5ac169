"""One streaming call to the engine. Always a stream, so that closing it stops the engine at once."""

import asyncio
import itertools
import json
import math
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from hexad.chat.parts import THINK_CLOSE, THINK_OPEN
from hexad.gateway.backends.capabilities import BACKENDS
from hexad.gateway.backends.fan_out import one_each
from hexad.gateway.backends.retry_after import retry_after_s
from hexad.gateway.backends.token_bucket import Charge, OverLimitError, TokenBucket
from hexad.gateway.backends.wire import refuse_unsupported, wire_form
from hexad.gateway.config import GatewayConfig
from hexad.gateway.errors import ApiError

_BUSY = {429, 503}
_RETRIED = {429, 502, 503}
_BYTES_PER_TOKEN = 3
"""Of escaped JSON. English has about 4.5: an estimate is rather too high."""
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


@dataclass
class _Call:
    """One engine call, as far as it has come."""

    response: httpx.Response
    prompt: int
    """Tokens, by estimate."""
    counted: bool
    """Whether there are limits, so that its tokens matter."""
    written: int = 0
    """Bytes of text received: no fewer than tokens."""
    tokens: int | None = None
    """Read and written, as the engine counts."""

    def note(self, body: dict[str, Any]) -> dict[str, Any]:
        """Keep what a response or chunk says of tokens; returns it."""
        if not self.counted:
            return body
        if usage := body.get("usage"):
            self.tokens = (usage.get("prompt_tokens") or 0) + (usage.get("completion_tokens") or 0)
        if self.tokens is None:
            self.written += sum(len(json.dumps(choice.get("delta"))) for choice in body.get("choices") or [])
        return body


class Upstream:
    """The engine behind a gateway. Its address and key come from the operator alone."""

    def __init__(self, client: httpx.AsyncClient, config: GatewayConfig) -> None:
        self._client = client
        self._backend = config.backend
        self._kind = kind = BACKENDS[config.backend]
        self._bucket = TokenBucket(config.limits, kind.rate_headers)
        self._url = config.engine_url.rstrip("/").removesuffix("/v1")
        self._model = config.engine_model
        self._fields = config.engine_fields
        self._renamed = kind.renamed | ({"max_tokens": config.max_tokens_field} if config.max_tokens_field else {})
        self._retries = config.retries
        self._connect_s = config.connect_timeout_s
        self._floor_speed = config.floor_tokens_per_s or kind.floor_tokens_per_s
        self._queue_s = config.engine_queue_s
        self._ready_until = -math.inf
        continuous = config.continuous_usage and kind.continuous_usage
        self._options = {"include_usage": True} | ({"continuous_usage_stats": True} if continuous else {})
        self._headers = {"Content-Type": "application/json"}
        if config.engine_key is not None:
            self._headers["Authorization"] = f"Bearer {config.engine_key.get_secret_value()}"

    def check(self, payload: dict[str, Any]) -> None:
        """Raise ApiError 400 for a request that the engine would refuse, whatever the moment."""
        refuse_unsupported(payload, self._backend)
        if not self._bucket.counts:
            return
        try:
            self._bucket.check(self._cost(self._body(payload), payload)[1])
        except OverLimitError as error:
            raise ApiError(400, str(error), param="max_tokens", code="exceeds_rate_limit") from error

    def calls_for(self, payload: dict[str, Any]) -> list[dict[str, Any]]:
        """`payload` with its `n`, as the calls that this engine needs for it."""
        return [payload] if self._kind.takes_n else one_each(payload)

    async def write(self, payload: dict[str, Any], draft: Draft, on_delta: OnDelta, until: float) -> None:
        """Stream one completion of `payload` (messages and sampling) into `draft`.

        A call that failed before its first token is tried again, while there is time: `until` is in the event loop's.
        Raises UpstreamError, also kept in `draft.error`.
        """
        payload = payload | {"seed": draft.seed, "stream": True, "stream_options": self._options}
        for attempt in itertools.count():
            try:
                draft.started = True
                async with self._open(payload, until) as call:
                    await _read(call, draft, on_delta)
                draft.error = None
                return
            except UpstreamError as error:
                draft.error = error
                await self._back_off(error, attempt, until, lost=not draft.pieces)

    async def whole(self, payload: dict[str, Any], until: float) -> dict[str, Any]:
        """The engine's response to `payload`. Opening it is tried again likewise. Raises UpstreamError."""
        async with self._opened(payload, until) as call:
            try:
                body = json.loads(await call.response.aread())
            except ValueError as error:
                raise UpstreamError(f"engine: the response is not JSON: {error}") from error
            if not isinstance(body, dict):
                raise UpstreamError("engine: the response is no JSON object")
            return call.note(body)

    @asynccontextmanager
    async def stream(self, payload: dict[str, Any], until: float) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The chunks of the engine's response, the last of them with usage. Opening it is tried again likewise."""
        payload = payload | {"stream": True, "stream_options": {"include_usage": True}}
        async with self._opened(payload, until) as call:
            yield events(call)

    async def ready(self) -> bool:
        """The engine answers its health page. A good answer of an engine that is not ours counts for a while."""
        now = time.monotonic()
        if now < self._ready_until:
            return True
        try:
            for page in self._kind.health_pages:
                response = await self._client.get(f"{self._url}{page}", headers=self._headers, timeout=self._connect_s)
                if response.status_code != 404:
                    if response.status_code == 200:
                        self._ready_until = now + self._kind.ready_for_s
                    # an engine that has no time for this question is there all the same
                    return response.status_code in (200, 429)
        except httpx.HTTPError:
            return False
        return False

    @asynccontextmanager
    async def _opened(self, payload: dict[str, Any], until: float) -> AsyncIterator[_Call]:
        """`_open`, tried again as long as it fails."""
        async with AsyncExitStack() as stack:
            for attempt in itertools.count():
                try:
                    call = await stack.enter_async_context(self._open(payload, until))
                    break
                except UpstreamError as error:
                    await self._back_off(error, attempt, until, lost=True)
            yield call

    @asynccontextmanager
    async def _open(self, payload: dict[str, Any], until: float) -> AsyncIterator[_Call]:
        """The engine's successful response to `payload`, not read yet. Raises UpstreamError.

        The limits are charged with the most that the call may take before it is sent, and with what it took after.
        """
        content = self._body(payload)
        prompt, most = self._cost(content, payload)
        limit_s = self._longest_s(payload)
        timeout = httpx.Timeout(None, connect=self._connect_s)
        charge, tokens = await self._charge(most, until), most
        try:
            async with (
                asyncio.timeout(limit_s),
                self._client.stream(
                    "POST", f"{self._url}/v1/chat/completions", content=content, headers=self._headers, timeout=timeout
                ) as response,
            ):
                if charge is not None:
                    self._bucket.sync(charge, response.headers)
                if response.status_code != 200:
                    tokens = 0
                    raise self._refused(response, await response.aread())
                call = _Call(response, prompt, charge is not None)
                try:
                    yield call
                finally:
                    tokens = min(most, call.prompt + call.written) if call.tokens is None else call.tokens
        except httpx.ConnectError as error:
            tokens = 0
            raise UpstreamError(f"engine: {type(error).__name__}: {error}") from error
        except httpx.HTTPError as error:
            raise UpstreamError(f"engine: {type(error).__name__}: {error}") from error
        except TimeoutError as error:
            raise UpstreamError(f"engine: not done within {limit_s:g} s, slower than its stated floor") from error
        finally:
            if charge is not None:
                self._bucket.settle(charge, tokens)

    def _body(self, payload: dict[str, Any]) -> bytes:
        # escaped JSON: a lone surrogate in a client's text cannot be encoded otherwise
        return json.dumps(
            wire_form(payload, self._backend, self._renamed, self._fields) | {"model": self._model}
        ).encode()

    def _cost(self, content: bytes, payload: dict[str, Any]) -> tuple[int, int]:
        """Tokens of a call's prompt, by its bytes, and of the whole call at most."""
        prompt = -(-len(content) // _BYTES_PER_TOKEN)
        choices = payload.get("n") or 1 if self._kind.takes_n else 1
        return prompt, prompt + payload["max_tokens"] * choices

    async def _charge(self, tokens: int, until: float) -> Charge | None:
        if not self._bucket.counts:
            return None
        try:
            return await self._bucket.charge(tokens, until)
        except OverLimitError as error:
            if math.isinf(error.retry_after_s):
                raise UpstreamError(f"engine: {error}", 400) from error
            raise UpstreamError(f"engine: {error}", 429, error.retry_after_s) from error

    def _longest_s(self, payload: dict[str, Any]) -> float | None:
        """Seconds after which a call is lost: its wait in the engine's queue, and its tokens at the floor speed."""
        if self._floor_speed is None:
            return None
        return self._queue_s + float(payload["max_tokens"]) / self._floor_speed

    def _refused(self, response: httpx.Response, body: bytes) -> UpstreamError:
        try:
            message = _message(json.loads(body))
        except ValueError:
            message = body[:200].decode("utf-8", "replace")
        seconds = retry_after_s(response.headers)
        if seconds is not None and response.status_code in _BUSY:
            self._bucket.hold(seconds)
        return UpstreamError(f"engine: HTTP {response.status_code}: {message}", response.status_code, seconds)

    async def _back_off(self, error: UpstreamError, attempt: int, until: float, *, lost: bool) -> None:
        """Sleep until the next try; raise `error` where there is none. `lost`: nothing of the response was used."""
        retried = error.status in _RETRIED or (error.status is None and lost)
        if not retried or attempt >= self._retries:
            raise error
        if error.retry_after_s is None:
            wait = self._kind.first_backoff_s * 2**attempt * random.uniform(0.75, 1.25)
        else:
            # never earlier than told; spread, because all that were refused together were told the same
            wait = error.retry_after_s * random.uniform(1.0, 1.25)
        if asyncio.get_running_loop().time() + wait > until:
            raise error
        await asyncio.sleep(wait)


async def events(call: _Call) -> AsyncIterator[dict[str, Any]]:
    """The JSON of each `data:` line until [DONE]. Raises UpstreamError for an error sent inside the stream."""
    lines = call.response.aiter_lines()
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
        yield call.note(event)


async def _drain(lines: AsyncIterator[str]) -> None:
    """Read to the end of the body: only then can the connection be used again, which saves a connect per candidate."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in lines:
                pass
    except (httpx.HTTPError, TimeoutError):
        return  # nothing is missing: the text ended before


async def _read(call: _Call, draft: Draft, on_delta: OnDelta) -> None:
    async for event in events(call):
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


def _message(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message", error) if isinstance(error, dict) else error)[:500]
