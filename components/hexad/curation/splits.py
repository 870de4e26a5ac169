"""Which split a question belongs to, from its words alone.

The split is a function of the normalised question, so train, validation and test are disjoint whatever seed made
them, on any machine, and for the base model's corpus too.
"""

import hashlib
import re
from typing import Literal

Split = Literal["train", "validation", "test"]

_VALIDATION, _TEST = 10, 15  # per cent


def normalise(text: str) -> str:
    """Lower case, white space folded, punctuation gone: what counts as the same question."""
    return re.sub(r"[^\w+\-*/%<>=.]+", " ", text.casefold()).strip()


def split_of(question: str) -> Split:
    bucket = int.from_bytes(hashlib.sha256(normalise(question).encode()).digest()[:4], "big") % 100
    if bucket < _TEST:
        return "test"
    return "validation" if bucket < _TEST + _VALIDATION else "train"
