"""What every engine that generates text offers."""

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import Field

from hexad.records import Message, Record


class Sampling(Record):
    """Sampling parameters. Every one is always sent: servers fill gaps with a model's generation_config."""

    n: int = Field(1, ge=1, description="Samples per prompt.")
    temperature: float = Field(1.0, ge=0, description="0 is greedy.")
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int = Field(256, gt=0, description="Tokens generated at most, per sample.")
    seed: int = Field(0, description="Sample i of prompt j uses seed + j * n + i where the engine can.")


class Completion(Record):
    """One sampled continuation."""

    text: str
    tokens: int = Field(ge=0)
    finish_reason: Literal["stop", "length", "error"]


class Engine(Protocol):
    """Generates `sampling.n` completions for each conversation, in order."""

    def generate(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> list[list[Completion]]: ...
