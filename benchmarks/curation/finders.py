"""Near-duplicate finders under one interface: texts in, pairs out, as each is meant to be used."""

import tempfile
from collections.abc import Callable
from pathlib import Path

Pairs = set[tuple[int, int]]
THRESHOLD = 0.8


def hexad(texts: list[str]) -> Pairs:
    from hexad.curation.neardup import BANDS, band_keys, candidate_pairs, shingle, similar

    shingles = shingle(texts)
    keys = band_keys(shingles)
    candidates = candidate_pairs(keys[:, band] for band in range(BANDS))
    return {(i, j) for i, j, _ in similar(candidates, shingles.distinct, THRESHOLD)}


def datasketch(texts: list[str]) -> Pairs:
    """MinHash of word 5-grams in batches and an LSH index, as its documentation shows; 128 permutations."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    pairs: Pairs = set()
    for number, text in enumerate(texts):
        words = text.split()
        grams = {" ".join(words[i : i + 5]).encode() for i in range(max(1, len(words) - 4))}
        sketch = MinHash(num_perm=128)
        sketch.update_batch(list(grams))
        pairs.update((other, number) for other in index.query(sketch))
        index.insert(number, sketch)
    return pairs


def datatrove(texts: list[str]) -> Pairs:
    """Its four MinHash steps up to the clusters, in one process with its defaults (5-grams, 14 buckets of 8)."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupSignature,
    )
    from datatrove.utils.binaryio import read_tuples_from_file
    from loguru import logger

    logger.disable("datatrove")
    config = MinhashConfig()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        signature = MinhashDedupSignature(str(root / "signatures"), config=config)
        signature.run((Document(text=text, id=str(i)) for i, text in enumerate(texts)), rank=0, world_size=1)
        buckets = MinhashDedupBuckets(str(root / "signatures"), str(root / "buckets"), config=config)
        for bucket in range(config.num_buckets):
            buckets.run(None, rank=bucket, world_size=config.num_buckets)
        pairs: Pairs = set()
        for path in sorted((root / "buckets").glob("*.dups")):
            with path.open("rb") as file:
                pairs.update(
                    (min(a, b), max(a, b)) for _, a, _, b in read_tuples_from_file(file, "4I", lines_to_buffer=-1)
                )
        MinhashDedupCluster(str(root / "buckets"), str(root / "clusters"), config=config).run(None, 0, 1)
    return pairs


FINDERS: dict[str, Callable[[list[str]], Pairs]] = {"hexad": hexad, "datatrove": datatrove, "datasketch": datasketch}
