"""Near duplicates: MinHash finds candidate pairs, their true Jaccard similarity decides."""

from hexad.curation.neardup.clusters import clusters
from hexad.curation.neardup.minhash import BANDS, band_keys
from hexad.curation.neardup.pairs import candidate_pairs, similar
from hexad.curation.neardup.shingles import Shingles, shingle

__all__ = ["BANDS", "Shingles", "band_keys", "candidate_pairs", "clusters", "shingle", "similar"]
