"""Ask the gateway every question, several times, over the same wire that clients use."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from hexad.evaluation.config import EvaluateConfig
from hexad.records import Prompt, Record


class Asked(Record):
    """One answer of the gateway. `scaffold` is empty where the request failed."""

    prompt_id: str
    sample: int
    seed: int
    raw: str
    finish_reason: str
    tokens: int
    scaffold: dict[str, Any]
    error: str = ""


def ask_all(
    url: str,
    model: str,
    prompts: Sequence[Prompt],
    config: EvaluateConfig,
    seed: int,
    report: Callable[[float, str], None],
) -> list[Asked]:
    """`config.samples` answers per prompt, in order. A failed request is an Asked with `error`, never left out."""
    return asyncio.run(_ask_all(url, model, prompts, config, seed, report))


async def _ask_all(
    url: str,
    model: str,
    prompts: Sequence[Prompt],
    config: EvaluateConfig,
    seed: int,
    report: Callable[[float, str], None],
) -> list[Asked]:
    gate, done = asyncio.Semaphore(config.concurrency), 0
    jobs = [(p, i, seed + 16 * (j * config.samples + i)) for j, p in enumerate(prompts) for i in range(config.samples)]
    async with httpx.AsyncClient(base_url=url, timeout=900.0, trust_env=False) as client:

        async def one(prompt: Prompt, sample: int, own_seed: int) -> Asked:
            nonlocal done
            body = {
                "model": model,
                "messages": [m.model_dump() for m in prompt.prompt],
                "seed": own_seed,
                "temperature": config.temperature,
                "top_p": config.top_p,
                "max_tokens": config.max_tokens,
                "scaffold": {"raw": True, "early_stop": False},
            }
            async with gate:
                try:
                    answer = await client.post("/v1/chat/completions", json=body)
                    answer.raise_for_status()
                except httpx.HTTPError as error:
                    return Asked(
                        prompt_id=prompt.id,
                        sample=sample,
                        seed=own_seed,
                        raw="",
                        finish_reason="error",
                        tokens=0,
                        scaffold={},
                        error=f"{type(error).__name__}: {error}",
                    )
            done += 1
            report(done / len(jobs), f"{model}: {done}/{len(jobs)}")
            return _read(prompt, sample, own_seed, answer.json())

        return await asyncio.gather(*(one(*job) for job in jobs))


def _read(prompt: Prompt, sample: int, seed: int, answer: dict[str, Any]) -> Asked:
    found = answer["scaffold"]
    winner = found["candidates"][found["selected"]]
    return Asked(
        prompt_id=prompt.id,
        sample=sample,
        seed=seed,
        raw=winner["raw"] or "",
        scaffold=found,
        finish_reason="stop" if winner["finish_reason"] == "stop" else "length",
        tokens=answer["usage"]["completion_tokens"],
    )
