"""The official client through the gateway to a real vLLM engine: plain, streamed, asynchronous, schemas and tools."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from transformers import AutoTokenizer

from hexad.engines.vllm_server import VllmServer, engine_arguments, free_port
from hexad.gateway.app import create_app
from hexad.gateway.config import GatewayConfig
from hexad.gateway.verifiers.judge import Judge
from hexad.gateway.verifiers.scorer import ScoreReply
from hexad.records import Message

from .conftest import by_text, question
from .upstream import serve

pytestmark = pytest.mark.engine
MODEL = Path(__file__).parents[2] / "models" / "quickstart-base"
NUMBERS = {"type": "string", "enum": ["12", "13"]}
ADD: dict[str, Any] = {
    "name": "add",
    "strict": True,
    "parameters": {"type": "object", "properties": {"a": NUMBERS}, "required": ["a"], "additionalProperties": False},
}


LETTERS = [35, 36]  # "A" and "B" in this model's vocabulary, which has no token for Yes or No


@pytest.fixture(scope="module")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An engine with the small base model of the quickstart, which writes little sense; its URL."""
    port, log = free_port(), tmp_path_factory.mktemp("engine") / "engine.log"
    arguments = engine_arguments(
        str(MODEL), "base", port, max_model_len=512, max_num_seqs=8, dtype="float32", kv_cache_gib=0.2
    )
    with VllmServer(arguments, port, log, threads=1) as engine:
        yield engine.base_url


@pytest.fixture(scope="module")
def url(vllm: str) -> Iterator[str]:
    """A gateway in front of the engine."""
    config = GatewayConfig(model="k", engine_url=vllm, engine_model="base", max_tokens=32)
    with serve(create_app(config, httpx.AsyncClient(), by_text)) as address:
        yield f"{address}/v1"


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as made:
        yield made


@pytest.fixture(scope="module")
def no_blanks() -> dict[str, int]:
    """A logit bias against tokens that begin with white space, which a grammar allows without end."""
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    texts = {i: tokenizer.decode([i]) for i in tokenizer.get_vocab().values()}
    return {str(i): -100 for i, text in texts.items() if text[:1].isspace()}


def test_three_candidates_are_counted_to_the_token(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(
        model="k:bo3", messages=question(), seed=1, extra_body={"scaffold": {"early_stop": False}}
    )
    assert done.usage is not None and done.model_extra is not None
    assert done.usage.completion_tokens == sum(c["tokens"] for c in done.model_extra["scaffold"]["candidates"])
    assert len({c["seed"] for c in done.model_extra["scaffold"]["candidates"]}) == 3


def test_the_same_seed_gives_the_same_answer_streamed_or_whole(client: openai.OpenAI) -> None:
    fields: dict[str, Any] = {"model": "k:bo1", "messages": question(), "seed": 7}
    whole = client.chat.completions.create(**fields)
    stream = client.chat.completions.create(**fields, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    streamed = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert streamed == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


def test_asynchronous_requests_side_by_side(url: str) -> None:
    async def ask_all() -> list[int]:
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
            calls = [
                client.chat.completions.create(model="k:bo1", messages=question(), seed=i, max_tokens=8)
                for i in range(8)
            ]
            return [done.usage.completion_tokens for done in await asyncio.gather(*calls) if done.usage]

    assert all(0 < tokens <= 8 for tokens in asyncio.run(ask_all()))


def test_an_answer_keeps_to_its_schema(client: openai.OpenAI, no_blanks: dict[str, int]) -> None:
    schema = {"type": "object", "properties": {"sum": NUMBERS}, "required": ["sum"], "additionalProperties": False}
    done = client.chat.completions.create(
        model="k",
        messages=question(),
        logit_bias=no_blanks,
        response_format={"type": "json_schema", "json_schema": {"name": "sum", "schema": schema}},
    )
    assert json.loads(done.choices[0].message.content or "")["sum"] in NUMBERS["enum"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_tool_is_called(client: openai.OpenAI, no_blanks: dict[str, int], stream: bool) -> None:
    fields: dict[str, Any] = {
        "model": "k",
        "messages": question(),
        "tools": [{"type": "function", "function": ADD}],
        "tool_choice": {"type": "function", "function": {"name": "add"}},
        "logit_bias": no_blanks,
        "max_tokens": 200,
    }
    if stream:
        deltas = [c.choices[0].delta for c in client.chat.completions.create(**fields, stream=True) if c.choices]
        functions = [call.function for delta in deltas for call in delta.tool_calls or [] if call.function]
        name, arguments = functions[0].name, "".join(function.arguments or "" for function in functions)
    else:
        message = client.chat.completions.create(**fields).choices[0].message
        assert message.tool_calls
        called = message.tool_calls[0]
        assert called.type == "function"
        name, arguments = called.function.name, called.function.arguments
    assert name == "add"
    assert json.loads(arguments)["a"] in NUMBERS["enum"]


def test_a_judge_compares_labels_named_by_token_id_in_both_orders(vllm: str) -> None:
    turns = [Message(role="user", content="12 + 30 = ?")]
    config = GatewayConfig.model_validate(
        {"model": "k", "engine_url": vllm, "engine_model": "base", "scorer": "labels", "scorer_url": vllm,
         "scorer_model": "base", "scorer_fields": {"logprob_token_ids": LETTERS}}
    )  # fmt: skip

    async def prefer() -> ScoreReply:
        async with httpx.AsyncClient() as client:
            return await Judge(client, config).prefer(turns, ["42", "41", "1"])

    first, again = (asyncio.run(prefer()) for _ in range(2))
    assert first == again
    assert all(0.0 < score < 1.0 for score in first.scores)
    assert sum(first.scores) == pytest.approx(1.5, abs=1e-5)  # of 3 pairs each shares out 1, and a mean is over 2
    assert first.usage.completion_tokens == 6
    assert first.usage.prompt_tokens > 6 * 50
