"""What each kind of backend takes of a chat request: data, read by `wire.py` and the upstream client.

Cerebras: its Python SDK 1.67 for names and ranges, its rate-limit page for headers and pre-charging
(https://inference-docs.cerebras.ai/support/rate-limits). The list of what it refuses comes from third parties and
may be behind: a field that it takes by now costs one line here.
"""

from typing import Literal

from pydantic import Field, JsonValue

from hexad.records import Record

Backend = Literal["vllm", "openai", "cerebras"]


class Capabilities(Record):
    """How one kind of backend differs from vLLM, whose interface the gateway speaks inside."""

    refused: dict[str, tuple[JsonValue, ...]] = Field(
        default_factory=dict,
        description="Fields that it does not take, each with the values that ask for nothing: with one of those the "
        "field is left out, with any other the request is refused.",
    )
    renamed: dict[str, str] = Field(default_factory=dict, description="Fields that it takes under another name.")
    added: dict[str, JsonValue] = Field(default_factory=dict, description="Fields that every call carries.")
    greatest: dict[str, float] = Field(default_factory=dict, description="Upper bounds narrower than the gateway's.")
    most_stops: int | None = Field(None, description="Stop sequences that a request may name.")
    takes_n: bool = Field(True, description="Whether one call may ask for several choices; else it becomes n calls.")
    continuous_usage: bool = Field(False, description="Whether it counts tokens in every chunk when asked to.")
    health_pages: tuple[str, ...] = Field(("/v1/models",), description="Asked in turn until one exists.")
    ready_for_s: float = Field(30.0, description="Seconds that a good answer of the health page counts.")
    rate_headers: dict[str, str] = Field(
        default_factory=dict, description="Field of RateLimits → NAME in its x-ratelimit-{limit,remaining,reset}-NAME."
    )
    first_backoff_s: float = Field(0.5, description="Wait before the second try where no Retry-After says otherwise.")
    floor_tokens_per_s: float | None = Field(
        None, description="Speed below which a call is taken for lost; None: only the request's deadline ends it."
    )


_VLLM_ONLY: dict[str, tuple[JsonValue, ...]] = {
    "top_k": (-1, 0),
    "min_p": (0,),
    "repetition_penalty": (1,),
    "ignore_eos": (False,),
    "thinking_token_budget": (),
}

BACKENDS: dict[Backend, Capabilities] = {
    "vllm": Capabilities(
        continuous_usage=True, health_pages=("/health", "/v1/models"), ready_for_s=0.0, first_backoff_s=0.1
    ),
    "openai": Capabilities(refused=_VLLM_ONLY | {"min_tokens": (0,)}),
    "cerebras": Capabilities(
        refused=_VLLM_ONLY
        | {
            "frequency_penalty": (0,),
            "presence_penalty": (0,),
            "logit_bias": ({},),
            "parallel_tool_calls": (True,),
            "functions": ([],),
            "function_call": (),
            "modalities": (["text"],),
        },
        renamed={"max_tokens": "max_completion_tokens", "min_tokens": "min_completion_tokens"},
        added={"reasoning_format": "parsed"},
        greatest={"temperature": 1.5, "top_logprobs": 20},
        most_stops=4,
        takes_n=False,
        rate_headers={"requests_per_day": "requests-day", "tokens_per_minute": "tokens-minute"},
        floor_tokens_per_s=100.0,
    ),
}
