"""Client of the trained verifier: POST {url}/score {"messages", "responses"} → {"scores": [0..1, …]}."""

import asyncio
import json
from collections.abc import Sequence

import httpx
from pydantic import Field, ValidationError

from hexad.records import Message, Record


class ScoreUsage(Record):
    prompt_tokens: int = Field(0, ge=0)
    completion_tokens: int = Field(0, ge=0)


class ScoreReply(Record):
    """The verifier's answer: one probability of being right per response, in order; what it cost, if it says so."""

    scores: list[float]
    usage: ScoreUsage = ScoreUsage()


class ScorerError(Exception):
    """The verifier gave no usable scores; the message says why, `usage` what was spent all the same."""

    def __init__(self, message: str, usage: ScoreUsage = ScoreUsage()) -> None:  # noqa: B008 -- frozen
        super().__init__(message)
        self.usage = usage


class Scorer:
    """Scores whole raw responses to a conversation, as the verifier was trained to."""

    def __init__(self, client: httpx.AsyncClient, url: str, timeout_s: float) -> None:
        self._client = client
        self._url = f"{url.rstrip('/')}/score"
        self._timeout_s = timeout_s

    async def score(self, messages: Sequence[Message], responses: Sequence[str]) -> ScoreReply:
        """Raises ScorerError on any failure, also on scores of the wrong number or outside 0..1."""
        body = {"messages": [m.model_dump() for m in messages], "responses": list(responses)}
        headers = {"Content-Type": "application/json"}
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.post(
                    self._url, content=json.dumps(body).encode(), headers=headers, timeout=self._timeout_s
                )
            response.raise_for_status()
            reply = ScoreReply.model_validate_json(response.content)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ScorerError(f"verifier: {type(error).__name__}: {error}") from error
        except ValidationError as error:
            raise ScorerError(f"verifier: unreadable reply: {error.errors(include_url=False)[0]['msg']}") from error
        if len(reply.scores) != len(responses):
            raise ScorerError(f"verifier: {len(reply.scores)} scores for {len(responses)} responses")
        if not all(0.0 <= score <= 1.0 for score in reply.scores):
            raise ScorerError("verifier: a score outside 0..1")
        return reply
