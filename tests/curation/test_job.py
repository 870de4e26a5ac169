"""The curate stage with real sources and a benchmark beside the generated questions."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest

from hexad.curation.benchmarks import published_items
from hexad.curation.config import CurateConfig
from hexad.curation.corpus.clean import ContaminationHit
from hexad.curation.job import run
from hexad.records import Prompt, Reject, Trace
from hexad.records.layout import BENCHMARK_ITEMS, BENCHMARKS, CONTAMINATION, PROMPTS, REJECTS, TRACES, TRAIN_TOKENS
from hexad.records.shards import read_rows
from hexad.stage import Context

from .corpus.made import am_row, guru_row, items, question, response, write_jsonl

TRACED, PROMPTED = 40, 20


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stage leaves: generated rows, two sources, and a benchmark of which three items leaked."""
    folder = tmp_path_factory.mktemp("curate")
    rng = Random(4)
    asked = [question(rng) for _ in range(TRACED + PROMPTED)]
    write_jsonl(folder / "math.jsonl", [*(am_row(text, response(rng)) for text in asked[:TRACED]), "{broken"])
    write_jsonl(folder / "guru.jsonl", [guru_row(text, "4") for text in asked[TRACED:]])
    leaked = [asked[0], f"Solve: {asked[1]}", asked[TRACED]]
    rows: list[dict[str, Any]] = [{"id": n, "problem": text, "answer": "1"} for n, text in enumerate(leaked)]
    rows += [
        {"id": "old", "problem": "An item that nobody trained on", "answer": "2", "date": "2024-07-31T00:00:00"},
        {"id": "new", "problem": "Another item that nobody trained on", "answer": "2", "date": "2025-02-01"},
    ]
    write_jsonl(folder / "bench.jsonl", rows)

    def source(name: str, kind: str, **more: Any) -> dict[str, Any]:
        return {"id": f"org/{name}", "revision": "r1", "path": str(folder / f"{name}.jsonl"), "kind": kind, **more}

    config = CurateConfig.model_validate({
        "base": {"kind": "random", "vocab": 400},
        "generated": {"traces": 14, "prompts": 7, "validation": 6, "test": 6},
        "sources": [
            source("math", "am_thinking", licence="Apache-2.0"),
            source("guru", "guru", newest="2024-09-30"),
        ],
        "corpus": {"benchmarks": [{"name": "aime", "source": source("bench", "questions", domain="math")}]},
        "max_tokens": 2000,
        "pack_tokens": 2048,
    })  # fmt: skip
    context = Context(run="test", store=f"file://{folder}/store", seed=3, work=str(folder / "work"))
    result = run(config, context, {})
    return Path(result.manifest.uri.removeprefix("file://"))


def test_rows_of_the_sources_follow_the_generated_ones(tree: Path) -> None:
    traces = [row.source for row in read_rows(tree / TRACES, Trace)]
    prompts = [row.source for row in read_rows(tree / PROMPTS["train"], Prompt)]
    assert traces[-(TRACED - 2) :] == ["org/math:made"] * (TRACED - 2) and "org/math:made" not in traces[: -TRACED + 2]
    assert prompts[-(PROMPTED - 1) :] == ["org/guru:math__made"] * (PROMPTED - 1) and len(prompts) == 7 + PROMPTED - 1


def test_every_row_of_the_sources_is_kept_or_rejected(tree: Path) -> None:
    rejects = [row for row in read_rows(tree / REJECTS, Reject) if row.row.startswith("org/")]
    assert sorted((r.stage, r.reason) for r in rejects) == [
        ("decontaminate", "benchmark question (13-gram)"),
        ("decontaminate", "benchmark question (exact)"),
        ("decontaminate", "benchmark question (exact)"),
        ("read", "bad JSON"),
    ]


def test_each_benchmark_has_its_clean_and_contaminated_items(tree: Path) -> None:
    subsets = json.loads((tree / BENCHMARKS).read_text())
    ids = {name: [id_.removeprefix("org/bench/") for id_ in found] for name, found in subsets["aime"].items()}
    assert ids == {
        "all": ["0", "1", "2", "old", "new"],
        "clean": ["new"],
        "contaminated": ["0", "1", "2", "old"],
    }
    assert set(subsets) == {"aime", "held-out"} and len(subsets["held-out"]["all"]) == 6


def test_items_of_published_benchmarks_are_there_to_be_asked(tree: Path) -> None:
    items = read_rows(tree / BENCHMARK_ITEMS, Prompt)
    assert [item.id for item in items] == json.loads((tree / BENCHMARKS).read_text())["aime"]["all"]


def test_two_benchmarks_with_the_same_item_id_are_refused() -> None:
    with pytest.raises(ValueError, match="a and b both have item 'item-0'; give their sources other ids"):
        published_items({"a": items("one?"), "b": items("two?")})


def test_a_hit_names_item_row_method_and_score(tree: Path) -> None:
    hits = [hit for hit in read_rows(tree / CONTAMINATION, ContaminationHit) if hit.benchmark == "aime"]
    assert [(hit.item.rpartition("/")[2], hit.method) for hit in hits] == [
        ("old", "date"), ("0", "exact"), ("1", "13-gram"), ("2", "exact"),
    ]  # fmt: skip
    assert hits[0].row == "org/guru" and all(hit.score > 0.6 for hit in hits)


def test_packed_rows_hold_all_tokens_of_all_traces(tree: Path) -> None:
    table = pq.read_table(tree / TRAIN_TOKENS).to_pydict()
    lengths = sorted(length for row in table["seq_lengths"] for length in row)
    assert lengths == sorted(row.tokens for row in read_rows(tree / TRACES, Trace))
    assert all(len(ids) == sum(row) <= 2048 for ids, row in zip(table["input_ids"], table["seq_lengths"], strict=True))


def test_the_card_tells_counts_sources_and_contamination(tree: Path) -> None:
    card = json.loads((tree / "card.json").read_text())
    assert card["contamination"]["aime"] == {"exact": 2, "near": 1, "items": 5}
    assert {one["source"]: (one["rows"], one["licence"]) for one in card["licences"]}["org/math:made"] == (
        38,
        "Apache-2.0",
    )
    kept = sum(card["counts"]["traces"].values()) + sum(card["counts"]["prompts (train)"].values())
    assert card["funnel"][-1][1] == kept and card["funnel"][0][1] == kept + 4
    text = (tree / "card.md").read_text()
    assert "█" in text and "read: bad JSON" in text and "Apache-2.0" in text
