"""Read a chat request: which policy it gets, and what of it goes to the engine."""

import json
import math
import re
import secrets
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import Field, JsonValue, ValidationError

from hexad.gateway.budget import shares, verdict_tokens
from hexad.gateway.config import GatewayConfig, PlanPolicy, Selector
from hexad.gateway.errors import ApiError
from hexad.records import Message, Record

_ALIAS = re.compile(r"plan|(?:plan\+)?bo(?P<n>[1-9]\d?)")
_Number = TypeVar("_Number", int, float)
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_LOCAL = {"model", "messages", "stream", "stream_options", "scaffold", "max_tokens", "max_completion_tokens",
          "temperature", "top_p", "seed", "n"}  # fmt: skip
_FOR_OPENAI_ONLY = {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"}


class ScaffoldOptions(Record):
    """The `scaffold` field of a request. What is absent comes from the model's alias, then from the operator."""

    n: int | None = Field(None, ge=1, description="Candidates.")
    plan: PlanPolicy | None = None
    selector: Selector | None = None
    deadline_s: float | None = Field(None, gt=0, allow_inf_nan=False, description="Seconds until the best so far wins.")
    early_stop: bool | None = Field(None, description="Cancel candidates that cannot change the majority any more.")
    confidence: float | None = Field(None, ge=0.5, lt=1, description="Stop sampling at this confidence; n is the most.")
    budget_tokens: int | None = Field(
        None, gt=0, description="Most completion tokens of plans, candidates and verifier together."
    )
    raw: bool = Field(False, description="Report each candidate's whole text, as the engine wrote it.")
    events: bool = Field(False, description="Stream progress as `event: scaffold`.")


class ChatBody(Record):
    """Body of POST /v1/chat/completions: OpenAI's fields, vLLM's sampling fields, `scaffold`. Others are refused."""

    model: str
    messages: list[dict[str, JsonValue]] = Field(min_length=1)
    scaffold: ScaffoldOptions | None = None
    stream: bool | None = None
    stream_options: dict[str, JsonValue] | None = None
    max_tokens: int | None = Field(None, gt=0)
    max_completion_tokens: int | None = Field(None, gt=0)
    temperature: float | None = Field(None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(None, gt=0, le=1, allow_inf_nan=False)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63 - 1024)
    n: int | None = Field(None, ge=1)
    stop: str | list[str] | None = None
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[str, float] | None = None
    reasoning_effort: str | None = None
    top_k: int | None = None
    min_p: float | None = Field(None, ge=0, le=1)
    repetition_penalty: float | None = Field(None, gt=0)
    min_tokens: int | None = Field(None, ge=0)
    ignore_eos: bool | None = None
    thinking_token_budget: int | None = Field(None, ge=0)
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: list[JsonValue] | None = None
    tool_choice: JsonValue = None
    parallel_tool_calls: bool | None = None
    functions: list[JsonValue] | None = None
    function_call: JsonValue = None
    response_format: dict[str, JsonValue] | None = None
    modalities: list[str] | None = None
    user: str | None = None
    metadata: dict[str, JsonValue] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None


class Policy(Record):
    """What will be done for one request."""

    n: int
    plan: PlanPolicy
    selector: Selector
    deadline_s: float
    early_stop: bool
    confidence: float | None
    plan_max_tokens: int
    plan_after: int
    raw: bool
    events: bool


@dataclass(frozen=True)
class ChatRequest:
    """A request that the operator's bounds allow."""

    model: str
    messages: list[dict[str, Any]]
    sampling: dict[str, Any]
    """Fields for the engine besides model, messages, seed and stream; temperature, top_p, max_tokens always there."""
    seed: int
    policy: Policy
    bypass: str | None
    """Why the scaffold does not apply, e.g. "tools"; None where it does."""
    samples: int
    """OpenAI's `n`: choices of a bypassed request."""
    stream: bool
    include_usage: bool

    def turns(self) -> list[Message]:
        """The conversation as text. `developer` is OpenAI's newer name of `system`."""
        roles = {"developer": "system"}
        return [Message(role=roles.get(m["role"], m["role"]), content=_text(m.get("content"))) for m in self.messages]

    def with_turns(self, turns: list[Message]) -> list[dict[str, Any]]:
        """`messages` where the text of changed turns is replaced; everything else stays as the client sent it."""
        pairs = zip(self.messages, self.turns(), turns, strict=True)
        return [sent if new == old else {**sent, "content": new.content} for sent, old, new in pairs]


def _finite(text: str) -> float:
    """JSON knows no NaN and no infinity; Python's reader takes them, and engines refuse what it would write of them."""
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is no finite number")
    return number


def read_request(raw: bytes, config: GatewayConfig) -> ChatRequest:
    """Validate a request body. Raises ApiError 400 or 404 that names the field and the mend."""
    try:
        body = ChatBody.model_validate(json.loads(raw, parse_constant=_finite, parse_float=_finite))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or None
        raise ApiError(400, f"{where or 'body'}: {first['msg']}", param=where) from error
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is not JSON: {error}") from error
    for i, message in enumerate(body.messages):
        if message.get("role") not in _ROLES:
            where = f"messages.{i}.role"
            raise ApiError(400, f"{where}: {message.get('role')!r} is none of {', '.join(_ROLES)}", param=where)
    bypass = _bypass(body)
    if bypass is None and not any(m["role"] == "user" for m in body.messages):
        raise ApiError(400, "messages: no turn has the role 'user'; add the question as one", param="messages")
    policy, sampling = _policy(body, config), _sampling(body, config)
    if body.scaffold is not None and body.scaffold.budget_tokens is not None:
        a_plan, a_candidate = shares(
            body.scaffold.budget_tokens, policy.n, policy.plan, policy.plan_max_tokens, sampling["max_tokens"],
            verdict_tokens(policy.n, policy.selector, config.scorer),
        )  # fmt: skip
        policy = policy.model_copy(update={"plan_max_tokens": a_plan})
        sampling["max_tokens"] = a_candidate
    return ChatRequest(
        model=body.model,
        messages=body.messages,
        sampling=sampling,
        seed=secrets.randbelow(2**31) if body.seed is None else body.seed,
        policy=policy,
        bypass=bypass,
        samples=_bounded(body.n or 1, config.max_n, "n"),
        stream=bool(body.stream),
        include_usage=bool((body.stream_options or {}).get("include_usage")),
    )


def aliases(config: GatewayConfig) -> list[str]:
    """The model names that /v1/models lists: one per cell that evaluation measures (serve_eval.md §4.5 no. 26)."""
    suffixes = ["", ":bo1", ":plan"] + ([f":bo{config.n}", f":plan+bo{config.n}"] if config.n > 1 else [])
    return [config.model + suffix for suffix in suffixes]


def _policy(body: ChatBody, config: GatewayConfig) -> Policy:
    n, plan = _alias(body.model, config)
    wish = body.scaffold or ScaffoldOptions()
    selector = wish.selector or config.selector
    if wish.selector in ("verifier", "hybrid") and config.scorer_url is None:
        raise ApiError(
            400, f"scaffold.selector: {wish.selector!r} needs a verifier and this server has none; use 'majority'",
            param="scaffold.selector",
        )  # fmt: skip
    if wish.selector == "pairwise" and config.scorer != "labels":
        raise ApiError(
            400, "scaffold.selector: 'pairwise' needs a judging engine and this server has none; use 'majority'",
            param="scaffold.selector",
        )  # fmt: skip
    if config.scorer_url is None:
        selector = "majority"
    n, plan = _bounded(wish.n or n, config.max_n, "scaffold.n"), wish.plan or plan
    return Policy(
        n=n,
        plan=plan,
        plan_after=config.plan_after if plan != "off" and config.plan_after < n else 0,
        selector=selector,
        deadline_s=_bounded(wish.deadline_s or config.deadline_s, config.deadline_s, "scaffold.deadline_s"),
        early_stop=selector == "majority" if wish.early_stop is None else wish.early_stop,
        confidence=wish.confidence or config.confidence,
        plan_max_tokens=config.plan_max_tokens,
        raw=wish.raw,
        events=wish.events,
    )


def _alias(model: str, config: GatewayConfig) -> tuple[int, PlanPolicy]:
    """Candidates and plan policy that a model name stands for."""
    name, _, suffix = model.partition(":")
    if model == config.model:
        return config.n, config.plan
    match = _ALIAS.fullmatch(suffix)
    if name != config.model or match is None or int(match["n"] or 1) > config.max_n:
        known = ", ".join(aliases(config))
        raise ApiError(
            404, f"model {model!r} is not served here; known: {known}", param="model", code="model_not_found"
        )
    planned: PlanPolicy = "shared" if config.plan == "off" else config.plan
    return int(match["n"] or 1), planned if suffix.startswith("plan") else "off"


def _sampling(body: ChatBody, config: GatewayConfig) -> dict[str, Any]:
    sent = body.model_dump(exclude_none=True, exclude=_LOCAL | _FOR_OPENAI_ONLY)
    wanted = body.max_completion_tokens or body.max_tokens or config.max_tokens
    field = "max_completion_tokens" if body.max_completion_tokens else "max_tokens"
    return sent | {
        "max_tokens": _bounded(wanted, config.max_tokens_limit, field),
        "temperature": config.temperature if body.temperature is None else body.temperature,
        "top_p": config.top_p if body.top_p is None else body.top_p,
    }


def _bounded(value: _Number, limit: _Number, param: str) -> _Number:
    if value > limit:
        raise ApiError(400, f"{param}: {value} is more than this server's limit of {limit}", param=param)
    return value


def _bypass(body: ChatBody) -> str | None:
    """What makes a request one that a vote over texts would break, so that it goes to one sample as it is."""
    spoken_to_tools = any(m["role"] in ("tool", "function") or m.get("tool_calls") for m in body.messages)
    not_text = not all(_is_text(m.get("content")) for m in body.messages)
    reasons = {
        "tools": body.tools or body.functions or spoken_to_tools,
        "response_format": (body.response_format or {}).get("type", "text") != "text",
        "logprobs": body.logprobs,
        "n": (body.n or 1) > 1,
        "content": not_text or set(body.modalities or ["text"]) != {"text"},
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def _is_text(content: JsonValue) -> bool:
    parts = content if isinstance(content, list) else []
    return content is None or (
        isinstance(content, str | list)
        and all(
            isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
            for part in parts
        )
    )


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content)
    return content or ""
