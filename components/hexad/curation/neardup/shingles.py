"""Texts as sets of hashed word 5-grams, many texts at a time with no Python loop over their words.

A word is a run of letters and digits in lower case, one operator, or one Chinese or Japanese character. Hashing is
polynomial modulo 2**64 over the bytes: with prefix sums, the hash of any word is one subtraction and one product by a
power of the base's inverse, so it is all array arithmetic. Table and finalizer make it a good hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Words64 = npt.NDArray[np.uint64]
Index = npt.NDArray[np.int64]

WIDTH = 5  # words; what datatrove and text-dedup use too
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64
_BLOCK = 1 << 16  # bytes of text hashed at once: the arrays stay near the processor's cache

_SEPARATOR, _WORD, _OPERATOR = 0, 1, 2
_CLASS = np.zeros(256, np.uint8)
_CLASS[[*b"abcdefghijklmnopqrstuvwxyz0123456789", *range(128, 256)]] = _WORD
_CLASS[[*b"+-*/%<>=^!"]] = _OPERATOR
_CJK_LEAD = np.zeros(256, bool)
_CJK_LEAD[0xE3:0xEA] = True  # U+3000 to U+9FFF
_TABLE = np.random.default_rng(20250909).integers(1, 1 << 63, 256, dtype=np.uint64)


@dataclass(frozen=True)
class Shingles:
    """Hashes of the shingles of all texts, one text after another; text i has values[offsets[i]:offsets[i + 1]]."""

    values: Words64
    offsets: Index

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def distinct(self, index: int) -> Words64:
        """The shingles of one text as a sorted set."""
        return np.unique(self.values[self.offsets[index] : self.offsets[index + 1]])


def shingle(texts: Sequence[str], width: int = WIDTH) -> Shingles:
    """A text of fewer than `width` words is one shingle; one without words has none."""
    values, counts, block, size = [], [], [], 0
    for index, text in enumerate(texts):
        block.append(text.casefold().encode(errors="surrogatepass"))
        size += len(block[-1])
        if size >= _BLOCK or index == len(texts) - 1:
            words, words_of = _words(block)
            found, found_of = _grams(words, words_of, width)
            values.append(found)
            counts.append(found_of)
            block, size = [], 0
    offsets = np.zeros(len(texts) + 1, np.int64)
    if counts:
        np.cumsum(np.concatenate(counts), out=offsets[1:])
    return Shingles(np.concatenate(values) if values else np.zeros(0, np.uint64), offsets)


def mix(values: Words64) -> Words64:
    """A finalizer (splitmix64's, public domain): every bit of the input moves every bit of the output."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def _words(block: list[bytes]) -> tuple[Words64, Index]:
    """Hashes of all words of the block, and how many each text has."""
    data = np.frombuffer(b"\n".join(block), np.uint8)
    kind = _CLASS[data]
    is_word = kind != _SEPARATOR
    begins = is_word & (_CJK_LEAD[data] | (kind == _OPERATOR))
    begins[0:1] |= is_word[0:1]
    begins[1:] |= is_word[1:] & (kind[1:] != kind[:-1])
    finishes = is_word.copy()
    finishes[:-1] &= begins[1:] | ~is_word[1:]
    starts, ends = np.flatnonzero(begins), np.flatnonzero(finishes) + 1
    powers, inverses = _powers(len(data) + 1)
    sums = np.zeros(len(data) + 1, np.uint64)
    with np.errstate(over="ignore"):
        np.cumsum(_TABLE[data] * powers[: len(data)], out=sums[1:])
        hashes = mix((sums[ends] - sums[starts]) * inverses[starts])
    lengths = np.array([len(text) + 1 for text in block], np.int64)
    first = np.searchsorted(starts, np.concatenate(([0], np.cumsum(lengths))))
    return hashes, np.diff(first)


def _grams(words: Words64, words_of: Index, width: int) -> tuple[Words64, Index]:
    counts = np.where(words_of > 0, np.maximum(words_of - width + 1, 1), 0)
    owner = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(words_of) - words_of
    starts = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + first[owner]
    last = (first + words_of)[owner]
    grams = np.zeros(len(owner), np.uint64)
    with np.errstate(over="ignore"):
        for offset in range(width):
            at = starts + offset
            inside = at < last
            grams = grams * np.uint64(_BASE) + np.where(inside, words[np.minimum(at, len(words) - 1)], np.uint64(0))
    return mix(grams), counts


_cache: dict[str, Words64] = {}


def _powers(count: int) -> tuple[Words64, Words64]:
    """The first powers of the base and of its inverse."""
    if len(_cache.get("powers", ())) < count:
        with np.errstate(over="ignore"):
            for name, base in (("powers", _BASE), ("inverses", pow(_BASE, -1, 1 << 64))):
                factors = np.full(max(count, _BLOCK + (_BLOCK >> 3)), base, np.uint64)
                factors[0] = 1
                _cache[name] = np.cumprod(factors, dtype=np.uint64)
    return _cache["powers"], _cache["inverses"]
