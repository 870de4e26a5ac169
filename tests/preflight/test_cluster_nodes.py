"""Which nodes can take a role's tasks; the cases lie in nodes.jsonl and quantities.jsonl."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.deployment.quantity import quantity
from hexad.preflight.cluster.facts import Answer
from hexad.preflight.cluster.needs import PoolNeed
from hexad.preflight.cluster.nodes import CUDA_MAJOR, pool

CASES = [json.loads(line) for line in (Path(__file__).parent / "nodes.jsonl").read_text().splitlines()]
QUANTITIES = [json.loads(line) for line in (Path(__file__).parent / "quantities.jsonl").read_text().splitlines()]
WANTED = {
    "cpu": "96", "memory": "1200Gi", "accelerator": "nvidia.com/gpu", "accelerators": 8,
    "node_selector": {"pool": "h100"}, "tolerations": [{"key": "gpu"}],
}  # fmt: skip
OFFERED = {"cpu": "128", "memory": "2Ti", "nvidia.com/gpu": "8"}


def node(given: dict[str, Any]) -> dict[str, Any]:
    """A node as the API server shows it: one of the wanted pool, unless the case says otherwise."""
    return {
        "metadata": {"name": given["name"], "labels": {"pool": "h100", **given.get("labels", {})}},
        "spec": {"taints": given.get("taints")},
        "status": {
            "allocatable": given.get("allocatable", OFFERED),
            "capacity": given.get("capacity", given.get("allocatable", OFFERED)),
            "conditions": [{"type": "Ready", "status": given.get("ready", "True")}],
        },
    }


def need(case: dict[str, Any]) -> PoolNeed:
    terms = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": case.get("affinity")}}
    return PoolNeed.model_validate({
        "role": "train", "placement": WANTED | case.get("placement", {}), "anywhere": case.get("anywhere", False),
        "affinity": terms if "affinity" in case else {},
    })  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["behaviour"])
def test_nodes(case: dict[str, Any]) -> None:
    answer = Answer(200, {"items": [node(given) for given in case["nodes"]]})
    found = pool(need(case), answer, case.get("on_demand", False), case.get("scratch_gib", 0.0))
    assert found.check == "nodes for train"
    assert found.found.startswith(case["found"])
    assert case.get("mend", "") in found.mend
    assert bool(found.mend) == ("mend" in case)
    assert found.judged == case.get("judged", True)


def test_nodes_that_may_not_be_listed_are_not_judged() -> None:
    found = pool(need({}), Answer(403, said="GET /api/v1/nodes: HTTP 403"), on_demand=False)
    assert (found.found, found.result) == ("GET /api/v1/nodes: HTTP 403", "not checked")


def test_the_images_cuda_is_the_one_that_drivers_are_measured_by() -> None:
    lock = Path("requirements/train-gpu.txt").read_text()
    assert re.findall(r"^cuda-toolkit==(\d+)\.", lock, re.MULTILINE) == [str(CUDA_MAJOR)]


@pytest.mark.parametrize("case", QUANTITIES, ids=lambda case: case["text"])
def test_a_quantity(case: dict[str, str]) -> None:
    assert quantity(case["text"]) == Decimal(case["value"])


@pytest.mark.parametrize("text", ["", "Gi", "8 GB", "8KiB", "1e", "ten"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no Kubernetes quantity"):
        quantity(text)


@given(st.integers(0, 10**9), st.sampled_from(["", "k", "M", "G", "Ki", "Mi", "Gi"]))
def test_a_larger_number_is_a_larger_quantity(number: int, unit: str) -> None:
    assert quantity(f"{number}{unit}") < quantity(f"{number + 1}{unit}")
