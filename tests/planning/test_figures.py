"""The arithmetic of a plan against figures worked out by hand."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.planning.recipes import profile, recipe

from hexad.deployment.quantity import quantity
from hexad.planning.amounts import data_of, lossless_responses, rollouts, sft_rows
from hexad.planning.config import Assumptions
from hexad.planning.hardware import cards
from hexad.planning.memory import activation_bytes, training_memory
from hexad.planning.model import BYTES, kv_bytes, parameters, shape_of, training_flops
from hexad.planning.plan import plan_run
from hexad.pretraining.architecture import model_config

HERE = Path(__file__).parent
FIGURES = [json.loads(line) for line in (HERE / "figures.jsonl").read_text().splitlines()]
QUANTITIES = [json.loads(line) for line in (HERE / "quantities.jsonl").read_text().splitlines()]
RECIPES = {"qwen2.5-32b": "k2-think-32b", "qwen2.5-7b": "qwen2.5-7b", "smollm2-135m": "smollm2-135m"}


def computed(model: str, what: str) -> float:
    plans = recipe(RECIPES[model])
    shape, _ = shape_of(plans.curate.base, plans.plan.model)

    def states(dtype: str, devices: int = 1, sharded: bool = False) -> float:
        return training_memory(shape, dtype, 0, 0, devices, Assumptions(sharded=sharded)).states

    ways: dict[str, Callable[[], Any]] = {
        "parameters": lambda: parameters(shape),
        "draft parameters": lambda: parameters(shape, 4),
        "weights": lambda: parameters(shape) * BYTES["bfloat16"],
        "training states": lambda: states("bfloat16"),
        "training states in float32": lambda: states("float32"),
        "training states over 8 GPUs": lambda: states("bfloat16", 8, sharded=True),
        "kv bytes": lambda: kv_bytes(shape, "bfloat16"),
        "activation bytes": lambda: activation_bytes(shape, "bfloat16", shape.num_hidden_layers, False),
        "activation bytes with checkpointing": lambda: activation_bytes(
            shape, "bfloat16", shape.num_hidden_layers, True
        ),
        "FLOPs a token": lambda: training_flops(shape, 1, 0),
        "FLOPs a token at 4,815 tokens": lambda: training_flops(shape, 1, 4815),
        "sft tokens": lambda: sft_rows(plans, data_of(plans)).tokens,
        "sft hours on 8 H100": lambda: next(
            row.hours for row in plan_run(plans, profile("gke")).stages if row.stage == "sft"
        ),
        "rollouts": lambda: rollouts(plans),
        "responses that prove losslessness": lambda: lossless_responses(plans),
        "packed rows": lambda: sft_rows(plans, data_of(plans)).rows,
    }
    return float(ways[what]())


@pytest.mark.parametrize("case", FIGURES, ids=lambda case: f"{case['what']} of {case['model']}")
def test_a_figure_is_what_the_hand_finds(case: dict[str, Any]) -> None:
    assert computed(case["model"], case["what"]) == pytest.approx(case["expect"], rel=1e-4)


@pytest.mark.parametrize("case", QUANTITIES, ids=lambda case: case["text"])
def test_kubernetes_quantities_are_numbers(case: dict[str, Any]) -> None:
    assert float(quantity(case["text"])) == pytest.approx(case["number"])


def test_the_parameters_of_a_real_model_are_those_in_its_file() -> None:
    """The header of a safetensors file: eight bytes of length, then JSON with each tensor's shape."""
    weights = Path("models/quickstart-base/model.safetensors").read_bytes()
    header = json.loads(weights[8 : 8 + int.from_bytes(weights[:8], "little")])
    header.pop("__metadata__", None)
    shape, place = shape_of(recipe("quickstart").curate.base, None)
    assert place == "models/quickstart-base/config.json"
    assert parameters(shape) == sum(math.prod(tensor["shape"]) for tensor in header.values())


def test_a_random_base_model_has_the_shape_that_curate_gives_it() -> None:
    base = recipe("tiny").curate.base
    shape, _ = shape_of(base, None)
    made = model_config(base.vocab, base.layers, base.hidden, 0, 1).to_dict()
    mine = shape.model_dump(exclude={"head_dim", "attention_bias"})
    assert mine == {name: made[name] for name in mine}


@pytest.mark.parametrize("name", [name for name in cards() if name != "CPU"])
def test_every_card_says_where_its_figures_are_from(name: str) -> None:
    card = cards()[name]
    assert "datasheet" in card.source
    assert card.bfloat16_tflops > card.float32_tflops > 0
    assert card.memory_gb > 0
