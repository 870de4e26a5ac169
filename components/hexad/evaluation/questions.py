"""What the cells are asked: the recipe's held-out questions, and the items of its benchmarks."""

import json
from collections.abc import Sequence
from pathlib import Path

from hexad.records import Prompt, Subsets
from hexad.records.layout import BENCHMARK_ITEMS, BENCHMARKS, PROMPTS
from hexad.records.shards import read_rows


def read_held_out(data: Path) -> list[Prompt]:
    """The questions that scores and differences are about. `data`: the tree of curate."""
    return read_rows(data / PROMPTS["test"], Prompt)


def read_items(data: Path, wanted: Sequence[str] | None) -> list[Prompt]:
    """Items of the benchmarks named in `wanted` (None: of all) that have a reference answer to be graded by."""
    chosen = {
        item for name, found in read_subsets(data).items() if wanted is None or name in wanted for item in found.all
    }
    items = read_rows(data / BENCHMARK_ITEMS, Prompt)
    return [item for item in items if item.id in chosen and item.gold.value is not None]


def read_subsets(data: Path) -> dict[str, Subsets]:
    """By benchmark, the recipe's own held-out questions among them."""
    found = json.loads((data / BENCHMARKS).read_bytes())
    return {name: Subsets.model_validate(ids) for name, ids in found.items()}
