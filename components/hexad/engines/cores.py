"""The processor cores that this process may use."""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = _CGROUP) -> int:
    """Cores by affinity and, in a container, by its CPU limit: a pod sees all cores of its node and may use few.

    `cpu.max` is "<quota> <period>" in microseconds, or "max <period>" without a limit:
    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
    """
    cores = len(os.sched_getaffinity(0))
    limit = cgroup / "cpu.max"
    if not limit.is_file():
        return cores
    quota, period = limit.read_text().split()
    return cores if quota == "max" else max(1, min(cores, math.floor(int(quota) / int(period))))
