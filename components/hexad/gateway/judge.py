"""A judge behind an OpenAI-compatible endpoint: one token per question, read through its log-probabilities."""

import asyncio
import json
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import httpx

from hexad.gateway.config import GatewayConfig
from hexad.gateway.judge_prompt import FIRST, NO, SECOND, YES, ask_if_correct, ask_which_is_better
from hexad.gateway.labels import TokenLogprob, label_probability
from hexad.gateway.scorer import ScoreReply, ScorerError, ScoreUsage
from hexad.records import Message

_LISTED = 20  # the most that OpenAI and vLLM list by default
_DIGITS = 6


class Judge:
    """Scores candidates one by one (`score`) or against each other (`prefer`), with a model that was not trained to."""

    def __init__(self, client: httpx.AsyncClient, config: GatewayConfig) -> None:
        self._client = client
        self._url = f"{(config.scorer_url or '').rstrip('/')}/v1/chat/completions"
        self._fields = config.scorer_fields | {"model": config.scorer_model}
        self._timeout_s = config.scorer_timeout_s
        self._characters = config.scorer_characters
        self._free = asyncio.Semaphore(config.concurrency)
        self._headers = {"Content-Type": "application/json"}
        if config.scorer_key is not None:
            self._headers["Authorization"] = f"Bearer {config.scorer_key.get_secret_value()}"

    async def score(self, messages: Sequence[Message], responses: Sequence[str]) -> ScoreReply:
        """P(correct) of each response. Raises ScorerError when any of the calls fails."""
        prompts = [ask_if_correct(messages, response, self._characters) for response in responses]
        chances, usage = await self._ask_all(prompts, YES, NO)
        return ScoreReply(scores=chances, usage=usage)

    async def prefer(self, messages: Sequence[Message], responses: Sequence[str]) -> ScoreReply:
        """Mean probability that each response is better than another one, at least two being given.

        Every pair is asked in both orders and averaged, so that a judge who favours a position, however strongly,
        gives all the same. Rounded to 6 digits, so that such ties are exact. Raises ScorerError likewise.
        """
        pairs = list(permutations(range(len(responses)), 2))
        prompts = [ask_which_is_better(messages, responses[i], responses[j], self._characters) for i, j in pairs]
        chances, usage = await self._ask_all(prompts, FIRST, SECOND)
        first_wins = dict(zip(pairs, chances, strict=True))
        others = len(responses) - 1
        scores = [
            sum(first_wins[i, j] + 1.0 - first_wins[j, i] for j in range(len(responses)) if j != i) / (2 * others)
            for i in range(len(responses))
        ]
        return ScoreReply(scores=[round(score, _DIGITS) for score in scores], usage=usage)

    async def _ask_all(
        self, prompts: Sequence[Sequence[Message]], label: str, other: str
    ) -> tuple[list[float], ScoreUsage]:
        spent: list[ScoreUsage] = []
        tasks = [asyncio.ensure_future(self._ask(prompt, label, other, spent)) for prompt in prompts]
        try:
            async with asyncio.timeout(self._timeout_s):
                chances = await asyncio.gather(*tasks)
        except TimeoutError as error:
            raise ScorerError(f"verifier: no verdict within {self._timeout_s:g} s", _sum(spent)) from error
        except ScorerError as error:
            raise ScorerError(str(error), _sum(spent)) from error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return chances, _sum(spent)

    async def _ask(self, prompt: Sequence[Message], label: str, other: str, spent: list[ScoreUsage]) -> float:
        body = self._fields | {
            "messages": [m.model_dump() for m in prompt], "max_tokens": 1, "temperature": 0.0,
            "logprobs": True, "top_logprobs": _LISTED,
        }  # fmt: skip
        try:
            async with self._free:
                response = await self._client.post(
                    self._url, content=json.dumps(body).encode(), headers=self._headers, timeout=self._timeout_s
                )
            response.raise_for_status()
            reply = response.json()
            spent.append(_usage(reply))
            listed = [
                TokenLogprob(token=t["token"], logprob=t["logprob"])
                for t in reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
            ]
        except httpx.HTTPError as error:
            raise ScorerError(f"verifier: {type(error).__name__}: {error}") from error
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise ScorerError("verifier: the judge's reply holds no log-probabilities of a first token") from error
        chance = label_probability(listed, label, other)
        if chance is None:
            raise ScorerError(f"verifier: neither {label} nor {other} is among the judge's likeliest first tokens")
        return chance


def _usage(reply: dict[str, Any]) -> ScoreUsage:
    """The endpoint's own counts; without them, the one token that was asked for."""
    usage = reply.get("usage") or {}
    return ScoreUsage(
        prompt_tokens=usage.get("prompt_tokens") or 0, completion_tokens=usage.get("completion_tokens") or 1
    )


def _sum(spent: Sequence[ScoreUsage]) -> ScoreUsage:
    return ScoreUsage(
        prompt_tokens=sum(u.prompt_tokens for u in spent), completion_tokens=sum(u.completion_tokens for u in spent)
    )
