"""An engine starts as many threads as there are cores to run them."""

import os
from pathlib import Path

import pytest

from hexad.engines.cores import usable_cores

HERE = len(os.sched_getaffinity(0))


def test_without_a_container_the_affinity_decides(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == HERE


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000", HERE),
        ("100000 100000", 1),
        ("150000 100000", 1),
        ("50000 100000", 1),
        ("99900000 100000", HERE),
    ],
)
def test_a_containers_limit_counts_in_whole_cores(tmp_path: Path, limit: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(f"{limit}\n")
    assert usable_cores(tmp_path) == cores
