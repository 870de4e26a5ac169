"""Settings of the evaluate stage."""

from typing import Literal

from pydantic import Field

from hexad.records import Record

Cell = Literal[
    "base",
    "sft",
    "rlvr",
    "rlvr+plan",
    "rlvr+bo3",
    "rlvr+plan+bo3",
    "rlvr+spec",
    "rlvr+plan+spec",
    "rlvr+bo3+spec",
    "rlvr+plan+bo3+spec",
]
ALL_CELLS: tuple[Cell, ...] = (
    "base",
    "sft",
    "rlvr",
    "rlvr+plan",
    "rlvr+bo3",
    "rlvr+plan+bo3",
    "rlvr+spec",
    "rlvr+plan+bo3+spec",
)
Group = Literal["base", "sft", "served", "speculative"]


class EvaluateConfig(Record):
    """Every benchmark times every cell, several samples each."""

    cells: tuple[Cell, ...] = Field(ALL_CELLS, min_length=1, description="What is compared.")
    benchmarks: tuple[str, ...] | None = Field(
        None,
        description="Benchmarks of curate.corpus.benchmarks whose items are asked beside the held-out questions; "
        "none: all of them.",
    )
    samples: int = Field(4, ge=1, description="Samples per question and cell.")
    temperature: float = Field(1.0, ge=0, description="Sampling temperature.")
    top_p: float = Field(1.0, gt=0, le=1, description="Nucleus of sampling.")
    max_tokens: int = Field(128, gt=0, description="Tokens of a response at most.")
    concurrency: int = Field(48, ge=1, description="Questions in flight at once.")
    examples: int = Field(6, ge=0, description="Questions whose responses are shown in the report.")


def group_of(cell: Cell) -> Group:
    """The engine that a cell needs: cells of one group share it."""
    if cell in ("base", "sft"):
        return cell
    return "speculative" if cell.endswith("+spec") else "served"
