"""Settings of the processes behind an endpoint."""

from typing import Literal

from pydantic import Field

from hexad.records import Record

ENGINE_MODEL = "target"
"""Model name that our own engine serves the bundle's target under."""


_QUESTION_TOKENS = 4096


def response_tokens(max_model_len: int) -> int:
    """Longest response in a context of so many tokens: the rest is for question and plan, 4,096 tokens or half of it.

    One rule for this machine and for clusters: what a run leaves behind answers at the length that it was evaluated at.
    """
    return max_model_len - min(max_model_len // 2, _QUESTION_TOKENS)


class EngineConfig(Record):
    """vLLM's settings."""

    max_model_len: int = Field(768, gt=0, description="Tokens of prompt plus response.")
    max_num_seqs: int = Field(64, ge=1, description="Sequences decoded at once.")
    kv_cache_gib: float = Field(1.0, gt=0, description="Memory for the KV cache, GiB (CPU engine).")
    dtype: Literal["float32", "bfloat16", "auto"] = Field("float32", description="Type of weights while serving.")
    stream_interval: int = Field(16, ge=1, description="Tokens per streamed chunk.")
    tool_call_parser: str = Field("hermes", description="vLLM's name of the model's tool-call format; empty: no tools.")
    start_timeout_s: float = Field(240.0, gt=0, description="Seconds that the engine may take to be ready.")


class GatewayPolicy(Record):
    """What the gateway does with a request that names no policy of its own."""

    candidates: int = Field(3, ge=1, le=16, description="Candidates per question (N of best-of-N).")
    plan: Literal["off", "shared", "per_sample"] = Field("shared", description="Plan before you think.")
    plan_tokens: int = Field(512, ge=1, description="Most tokens of a plan.")
    plan_after: int = Field(
        0, ge=0, description="Candidates that are sampled first; where all agree there is no plan. 0: plan first."
    )
    selector: Literal["hybrid", "majority", "verifier"] = Field("hybrid", description="How the winner is chosen.")
    confidence: float | None = Field(
        None,
        ge=0.5,
        lt=1,
        description="Stop sampling at this confidence in the majority; None: all candidates at once.",
    )
    concurrency: int = Field(96, ge=1, description="Candidates in flight at once.")
    deadline_s: float = Field(3600.0, gt=0, description="Seconds after which the best answer so far is given.")
