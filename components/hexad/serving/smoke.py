"""The smoke test of a bundle: real questions through gateway and engine, under every alias that clients use."""

from collections.abc import Sequence

import httpx

from hexad.records import Prompt

ALIASES = ("", ":bo1", ":plan", ":bo3", ":plan+bo3")


class SmokeTestFailed(RuntimeError):
    """An endpoint that answers nothing, or not as it should. The message names the alias and what came back."""


def smoke_test(url: str, model: str, prompts: Sequence[Prompt], max_tokens: int) -> dict[str, int]:
    """Tokens spent per alias. Raises SmokeTestFailed."""
    spent = {}
    with httpx.Client(base_url=url, timeout=120.0, trust_env=False) as client:
        for alias, prompt in zip(ALIASES, prompts, strict=False):
            body = {
                "model": model + alias,
                "messages": [m.model_dump() for m in prompt.prompt],
                "max_tokens": max_tokens,
                "seed": 1,
            }
            answer = client.post("/v1/chat/completions", json=body)
            if answer.status_code != 200 or "choices" not in answer.json():
                raise SmokeTestFailed(f"{model}{alias}: HTTP {answer.status_code}: {answer.text[:300]}")
            spent[model + alias] = int(answer.json()["usage"]["completion_tokens"])
    return spent
