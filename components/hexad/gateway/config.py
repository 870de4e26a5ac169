"""What an operator decides about a gateway. Clients may narrow it, never widen it."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, SecretStr, model_validator

from hexad.gateway.backends.capabilities import BACKENDS, Backend
from hexad.gateway.backends.limits import RateLimits
from hexad.records import Record

ENGINE_KEY = "HEXAD_ENGINE_KEY"
SCORER_KEY = "HEXAD_SCORER_KEY"
"""Environment variables with the bearer keys of engine and scorer."""

PlanPolicy = Literal["off", "shared", "per_sample"]
Selector = Literal["hybrid", "majority", "verifier", "pairwise"]
ScorerKind = Literal["service", "labels"]


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
    backend: Backend = Field(
        "vllm", description="What the engine is: our vLLM, any other OpenAI-compatible one, or Cerebras inference."
    )
    engine_model: str = Field(min_length=1, description="Model name sent to the engine.")
    engine_key: SecretStr | None = Field(
        None,
        description="Bearer key for the engine; HEXAD_ENGINE_KEY in the environment, or the file "
        "that HEXAD_ENGINE_KEY_FILE names, fills it when absent.",
    )
    engine_fields: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Fields added to the body of every engine call, e.g. service_tier; null takes away one that the "
        "backend adds by itself.",
    )
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = Field(
        None, description="Name under which the engine takes the token limit. None: max_completion_tokens for "
        "Cerebras, else max_tokens, which OpenAI's own reasoning models refuse."
    )  # fmt: skip
    limits: RateLimits = Field(
        RateLimits(), description="Rate limits of the engine, kept on this side: a call waits until it fits them."
    )
    floor_tokens_per_s: float | None = Field(
        None, gt=0, description="Speed in tokens/s below which an engine call is taken for lost: it may last "
        "engine_queue_s + max_tokens / this. None: 100 for Cerebras; for others only the deadline ends a call."
    )  # fmt: skip
    engine_queue_s: float = Field(60.0, ge=0, description="Seconds that a call may wait in the engine's own queue.")
    continuous_usage: bool = Field(
        True,
        description="Ask for token counts in every chunk (vLLM), so that cancelled streams are counted exactly. "
        "Switch off for engines that refuse unknown stream options.",
    )
    retries: int = Field(1, ge=0, le=5, description="Further tries of a call that failed before its first token.")
    connect_timeout_s: float = Field(5.0, gt=0, description="Seconds to open a connection to engine or verifier.")

    scorer_url: str | None = Field(
        None, pattern="^https?://", description="Base URL of the verifier, without a path; None: selection by majority."
    )
    scorer: ScorerKind = Field(
        "service", description="What answers at scorer_url: the trained verifier's /score, or an OpenAI-compatible "
        "engine that is asked for one token, Yes or No, and read through its log-probabilities."
    )  # fmt: skip
    scorer_model: str | None = Field(None, description="Model name sent to the judging engine; only for labels.")
    scorer_key: SecretStr | None = Field(
        None, description="Bearer key for the judging engine; HEXAD_SCORER_KEY in the environment fills it when absent."
    )
    scorer_characters: int = Field(
        24_000, ge=100, description="Most characters of a question's turn or a candidate that the judging engine is "
        "shown; of longer ones both ends."
    )  # fmt: skip
    scorer_fields: dict[str, JsonValue] = Field(
        default_factory=dict, description="Further fields of requests to the judging engine, e.g. to switch thinking "
        'off: {"chat_template_kwargs": {"enable_thinking": false}}; or for vLLM {"logprob_token_ids": [YES, NO]}, the '
        "ids of the labels' tokens, which compares just them: no label is missing then."
    )  # fmt: skip
    scorer_timeout_s: float = Field(30.0, gt=0, description="Seconds for one scoring; then majority decides.")

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
    plan_after: int = Field(
        0, ge=0, description="Candidates sampled before a plan is made: where all give one answer, the question "
        "is easy and gets no plan; else the plan helps those that follow. The same candidates and at most the same "
        "plans as planning first, so never more calls; hard questions wait longer. 0: plan first. No effect unless "
        "less than n."
    )  # fmt: skip
    selector: Selector = Field("hybrid", description="How the answer is chosen by default; `select` has the rules.")
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

    audit_store: str | None = Field(
        None, pattern="^(file|s3)://", description="Store URI that gets one audit row per request, as "
        "audit/DATE/INSTANCE-SEQ.jsonl: hashes, numbers and the choice. None: no audit."
    )  # fmt: skip
    audit_text: bool = Field(False, description="Keep the text of messages and candidates in audit rows too.")
    audit_rows: int = Field(500, ge=1, description="Rows after which a part is written.")
    audit_interval_s: float = Field(30.0, gt=0, description="Seconds after which a part is written with what there is.")
    audit_buffer_bytes: int = Field(
        67_108_864, gt=0, description="Bytes of rows that may wait for a store that fails; then rows are dropped."
    )

    otlp_endpoint: str | None = Field(
        None, pattern="^https?://", description="Base URL of an OpenTelemetry collector (OTLP over HTTP) that gets the "
        "traces; None: OTEL_EXPORTER_OTLP_ENDPOINT decides. Spans hold counts, never text."
    )  # fmt: skip

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    grace_s: float = Field(30.0, ge=0, description="Seconds that running requests get to finish after SIGTERM.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.n > self.max_n:
            raise ValueError(f"n: {self.n} is more than max_n = {self.max_n}; raise max_n or lower n")
        if self.plan_after == 1:
            raise ValueError("plan_after: one candidate always agrees with itself; set 0, or 2 or more")
        if self.max_tokens > self.max_tokens_limit:
            raise ValueError(
                f"max_tokens: {self.max_tokens} is more than max_tokens_limit = {self.max_tokens_limit}; "
                "raise the limit or lower the default"
            )
        if self.limits.tokens is not None and self.max_tokens >= self.limits.tokens:
            raise ValueError(
                f"max_tokens: {self.max_tokens} and a prompt are more than the lowest token limit, "
                f"{self.limits.tokens}, so that no request would ever be sent; lower max_tokens"
            )
        greatest = BACKENDS[self.backend].greatest.get("temperature", 2.0)
        for name, value in (("temperature", self.temperature), ("plan_temperature", self.plan_temperature)):
            if value > greatest:
                raise ValueError(f"{name}: {value} is more than backend {self.backend!r} takes: {greatest}")
        if self.backend == "cerebras" and not _is_safe_for_keys(self.engine_url):
            raise ValueError(f"engine_url: {self.engine_url} would send the key in the clear; use https://")
        for digest in self.api_key_hashes:
            if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                raise ValueError("api_key_hashes: every entry is 64 hexadecimal digits, as `sha256sum` prints them")
        if self.selector == "verifier" and self.scorer_url is None:
            raise ValueError("selector: 'verifier' needs scorer_url; set it, or choose 'majority'")
        if self.scorer == "labels" and (self.scorer_url is None or self.scorer_model is None):
            raise ValueError("scorer: 'labels' needs scorer_url and scorer_model, the engine that judges; set both")
        if self.selector == "pairwise" and self.scorer != "labels":
            raise ValueError("selector: 'pairwise' needs a judging engine; set scorer to 'labels', or choose 'hybrid'")
        return self


def _is_safe_for_keys(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")
