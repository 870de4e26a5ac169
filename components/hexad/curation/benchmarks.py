"""Benchmarks that training data is held against, and which of their items stayed clean."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hexad.curation.corpus.clean import ContaminationHit
from hexad.curation.corpus.config import BenchmarkConfig
from hexad.curation.readers import SourceConfig, read_source
from hexad.curation.readers.remote import localise
from hexad.records import Prompt, Reject, Subsets

HELD_OUT = "held-out"


def read_benchmarks(
    held_out: list[Prompt], published: Iterable[BenchmarkConfig], scratch: Path
) -> tuple[dict[str, list[Prompt]], list[Reject]]:
    """Items of the recipe's own questions and of each published benchmark; and rows of their files that are none."""
    items, rejects = {HELD_OUT: held_out}, list[Reject]()
    for one in published:
        items[one.name], unread = read_benchmark(one.name, localise(one.source, scratch / one.name))
        rejects += unread
    return items, rejects


def read_benchmark(name: str, source: SourceConfig) -> tuple[list[Prompt], list[Reject]]:
    """Items, and rows that are none. Raises SourceError; ValueError when no item is left or an id comes twice."""
    found = list(read_source(source))
    items = [row for row in found if isinstance(row, Prompt)]
    if not items:
        raise ValueError(f"benchmarks: {name}: no row of {source.path} is a question; correct `kind`")
    twice = [id_ for id_, count in Counter(item.id for item in items).items() if count > 1]
    if twice:
        raise ValueError(f"benchmarks: {name}: id {twice[0]!r} comes twice; give each item its own")
    return items, [row for row in found if isinstance(row, Reject)]


def published_items(benchmarks: Mapping[str, Sequence[Prompt]]) -> list[Prompt]:
    """Items of all benchmarks but the recipe's own. ValueError when two share an id: answers would mix."""
    owner: dict[str, str] = {}
    for name, items in benchmarks.items():
        for item in items:
            if owner.setdefault(item.id, name) != name:
                raise ValueError(
                    f"benchmarks: {owner[item.id]} and {name} both have item {item.id!r}; give their sources other ids"
                )
    return [item for name, items in benchmarks.items() if name != HELD_OUT for item in items]


def dated_hits(name: str, items: Iterable[Prompt], sources: Sequence[SourceConfig]) -> list[ContaminationHit]:
    """Items not newer than the newest question of a source: whether they were trained on cannot be told by text."""
    return [
        ContaminationHit(benchmark=name, item=item.id, row=source.id, method="date", score=1.0)
        for item in items
        for source in sources
        if item.date and source.newest and item.date <= source.newest.isoformat()
    ]


def subsets(items: Mapping[str, Sequence[Prompt]], hits: Iterable[ContaminationHit]) -> dict[str, Subsets]:
    """By benchmark, in the order of its items."""
    hit: dict[str, set[str]] = {name: set() for name in items}
    for one in hits:
        hit[one.benchmark].add(one.item)
    return {
        name: Subsets(
            all=[item.id for item in found],
            clean=[item.id for item in found if item.id not in hit[name]],
            contaminated=[item.id for item in found if item.id in hit[name]],
        )
        for name, found in items.items()
    }


def overlap(items: Mapping[str, Sequence[Prompt]], hits: Iterable[ContaminationHit]) -> dict[str, dict[str, int]]:
    """Training rows that were items, by how they were found: exact or near (all other ways by text)."""
    found = {name: {"exact": 0, "near": 0, "items": len(rows)} for name, rows in items.items()}
    methods: dict[tuple[str, str], bool] = {}
    for hit in hits:
        if hit.method != "date":
            key = (hit.benchmark, hit.row)
            methods[key] = methods.get(key, False) or hit.method == "exact"
    for (name, _), exact in methods.items():
        found[name]["exact" if exact else "near"] += 1
    return found
