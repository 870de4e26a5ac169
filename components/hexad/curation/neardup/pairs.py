"""Candidate pairs from band keys, and which of them are similar indeed."""

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from hexad.curation.neardup.shingles import Words64

Pairs = npt.NDArray[np.int64]

_ALL_PAIRS = 12  # texts under one key; of more, only neighbours and the first are paired


def candidate_pairs(columns: Iterable[Words64]) -> Pairs:
    """Pairs (i < j) of texts that share the key of a band, sorted. One column of keys is held at a time.

    Under a key with many texts (a template, or many copies), each is paired with the first and with the next one: the
    connected components are the same when all are copies, and it takes no quadratic time when they are not.
    """
    found: Pairs = np.zeros((0, 2), np.int64)
    for keys in columns:
        fresh = np.array(sorted(set(_of_band(keys))), np.int64).reshape(-1, 2)
        found = np.unique(np.concatenate((found, fresh)), axis=0) if len(fresh) else found
    return found


def similar(pairs: Pairs, shingles_of: Callable[[int], Words64], threshold: float) -> Iterator[tuple[int, int, float]]:
    """Those of the pairs whose Jaccard similarity is at least `threshold`, with it. `shingles_of`: a sorted set."""
    known = -1
    left = np.zeros(0, np.uint64)
    for first, second in pairs.tolist():
        if first != known:
            left, known = shingles_of(first), first
        right = shingles_of(second)
        if min(len(left), len(right)) < threshold * max(len(left), len(right)):
            continue
        both = len(np.intersect1d(left, right, assume_unique=True))
        union = len(left) + len(right) - both
        if union and both / union >= threshold:
            yield first, second, both / union


def _of_band(keys: Words64) -> Iterator[tuple[int, int]]:
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(keys) else np.zeros(0, int)
    ends = np.concatenate((starts[1:], [len(keys)]))
    several = (ends - starts > 1) & (ordered[starts] != 0) if len(keys) else np.zeros(0, bool)
    for start, end in zip(starts[several].tolist(), ends[several].tolist(), strict=True):
        group = order[start:end].tolist()
        if len(group) <= _ALL_PAIRS:
            yield from combinations(group, 2)
        else:
            yield from ((group[0], other) for other in group[1:])
            yield from pairwise(group)
