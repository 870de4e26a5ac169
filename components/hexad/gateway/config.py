"""What an operator decides about a gateway. Clients may narrow it, never widen it."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from hexad.records import Record

ENGINE_KEY = "HEXAD_ENGINE_KEY"
"""Environment variable with the engine's bearer key."""

PlanPolicy = Literal["off", "shared", "per_sample"]
Selector = Literal["hybrid", "majority", "verifier"]


class GatewayConfig(Record):
    """Settings of one gateway process, read from a JSON file by `python -m hexad.gateway.server`."""

    model: str = Field(
        min_length=1,
        pattern="^[^:]+$",
        description="Name that clients ask for; NAME:bo1, NAME:plan, NAME:boN and NAME:plan+boN are made from it.",
    )
    engine_url: str = Field(
        pattern="^https?://",
        description="Base URL of the OpenAI-compatible engine, without /v1. Nothing in a request can change it.",
    )
    engine_model: str = Field(min_length=1, description="Model name sent to the engine.")
    engine_key: SecretStr | None = Field(
        None, description="Bearer key for the engine; HEXAD_ENGINE_KEY in the environment fills it when absent."
    )
    continuous_usage: bool = Field(
        True,
        description="Ask for token counts in every chunk (vLLM), so that cancelled streams are counted exactly. "
        "Switch off for engines that refuse unknown stream options.",
    )
    retries: int = Field(1, ge=0, le=5, description="Further tries of a call that failed before its first token.")
    connect_timeout_s: float = Field(5.0, gt=0, description="Seconds to open a connection to engine or verifier.")

    scorer_url: str | None = Field(
        None, pattern="^https?://", description="Base URL of the verifier service; None: selection by majority."
    )
    scorer_timeout_s: float = Field(30.0, gt=0, description="Seconds for one scoring call; then majority decides.")

    n: int = Field(3, ge=1, description="Candidates per question by default.")
    max_n: int = Field(8, ge=1, description="Most candidates that a request may ask for.")
    plan: PlanPolicy = Field(
        "shared", description="Plan before thinking by default: not at all, one for all candidates, or one each."
    )
    plan_max_tokens: int = Field(512, gt=0, description="Tokens of a planner's response.")
    plan_temperature: float = Field(
        0.0, ge=0, le=2, description="Of a shared plan; plans per sample use the request's temperature, to differ."
    )
    plan_share: float = Field(0.25, gt=0, le=1, description="Share of the deadline after which planning is given up.")
    selector: Selector = Field("hybrid", description="How the answer is chosen by default.")
    confidence: float | None = Field(
        None, ge=0.5, lt=1, description="Sample no more candidates once their agreement gives the majority's answer "
        "with this probability; n is then the most. None: all n at once."
    )  # fmt: skip

    max_tokens: int = Field(8192, gt=0, description="Tokens per candidate when the request names none.")
    max_tokens_limit: int = Field(65536, gt=0, description="Most tokens per candidate that a request may ask for.")
    temperature: float = Field(1.0, ge=0, le=2, description="When the request names none.")
    top_p: float = Field(1.0, gt=0, le=1, description="When the request names none.")

    deadline_s: float = Field(
        600.0, gt=0, description="Seconds after which sampling stops and the best so far is the answer; also the most "
        "that a request may ask for. Scoring may add scorer_timeout_s."
    )  # fmt: skip
    keepalive_s: float = Field(15.0, gt=0, description="Seconds between SSE comments while a client waits.")
    concurrency: int = Field(64, ge=1, description="Engine calls in flight at once: plans and candidates.")
    queue: int = Field(256, ge=0, description="Requests that may wait for their first engine call; then 429.")
    max_body_bytes: int = Field(4_194_304, gt=0, description="Longest request body, in bytes.")
    body_timeout_s: float = Field(30.0, gt=0, description="Seconds within which a request body must arrive.")

    api_key_hashes: list[str] = Field(
        default_factory=list, description="sha256 of each accepted API key, in hexadecimal. Empty: no key is asked for."
    )
    allow_anonymous: bool = Field(
        False, description="Serve without API keys on an address that other machines can reach."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    grace_s: float = Field(30.0, ge=0, description="Seconds that running requests get to finish after SIGTERM.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.n > self.max_n:
            raise ValueError(f"n: {self.n} is more than max_n = {self.max_n}; raise max_n or lower n")
        if self.max_tokens > self.max_tokens_limit:
            raise ValueError(
                f"max_tokens: {self.max_tokens} is more than max_tokens_limit = {self.max_tokens_limit}; "
                "raise the limit or lower the default"
            )
        for digest in self.api_key_hashes:
            if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                raise ValueError("api_key_hashes: every entry is 64 hexadecimal digits, as `sha256sum` prints them")
        if self.selector == "verifier" and self.scorer_url is None:
            raise ValueError("selector: 'verifier' needs scorer_url; set it, or choose 'majority'")
        return self
