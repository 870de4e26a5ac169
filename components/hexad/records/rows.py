"""Rows of the datasets that cross a border (DESIGN §7)."""

from typing import Any, Literal

from pydantic import Field, JsonValue

from hexad.records.base import Record

Domain = Literal["math", "code", "science", "logic", "simulation", "tabular"]
DOMAINS: tuple[Domain, ...] = ("math", "code", "science", "logic", "simulation", "tabular")

Status = Literal["correct", "incorrect", "no_answer", "error"]


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Gold(Record):
    """The reference answer. `type` decides how it is compared; None means: infer it from the value."""

    value: JsonValue
    type: str | None = None
    options: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="What the comparison needs besides the value: tolerance, unit, tests' time limit, choices.",
    )


class Trace(Record):
    """One SFT conversation."""

    id: str
    domain: Domain
    source: str
    revision: str
    messages: list[Message]
    tokens: int = Field(0, ge=0, description="Length under the recipe's tokenizer; 0 before tokenization.")


class Prompt(Record):
    """One verifiable question: RL prompt, validation item or benchmark item."""

    id: str
    domain: Domain
    source: str
    revision: str
    date: str | None = None
    prompt: list[Message]
    gold: Gold
    grader: str = Field(description="Name of the grading domain that judges answers, e.g. 'math'.")
    difficulty: dict[str, float] = Field(default_factory=dict, description="Model name to pass rate, 0..1.")


class Verdict(Record):
    """What the grader says of one response."""

    status: Status
    score: float | None = Field(description="0..1; None when status is 'error': infrastructure, not the model.")
    extracted: str | None = Field(None, description="The answer text that was judged.")
    detail: str = Field("", description="Why, and how the answer was extracted.")
    version: str = Field(description="Version of the grader.")


class Rollout(Record):
    """One sampled response to one prompt, with its verdict."""

    prompt_id: str
    sample: int = Field(ge=0)
    seed: int
    response: str
    finish_reason: Literal["stop", "length", "error"]
    tokens: int = Field(ge=0)
    verdict: Verdict


class Reject(Record):
    """Why a row went no further. Nothing is dropped without one."""

    row: str = Field(description="Row id, or byte offset in its file.")
    stage: str
    reason: str
    detail: str = ""


def as_rows(records: list[Any]) -> list[dict[str, Any]]:
    """Plain dictionaries of records, in order."""
    return [record.model_dump() for record in records]
