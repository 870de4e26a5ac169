"""`summary.json` of a run: read by tools, so its schema is fixed (DESIGN §6)."""

from typing import Literal

from pydantic import ConfigDict, Field

from hexad.records.base import Record
from hexad.records.benchmarks import SubsetName


class StageSummary(Record):
    seconds: float = Field(ge=0)
    status: Literal["done", "cached", "failed"]
    manifest: str = Field(description="Store URI of the stage's tree.")


class Score(Record):
    mean: float
    ci95: tuple[float, float]
    questions: int
    samples: int
    mean_tokens: float
    truncated: float = Field(description="Share of responses cut at the token limit, 0..1.")


class Delta(Record):
    """Score of `to` minus score of `from`, paired by question."""

    from_: str = Field(alias="from")
    to: str
    benchmark: str
    delta: float
    ci95: tuple[float, float]
    p: float

    model_config = ConfigDict(**Record.model_config, populate_by_name=True)


class VerifierSummary(Record):
    pair_accuracy: float
    selected: float
    majority: float
    oracle: float


class SpeculativeSummary(Record):
    acceptance_length: float
    speedup: float
    method: str


class SubsetScores(Record):
    items: int = Field(ge=0)
    scores: dict[str, Score] = Field(description="By cell; none: the subset is empty, or its items were not asked.")


class Overlap(Record):
    """Rows of the raw training data that were an item of the benchmark, and what each part of its items scored."""

    exact: int
    near: int
    items: int
    subsets: dict[SubsetName, SubsetScores] = Field(default_factory=dict)


class Summary(Record):
    recipe: str
    seed: int
    git: str
    stages: dict[str, StageSummary]
    scores: dict[str, dict[str, Score]]
    deltas: list[Delta]
    verifier: VerifierSummary | None
    speculative: SpeculativeSummary | None
    contamination: dict[str, Overlap]

    def to_json(self) -> str:
        return self.model_dump_json(indent=1, by_alias=True)
