"""Scores on the clean and the contaminated items of each benchmark."""

import json
from pathlib import Path

import pytest

from hexad.evaluation.config import EvaluateConfig
from hexad.evaluation.merge_job import run
from hexad.evaluation.questions import read_items
from hexad.evaluation.subsets import summarise_subsets
from hexad.evaluation.summarise import summarise_scores
from hexad.gate.job import read_evidence
from hexad.records import MANIFEST, Overlap, Prompt, Provenance, Rollout, Subsets
from hexad.records.layout import BENCHMARK_ITEMS, BENCHMARKS, PROMPTS
from hexad.records.shards import write_rows
from hexad.stage import Context
from hexad.storage import commit_tree, open_store

from .test_summarise import prompt, rollout

HELD_OUT = [prompt("h1"), prompt("h2"), prompt("h3", "code")]
ITEMS = [prompt("aime/1"), prompt("aime/2"), prompt("aime/3")]
SUBSETS = {
    "aime": Subsets(all=["aime/1", "aime/2", "aime/3"], clean=["aime/2", "aime/3"], contaminated=["aime/1"]),
    "held-out": Subsets(all=["h1", "h2", "h3"], clean=["h1", "h2", "h3"], contaminated=[]),
}
ROLLOUTS = [
    *(rollout(question, score) for question, score in [("h1", 1), ("h2", 0), ("h3", 1)]),
    *(rollout(question, score, i) for i in (0, 1) for question, score in [("aime/1", 1), ("aime/2", 0), ("aime/3", 1)]),
]


def test_each_subset_has_its_items_and_a_score_with_interval_per_cell() -> None:
    found = summarise_subsets({"rlvr": ROLLOUTS}, SUBSETS, seed=0)["aime"]
    means = {name: (one.items, one.scores["rlvr"].mean, one.scores["rlvr"].samples) for name, one in found.items()}
    assert means == {"all": (3, pytest.approx(2 / 3), 6), "clean": (2, 0.5, 4), "contaminated": (1, 1.0, 2)}
    low, high = found["clean"].scores["rlvr"].ci95
    assert low < 0.5 < high


def test_an_empty_subset_has_no_items_and_no_score() -> None:
    found = summarise_subsets({"rlvr": ROLLOUTS}, SUBSETS, seed=0)["held-out"]["contaminated"]
    assert (found.items, found.scores) == (0, {})


def test_a_cell_without_a_verdict_on_a_subset_has_no_score_there() -> None:
    failed = [rollout("aime/1", None), rollout("aime/2", 1)]
    found = summarise_subsets({"rlvr": failed}, SUBSETS, seed=0)["aime"]
    assert found["contaminated"].scores == {} and found["clean"].scores["rlvr"].mean == 1.0


def test_all_held_out_questions_score_as_in_the_table_of_scores() -> None:
    held_out = {p.id: p for p in HELD_OUT}
    score = summarise_scores({"rlvr": ROLLOUTS[:3]}, held_out, seed=5)["rlvr"]["all"]
    assert summarise_subsets({"rlvr": ROLLOUTS}, SUBSETS, seed=5)["held-out"]["all"].scores["rlvr"] == score


def data_tree(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / PROMPTS["test"], HELD_OUT, Prompt)
    write_rows(folder / BENCHMARK_ITEMS, ITEMS, Prompt)
    (folder / BENCHMARKS).write_text(json.dumps({name: one.model_dump() for name, one in SUBSETS.items()}))
    counts = {"aime": {"exact": 1, "near": 0, "items": 3}, "held-out": {"exact": 0, "near": 0, "items": 3}}
    (folder / "card.json").write_text(json.dumps({"contamination": counts}))
    return folder


def test_benchmarks_are_asked_all_or_by_name_and_only_items_that_can_be_graded(tmp_path: Path) -> None:
    data = data_tree(tmp_path)
    assert [p.id for p in read_items(data, None)] == ["aime/1", "aime/2", "aime/3"]
    assert read_items(data, []) == []
    open_item = ITEMS[0].model_copy(update={"gold": ITEMS[0].gold.model_copy(update={"value": None})})
    write_rows(data / BENCHMARK_ITEMS, [open_item, ITEMS[1]], Prompt)
    assert [p.id for p in read_items(data, ["aime"])] == ["aime/2"]


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """The tree of `scores` over one group that asked held-out questions and benchmark items."""
    store = open_store(f"file://{tmp_path}")
    group = tmp_path / "group"
    group.mkdir()
    write_rows(group / "rlvr.parquet", ROLLOUTS, Rollout)
    inputs = {}
    for name, folder in {"data": data_tree(tmp_path / "data"), "served": group}.items():
        manifest = commit_tree(store, folder, f"file://{tmp_path}/store/{name}", Provenance(stage=name, seed=0), {})
        inputs[name] = tmp_path / "in" / name
        inputs[name].mkdir(parents=True)
        (inputs[name] / MANIFEST).write_text(manifest.to_json())
    context = Context(run="test", store=f"file://{tmp_path}/store", work=str(tmp_path / "work"))
    result = run(EvaluateConfig(cells=("rlvr",)), context, {name: str(path) for name, path in inputs.items()})
    return Path(result.manifest.uri.removeprefix("file://"))


def test_the_scores_tree_says_what_each_subset_scored(merged: Path) -> None:
    found = json.loads((merged / "scores.json").read_text())["contamination"]
    aime = Overlap.model_validate(found["aime"])
    assert (aime.exact, aime.items, aime.subsets["clean"].scores["rlvr"].mean) == (1, 3, 0.5)
    assert found["held-out"]["subsets"]["contaminated"] == {"items": 0, "scores": {}}


def test_items_of_benchmarks_do_not_count_among_the_held_out_questions(merged: Path) -> None:
    scores = json.loads((merged / "scores.json").read_text())["scores"]["rlvr"]
    assert (scores["all"]["questions"], scores["all"]["mean"]) == (3, pytest.approx(2 / 3))
    assert len(json.loads((merged / "lengths.json").read_text())["rlvr"]) == 3


def test_the_gate_reads_the_overlap_beside_the_scores(merged: Path) -> None:
    assert sum(one.exact for one in read_evidence(merged).contamination.values()) == 1
