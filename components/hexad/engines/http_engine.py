"""Generate through any OpenAI-compatible endpoint."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from hexad.engines.base import Completion, Sampling
from hexad.records import Message


class HttpEngine:
    """Posts chat completions, `concurrency` at a time. A failed request gives completions that end in 'error'.

    `token_ids`: ask for them, which vLLM knows and other servers may refuse. Without them the tokens of a request are
    shared out evenly among its samples: their sum is right, the length of each is not.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        key: str | None = None,
        concurrency: int = 64,
        timeout_s: float = 600.0,
        report: Callable[[float, str], None] = lambda fraction, note: None,
        token_ids: bool = False,
    ) -> None:
        self._base_url, self._model, self._concurrency, self._timeout, self._report = (
            base_url.rstrip("/"),
            model,
            concurrency,
            timeout_s,
            report,
        )
        self._extra = {"return_token_ids": True} if token_ids else {}
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def generate(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> list[list[Completion]]:
        return asyncio.run(self._all(conversations, sampling))

    async def _all(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> list[list[Completion]]:
        gate, done = asyncio.Semaphore(self._concurrency), 0
        limits = httpx.Limits(max_connections=self._concurrency)
        async with httpx.AsyncClient(
            headers=self._headers, timeout=self._timeout, limits=limits, trust_env=False
        ) as client:

            async def one(index: int, conversation: Sequence[Message]) -> list[Completion]:
                nonlocal done
                async with gate:
                    found = await self._one(client, conversation, sampling, sampling.seed + index * sampling.n)
                done += 1
                self._report(done / len(conversations), f"{done}/{len(conversations)} prompts")
                return found

            return await asyncio.gather(*(one(i, c) for i, c in enumerate(conversations)))

    async def _one(
        self, client: httpx.AsyncClient, conversation: Sequence[Message], sampling: Sampling, seed: int
    ) -> list[Completion]:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [m.model_dump() for m in conversation],
            "n": sampling.n,
            "seed": seed,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            **self._extra,
        }
        try:
            answer = await client.post(f"{self._base_url}/v1/chat/completions", json=body)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            failed = Completion(text=f"{type(error).__name__}: {error}", tokens=0, finish_reason="error")
            return [failed] * sampling.n
        found = answer.json()
        # Usage is per request.
        share = found.get("usage", {}).get("completion_tokens", 0) // sampling.n
        return [
            Completion(
                text=c["message"].get("content") or "",
                tokens=len(c.get("token_ids") or ()) or share,
                finish_reason="length" if c["finish_reason"] == "length" else "stop",
            )
            for c in found["choices"]
        ]
