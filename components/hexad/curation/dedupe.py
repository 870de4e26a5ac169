"""Exact deduplication by the normalised question."""

import hashlib

from hexad.curation.splits import normalise


def question_key(text: str) -> bytes:
    """16 bytes, equal for questions that differ only in case, white space and punctuation."""
    return hashlib.blake2b((normalise(text) or text.strip()).encode(), digest_size=16).digest()


class Deduper:
    """Remembers every question it was shown."""

    def __init__(self) -> None:
        self._keys: set[bytes] = set()

    def first(self, text: str) -> bool:
        """Whether this question is new; it is known from now on."""
        before = len(self._keys)
        self._keys.add(question_key(text))
        return len(self._keys) > before
