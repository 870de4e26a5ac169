"""`bundle.json`: what serving needs to know of target, draft and verifier."""

from pydantic import Field, JsonValue

from hexad.records.base import Record


class Speculation(Record):
    """How the engine speculates, and the proof that it may."""

    method: str = Field(description="vLLM speculative method, e.g. 'draft_model' or 'ngram'.")
    num_speculative_tokens: int = Field(ge=1)
    acceptance_length: float = Field(0.0, description="Mean tokens per target step, from the engine's counters.")
    speedup: float = Field(0.0, description="Wall-time ratio without / with speculation.")
    lossless: bool = Field(False, description="The paired test passed at temperature 0 and 1.")


class Bundle(Record):
    """Everything behind an endpoint, by digest."""

    name: str
    version: int = 1
    target: str = Field(description="Manifest digest of the target model tree.")
    draft: str | None
    verifier: str | None
    chat_template_sha256: str
    max_model_len: int = Field(gt=0, description="Tokens of prompt plus response.")
    engine: dict[str, JsonValue] = Field(default_factory=dict, description="Engine flags, name to value.")
    speculation: Speculation | None = None
