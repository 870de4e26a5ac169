"""MinHash sketches of many texts at once, and the keys under which similar texts meet.

Fast similarity sketching (Dahlgaard, Knudsen and Thorup, FOCS 2017, arXiv 1704.04370): in each round every shingle
falls into one bin and each bin keeps its minimum; rounds go on until no bin is empty. A long text needs one round where
k independent hash functions would need k, and two texts agree in a bin with the probability of their Jaccard
similarity, as in MinHash.

24 bands of 6 bins: texts of similarity 0.8 meet with probability 1 - (1 - 0.8**6)**24 = 0.9993, of similarity 0.5 with
0.31, of 0.3 with 0.02. Those who meet are compared in full.
"""

import numpy as np

from hexad.curation.neardup.shingles import Shingles, Words64, mix

BANDS, ROWS = 24, 6
BINS = BANDS * ROWS
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)


def sketch(shingles: Shingles) -> Words64:
    """Minima, (texts, BINS). A text without shingles has all ones."""
    minima = np.full(len(shingles) * BINS, _EMPTY, np.uint64)
    counts = np.diff(shingles.offsets)
    owner = np.repeat(np.arange(len(shingles)), counts)
    values = shingles.values
    for turn in range(2 * BINS):
        hashes = mix(values + np.uint64((turn + 1) * 0xD1B54A32D192ED03 & 0xFFFFFFFFFFFFFFFF))
        # After BINS rounds each round fills one bin, so that the fewest shingles end too.
        bins = (hashes >> np.uint64(40)) % np.uint64(BINS) if turn < BINS else np.full(len(hashes), turn - BINS)
        ranked = np.uint64(turn << 40) | (hashes & np.uint64((1 << 40) - 1))  # a later round never beats an earlier
        np.minimum.at(minima, owner * BINS + bins.astype(np.int64), ranked)
        open_ = (minima.reshape(-1, BINS) == _EMPTY).any(axis=1) & (counts > 0)
        left = open_[owner]
        if not left.any():
            break
        owner, values = owner[left], values[left]
    return minima.reshape(-1, BINS)


def band_keys(shingles: Shingles) -> Words64:
    """(texts, BANDS): texts with the same key in a column are candidates. A text without shingles has keys of 0."""
    minima = sketch(shingles).reshape(-1, BANDS, ROWS)
    keys = np.zeros(minima.shape[:2], np.uint64)
    with np.errstate(over="ignore"):
        for row in range(ROWS):
            keys = mix(keys * np.uint64(0x9E3779B97F4A7C15) + minima[:, :, row])
    keys[np.diff(shingles.offsets) == 0] = 0
    return keys
