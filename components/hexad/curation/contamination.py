"""Training questions that are benchmark items, whole or nearly.

exact   The normalised questions are equal.
near    One of three, by the item's length in words (a number, an operator, a Chinese character is a word):
        - an item of 13 words or more, by 13-grams: at least 0.6 of its own words lie in runs of 13 words or more that
          the training question has too;
        - an item of 5 to 12 words, too short for that: the training question contains it whole, numbers included
          (training questions often carry an instruction around it);
        - an item below 26 words, where one changed word can break every 13-gram: Jaccard similarity of the character
          5-grams is 0.9 or more, and both have the same numbers.

A shared template is no leak. Words inside a 13-gram that more than 3 different items share are the template's, not the
item's own. And numbers matter: by 13-grams too, the training question must have all numbers of the item, each before
the same word, so the same exercise with another number is another question.

A leak that lost a part with a number in it is therefore not found; nor is a paraphrase.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from hexad.curation.dedupe import question_key
from hexad.records import Record

GRAM = 13  # words; the length that GPT-3's report (arXiv 2005.14165, appendix C) settled on
CONTAINED = 5  # words; a shorter item is in any text by chance
TEMPLATE_ITEMS = 3
CHARS = 5
JACCARD = 0.9

_WORD = re.compile(r"\d+(?:\.\d+)?|[\u3400-\u9fff]|[^\W\d_\u3400-\u9fff]+|[+\-*/%<>=^!√]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")

Words = tuple[str, ...]


class Hit(Record):
    """A training question that is a benchmark item."""

    item: str
    method: Literal["exact", "near"]
    score: float


@dataclass(frozen=True)
class _Item:
    id: str
    words: Words
    own: frozenset[int]  # places of the words that are not a template's
    numbers: frozenset[Words]


class Decontaminator:
    """An index of benchmark items, given as (id, question). `threshold` is the share of an item's own words, 0..1."""

    def __init__(self, items: Iterable[tuple[str, str]], threshold: float = 0.6) -> None:
        self._threshold = threshold
        self._exact: dict[bytes, str] = {}
        distinct: dict[Words, str] = {}
        for item, text in items:
            if not text.strip():
                raise ValueError(f"benchmark item {item!r} has no text; drop it from the benchmark")
            self._exact.setdefault(question_key(text), item)
            distinct.setdefault(words(text), item)
        grams: defaultdict[Words, set[int]] = defaultdict(set)
        for index, found in enumerate(distinct):
            for gram in _grams(found, GRAM):
                grams[gram].add(index)
        template = {gram for gram, found in grams.items() if len(found) > TEMPLATE_ITEMS}
        self._grams = {gram: found for gram, found in grams.items() if gram not in template}
        self._items = [_item(item, found, template) for found, item in distinct.items()]
        self._contained: defaultdict[Words, list[int]] = defaultdict(list)
        for index, one in enumerate(self._items):
            if CONTAINED <= len(one.words) < GRAM:
                self._contained[one.words[:CONTAINED]].append(index)
        self._shingles = {i: _shingles(one.words) for i, one in enumerate(self._items) if len(one.words) < 2 * GRAM}
        self._rare = _rarest(self._shingles)

    def check(self, text: str) -> Hit | None:
        """The benchmark item that the training question is, or None; of several the most similar."""
        exact = self._exact.get(question_key(text))
        if exact is not None:
            return Hit(item=exact, method="exact", score=1.0)
        found = words(text)
        near = [*self._by_grams(found), *self._by_containment(found), *self._by_jaccard(found)]
        if not near:
            return None
        score, index = min(near, key=lambda one: (-one[0], one[1]))
        return Hit(item=self._items[index].id, method="near", score=round(score, 4))

    def _by_grams(self, found: Words) -> Iterator[tuple[float, int]]:
        shared: defaultdict[int, set[Words]] = defaultdict(set)
        for gram in _grams(found, GRAM):
            for index in self._grams.get(gram, ()):
                shared[index].add(gram)
        if not shared:
            return
        pairs = {*pairwise(found), *((word,) for word in found)}
        for index, grams in shared.items():
            item = self._items[index]
            score = len(_places(item.words, grams) & item.own) / max(1, len(item.own))
            if score >= self._threshold and item.numbers <= pairs and _within(item.words, found):
                yield score, index

    def _by_containment(self, found: Words) -> Iterator[tuple[float, int]]:
        for start, head in enumerate(_grams(found, CONTAINED)):
            for index in self._contained.get(head, ()):
                whole = self._items[index].words
                if found[start : start + len(whole)] == whole:
                    yield 1.0, index

    def _by_jaccard(self, found: Words) -> Iterator[tuple[float, int]]:
        if len(found) > 3 * GRAM:  # far longer than any item compared here: spare the shingles
            return
        shingles = _shingles(found)
        for index in {index for shingle in self._rare.keys() & shingles for index in self._rare[shingle]}:
            other = self._shingles[index]
            if min(len(shingles), len(other)) < JACCARD * max(len(shingles), len(other)):
                continue
            score = len(shingles & other) / len(shingles | other)
            if score >= JACCARD and _numbers(found) == _numbers(self._items[index].words):
                yield score, index


def words(text: str) -> Words:
    """Lower-case words, numbers and operators; "x=5" and "x = 5" are the same, and so are 1,000 and 1000."""
    return tuple(_WORD.findall(_THOUSANDS.sub("", text.casefold())))


def _grams(found: Words, length: int) -> list[Words]:
    return [found[i : i + length] for i in range(len(found) - length + 1)]


def _item(item: str, found: Words, template: set[Words]) -> _Item:
    own = frozenset(range(len(found))) - _places(found, template)
    numbers = frozenset(found[i : i + 2] for i, word in enumerate(found) if word[0].isdecimal())
    return _Item(item, found, own, numbers)


def _places(found: Words, grams: set[Words]) -> set[int]:
    """Places of the words that lie in one of the 13-grams."""
    places: set[int] = set()
    for start, gram in enumerate(_grams(found, GRAM)):
        if gram in grams:
            places.update(range(start, start + GRAM))
    return places


def _numbers(found: Words) -> Words:
    return tuple(sorted(word for word in found if word[0].isdecimal()))


def _within(item: Words, found: Words) -> bool:
    """Whether each number of the item comes at least as often in the training question."""
    return Counter(_numbers(item)) <= Counter(_numbers(found))


def _shingles(found: Words) -> frozenset[str]:
    text = " ".join(found)
    return frozenset(text[i : i + CHARS] for i in range(max(1, len(text) - CHARS + 1)))


def _rarest(shingles: Mapping[int, frozenset[str]]) -> dict[str, list[int]]:
    """Items by their rarest shingles: so many of each that a question that has none of them misses Jaccard 0.9.

    Prefix filtering (Bayardo, Ma and Srikant, WWW 2007): of n shingles a similar question has at least 0.9 n, so it has
    one of any n - ceil(0.9 n) + 1. The rarest keep a shared template from making every item a candidate.
    """
    counts = Counter(shingle for found in shingles.values() for shingle in found)
    rare: defaultdict[str, list[int]] = defaultdict(list)
    for index, found in shingles.items():
        for shingle in sorted(found, key=lambda s: (counts[s], s))[: len(found) - math.ceil(JACCARD * len(found)) + 1]:
            rare[shingle].append(index)
    return dict(rare)
