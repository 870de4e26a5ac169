"""What rows are held against: the benchmarks' items, as files that every process of a corpus reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hexad.curation.contamination import Decontaminator
from hexad.curation.filters import question_of
from hexad.records import Prompt
from hexad.records.shards import read_rows, write_rows


def write_benchmarks(benchmarks: Mapping[str, Sequence[Prompt]], folder: Path) -> None:
    """One file of items for each benchmark."""
    for name, items in benchmarks.items():
        write_rows(folder / f"{name}.parquet", items, Prompt)


def read_benchmark_items(folder: Path) -> dict[str, list[Prompt]]:
    """What `write_benchmarks` wrote, by name."""
    return {path.stem: read_rows(path, Prompt) for path in sorted(folder.glob("*.parquet"))}


def judges_of(benchmarks: Mapping[str, Sequence[Prompt]]) -> dict[str, Decontaminator]:
    return {name: Decontaminator((item.id, question_of(item)) for item in items) for name, items in benchmarks.items()}
