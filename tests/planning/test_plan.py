"""What a plan says of whole runs: what would not work, and what more hardware buys."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.planning.recipes import merged, profile, recipe

from hexad.pipelines.profile import Profile
from hexad.pipelines.settings import box_settings
from hexad.planning.config import Assumptions, ModelShape
from hexad.planning.hardware import UnknownCard, devices
from hexad.planning.model import UnknownModel, kv_bytes, parameters, read_shape, shape_of, training_flops
from hexad.planning.plan import plan_run
from hexad.planning.rows import RunPlan
from hexad.stage.boxes import SECTIONS

MISFITS = [json.loads(line) for line in Path(__file__).with_name("misfits.jsonl").read_text().splitlines()]
PROFILES = sorted(path.stem for path in Path("profiles").glob("*.yaml"))
RECIPES = sorted(path.stem for path in Path("recipes").glob("*.yaml"))


def site(case: dict[str, Any]) -> Profile:
    """A case's profile with its changes."""
    over: dict[str, Any] = {}
    for role, field, key in (
        ("train", "accelerators", "accelerators"),
        ("train", "memory", "train_memory"),
        ("serve", "accelerators", "serve_accelerators"),
    ):
        if key in case:
            over = merged(over, {"placement": {role: {field: case[key]}}})
    if "timeout_s" in case:
        over = merged(over, {"tasks": {"timeout_s": case["timeout_s"]}})
    return profile(case["profile"], over)


def small(gpus: int = 1, **assumptions: Any) -> RunPlan:
    """A small model's plan on H100s: everything fits on one."""
    plans = recipe("smollm2-135m", {"plan": {"assumptions": {"prompt_tokens": 100, **assumptions}}})
    over = {"placement": {role: {"accelerators": gpus} for role in ("train", "serve")}}
    return plan_run(plans, profile("gke", over))


@pytest.mark.parametrize("case", MISFITS, ids=lambda case: case["name"])
def test_what_does_not_fit_is_named_with_its_mend(case: dict[str, Any]) -> None:
    found = plan_run(recipe("k2-think-32b", case["recipe"]), site(case)).problems
    mends = [problem.mend for problem in found if problem.stage == case["stage"] and case["says"] in problem.what]
    assert mends, "\n".join(map(str, found))
    assert case["mend"] in mends[0]


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("where", PROFILES)
def test_every_recipe_can_be_planned_for_every_profile(name: str, where: str) -> None:
    found = plan_run(recipe(name), profile(where))
    assert [row.stage for row in found.stages if row.stage != "endpoint"] == list(SECTIONS)
    assert all(row.hours is None or row.hours >= 0 for row in found.stages)
    assert found.hours > 0


@pytest.mark.parametrize("name", ["tiny", "quickstart"])
def test_nothing_speaks_against_the_recipes_that_run_on_one_machine(name: str) -> None:
    assert plan_run(recipe(name), profile("local")).problems == ()


def test_a_plan_agrees_with_the_run_whose_report_is_committed() -> None:
    """Within a factor of three: the machine was shared, and the assumptions are the defaults."""
    measured = json.loads(Path("docs/smollm2-135m/summary.json").read_text())["stages"]
    found = plan_run(recipe("smollm2-135m"), profile("local"))
    hours = sum(stage["seconds"] for stage in measured.values()) / 3600
    print(f"planned {found.hours:.2f} h, measured {hours:.2f} h")
    assert hours / 3 < found.hours < hours * 3


def test_the_plan_section_changes_no_stage_and_no_cache_key() -> None:
    before, after = recipe("tiny"), recipe("tiny", {"plan": {"assumptions": {"prompt_tokens": 7}}})
    assert box_settings(before, profile("kind")) == box_settings(after, profile("kind"))


def test_a_stage_that_is_switched_off_takes_no_time() -> None:
    found = plan_run(recipe("smollm2-135m", {"rlvr": {"enabled": False}}), profile("local"))
    assert {row.stage: (row.hours, row.note) for row in found.stages}["rlvr"] == (0.0, "off")


def test_an_endpoint_outside_the_cluster_needs_no_gpu() -> None:
    assert "endpoint" not in [row.stage for row in plan_run(recipe("tiny"), profile("cerebras")).stages]


def test_a_card_is_found_by_the_profile_s_node_selector() -> None:
    named = profile(
        "gke", {"placement": {"train": {"node_selector": {"cloud.google.com/gke-accelerator": "nvidia-l4"}}}}
    )
    assert devices(named.placement["train"], Assumptions()).label == "8 x L4"
    assert devices(named.placement["train"], Assumptions(gpu="H200")).label == "8 x H200"
    assert devices(profile("aks").placement["train"], Assumptions(unnamed_gpu="A100")).label == "8 x A100"


def test_an_unknown_card_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownCard, match="'Z9'; known cards are H100, H200, A100, L4"):
        small(gpu="Z9")


def test_a_model_that_cannot_be_read_here_must_be_described() -> None:
    with pytest.raises(UnknownModel, match=r"s3://hexad/models/qwen2.5-7b cannot be read here; copy hidden_size"):
        shape_of(recipe("qwen2.5-7b").curate.base, None)


def test_a_mixture_of_experts_is_refused(tmp_path: Path) -> None:
    config = {"hidden_size": 64, "num_experts": 8}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UnknownModel, match="num_experts is set; only dense models"):
        read_shape(tmp_path / "config.json")


shapes = st.builds(
    ModelShape,
    hidden_size=st.sampled_from([64, 128, 1024]),
    intermediate_size=st.integers(64, 8192),
    num_hidden_layers=st.integers(1, 80),
    num_attention_heads=st.sampled_from([1, 2, 8]),
    vocab_size=st.integers(256, 200_000),
    max_position_embeddings=st.just(4096),
    tie_word_embeddings=st.booleans(),
)


@given(shapes, st.integers(1, 80))
def test_a_draft_is_never_larger_than_its_target(shape: ModelShape, layers: int) -> None:
    assert parameters(shape, layers) <= parameters(shape)
    assert kv_bytes(shape, "bfloat16", layers) <= kv_bytes(shape, "bfloat16")


@given(shapes, st.floats(1, 1e12), st.floats(0, 1e5))
def test_longer_sequences_never_cost_less(shape: ModelShape, tokens: float, length: float) -> None:
    assert training_flops(shape, tokens, length) <= training_flops(shape, tokens, length + 1)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 64), st.integers(0, 64), st.booleans())
def test_more_gpus_never_mean_more_hours_or_more_memory(gpus: int, more: int, sharded: bool) -> None:
    few, many = small(gpus, sharded=sharded), small(gpus + more, sharded=sharded)
    assert many.hours <= few.hours * (1 + 1e-9)
    for before, after in zip(few.stages, many.stages, strict=True):
        assert (after.hours or 0) <= (before.hours or 0) * (1 + 1e-9)
        if after.stage != "endpoint":  # its KV cache takes what is there
            assert (after.memory_gb or 0) <= (before.memory_gb or 0) * (1 + 1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 0.5), st.floats(0.0, 0.5))
def test_better_utilisation_never_means_more_hours(low: float, more: float) -> None:
    assert small(training_utilisation=low + more).hours <= small(training_utilisation=low).hours * (1 + 1e-9)


def test_checkpointing_trades_memory() -> None:
    """Model FLOPs are counted, so the hours stay."""
    plain, saving = small(), small(checkpointing=True)
    memory = [{row.stage: row.memory_gb or 0 for row in found.stages} for found in (plain, saving)]
    assert memory[1]["sft"] < memory[0]["sft"]
    assert saving.hours == plain.hours
