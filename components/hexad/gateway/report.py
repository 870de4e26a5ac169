"""The `scaffold` object of a response: what was planned, written, scored and chosen."""

from typing import Literal

from pydantic import Field

from hexad.gateway.config import Selector
from hexad.records import Record

Finish = Literal["stop", "length", "deadline", "cancelled", "error"]
Stop = Literal["complete", "agreed", "confident", "deadline"]


class CandidateReport(Record):
    """One candidate."""

    content: str = Field(description="What stands after the thinking, without answer tags.")
    reasoning: str
    answer: str | None = Field(description="The text of the last complete <answer> element.")
    score: float | None = Field(description="The verifier's, 0..1; None where it was not asked.")
    finish_reason: Finish = Field(description="'cancelled': by early stop; 'deadline': cut by it.")
    tokens: int = Field(ge=0, description="Completion tokens.")
    seed: int
    plan: str | None = Field(None, description="This candidate's own plan, under the policy per_sample.")
    error: str | None = None
    raw: str | None = Field(None, description="The text as the engine wrote it, if the request asked for it.")


class ScaffoldReport(Record):
    """How the answer came about."""

    plan: str | None = Field(description="The shared plan.")
    plan_note: str = Field("", description="Why a plan that was asked for is missing.")
    plan_tokens: int = Field(ge=0, description="Completion tokens of all plans.")
    verifier_tokens: int = Field(0, ge=0, description="Completion tokens of the verifier: it may read only.")
    verifier_prompt_tokens: int = Field(0, ge=0, description="Tokens that the verifier read.")
    candidates: list[CandidateReport]
    selected: int
    reason: str
    selector: Selector = Field(description="The rule that was applied, after any fallback.")
    selector_note: str = Field("", description="Why another rule than the one asked for.")
    groups: list[int | None] = Field(description="Equivalence class of each candidate's answer.")
    n_launched: int = Field(description="Candidates whose engine call started.")
    n_completed: int = Field(description="Candidates that the engine wrote to their end or their token limit.")
    stop: Stop = Field(description="Why sampling ended.")
    tokens_saved: int = Field(
        0, description="Estimate for candidates cancelled by early stop: mean length of the others minus their own."
    )
    seed: int = Field(description="Candidate i was sampled with seed + i.")
    seconds: float
    stage_seconds: dict[str, float] = Field(
        default_factory=dict, description="Wall time of a shared plan, candidates, verify and select."
    )
