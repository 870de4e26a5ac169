"""Which accelerators an engine takes, and how many of them can share a model."""

import json
from pathlib import Path

import pytest

from hexad.engines import gpus
from hexad.engines.gpus import tensor_parallel, visible_gpus


@pytest.fixture
def gpu_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where vLLM is the GPU build, which this machine cannot have."""
    monkeypatch.setattr(gpus, "_installed", lambda distribution: False)


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    return tmp_path


def test_the_cpu_build_uses_none(devices: Path) -> None:
    assert visible_gpus({}, devices) == 0


@pytest.mark.parametrize(
    ("environment", "count"),
    [({}, 2), ({"CUDA_VISIBLE_DEVICES": "1"}, 1), ({"CUDA_VISIBLE_DEVICES": "0,3,GPU-5a"}, 3),
     ({"CUDA_VISIBLE_DEVICES": ""}, 0), ({"CUDA_VISIBLE_DEVICES": "-1"}, 0)],
)  # fmt: skip
def test_devices_are_counted_unless_the_environment_names_them(
    gpu_build: None, devices: Path, environment: dict[str, str], count: int
) -> None:
    assert visible_gpus(environment, devices) == count


@pytest.mark.parametrize(
    ("heads", "kv_heads", "given", "used"),
    [(40, 8, 8, 8), (28, 4, 8, 4), (28, 4, 2, 2), (28, 4, 3, 2), (9, 3, 8, 3), (8, None, 8, 8), (7, 7, 4, 1)],
)
def test_as_many_share_a_model_as_divide_its_heads(
    tmp_path: Path, heads: int, kv_heads: int | None, given: int, used: int
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"num_attention_heads": heads, "num_key_value_heads": kv_heads}))
    assert tensor_parallel(given, tmp_path) == used
