"""Connected components of similar texts."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def clusters(pairs: Iterable[tuple[int, int]], count: int) -> npt.NDArray[np.int64]:
    """For each of `count` texts the smallest index in its component. Union-find with path halving."""
    parent = np.arange(count)

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = int(parent[index])
        return index

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    while (parent[parent] != parent).any():
        parent = parent[parent]
    return parent
