"""The judge against a real vLLM: what it sends is understood, and what comes back is read as it is meant."""

import asyncio
from pathlib import Path

import httpx
import pytest

from hexad.engines.vllm_server import VllmServer, engine_arguments, free_port
from hexad.gateway.config import GatewayConfig
from hexad.gateway.judge import Judge
from hexad.gateway.scorer import ScoreReply
from hexad.records import Message

pytestmark = pytest.mark.engine
MODEL = Path(__file__).parents[2] / "models" / "quickstart-base"
LETTERS = [35, 36]  # "A" and "B" in this model's vocabulary, which has no token for Yes or No


def test_labels_named_by_token_id_are_compared_exactly_in_both_orders(tmp_path: Path) -> None:
    port = free_port()
    arguments = engine_arguments(
        str(MODEL), "base", port, max_model_len=512, max_num_seqs=8, dtype="float32", kv_cache_gib=0.1
    )
    turns = [Message(role="user", content="12 + 30 = ?")]

    async def prefer(url: str) -> ScoreReply:
        config = GatewayConfig.model_validate(
            {"model": "k", "engine_url": url, "engine_model": "base", "scorer": "labels", "scorer_url": url,
             "scorer_model": "base", "scorer_fields": {"logprob_token_ids": LETTERS}}
        )  # fmt: skip
        async with httpx.AsyncClient() as client:
            return await Judge(client, config).prefer(turns, ["42", "41", "1"])

    with VllmServer(arguments, port, tmp_path / "engine.log", threads=1) as server:
        first, again = (asyncio.run(prefer(server.base_url)) for _ in range(2))
    assert first == again
    assert all(0.0 < score < 1.0 for score in first.scores)
    assert sum(first.scores) == pytest.approx(1.5, abs=1e-5)  # of 3 pairs each shares out 1, and a mean is over 2
    assert first.usage.completion_tokens == 6
    assert first.usage.prompt_tokens > 6 * 50
