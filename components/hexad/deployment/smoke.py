"""The smoke test of a bundle: real questions through gateway and engine, under every alias that clients use."""

from collections.abc import Sequence

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from hexad.records import Message

ALIASES = ("", ":bo1", ":plan", ":bo3", ":plan+bo3")
QUESTIONS = tuple(
    [Message(role="user", content=text)]
    for text in ("12 + 30 = ?", "Tom has 3 boxes with 4 pens. How many pens?", "7 * 8 = ?", "100 - 1 = ?", "2 + 2 = ?")
)
"""Asked where a bundle comes without its run's validation questions."""

ENOUGH_TOKENS = 128
"""Of an answer, where the question is only whether one comes: a whole one may take longer than is waited for."""


class SmokeTestFailed(RuntimeError):
    """An endpoint that answers nothing, or not as it should. The message names the alias and what came back."""


class _Usage(BaseModel):
    completion_tokens: int


class _Answer(BaseModel):
    """What is read of a chat completion."""

    choices: list[JsonValue]
    usage: _Usage


def smoke_test(
    url: str, model: str, max_tokens: int, questions: Sequence[Sequence[Message]] = QUESTIONS, key: str | None = None
) -> dict[str, int]:
    """Tokens spent per alias, one question each, of `max_tokens` per candidate at most. Raises SmokeTestFailed."""
    spent = {}
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, timeout=120.0, trust_env=False, headers=headers) as client:
        for alias, question in zip(ALIASES, questions, strict=False):
            body = {
                "model": model + alias,
                "messages": [m.model_dump() for m in question],
                "max_tokens": max_tokens,
                "seed": 1,
            }
            try:
                answer = client.post("/v1/chat/completions", json=body)
            except httpx.HTTPError as error:
                raise SmokeTestFailed(f"{model}{alias}: {url}: {type(error).__name__}: {error}") from error
            reply = answer.content if answer.status_code == 200 else b""
            try:
                spent[model + alias] = _Answer.model_validate_json(reply).usage.completion_tokens
            except ValidationError:
                raise SmokeTestFailed(f"{model}{alias}: HTTP {answer.status_code}: {answer.text[:300]}") from None
            if spent[model + alias] == 0:
                raise SmokeTestFailed(f"{model}{alias}: the answer has no token; see the engine's log")
    return spent
