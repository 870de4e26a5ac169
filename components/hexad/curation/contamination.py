"""Training questions that are benchmark items, whole or nearly.

Questions are compared by their canonical words (canonical.py), so blanks, LaTeX and numbers in words hide nothing. A
number, an operator or a Chinese character is a word. Four methods, the surest first:

exact      The normalised questions, or all their canonical words, are equal.
13-gram    An item of 13 words or more: at least 0.6 of its own words lie in runs of 13 words or more that the training
           question has too, and each number of the item stands there before the same word.
contained  An item of 5 to 12 words, too short for that: the training question contains it whole, numbers included
           (training questions often carry an instruction around it).
fuzzy      Changed words can break every run of 13. An item below 26 words: Jaccard similarity of the character 5-grams
           is 0.9 or more, and both have the same numbers. A longer one: the training question has 0.6 of its word
           5-grams, and all its numbers before the same words, in order.

A shared template is no leak: n-grams that more than 3 different items share are the template's, not the item's own. And
numbers matter, so the same exercise with another number is another question.

A leak that lost a part with a number in it is therefore not found; nor is a free paraphrase.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeVar

from hexad.curation.canonical import Words, canonical_words, numbers_of
from hexad.curation.dedupe import question_key
from hexad.records import Record

GRAM = 13  # words; the length that GPT-3's report (arXiv 2005.14165, appendix C) settled on
CONTAINED = 5  # words; a shorter item is in any text by chance
TEMPLATE_ITEMS = 3
CHARS = 5
JACCARD = 0.9
FUZZY_GRAM = 5
FUZZY_SHARE = 0.6

Feature = TypeVar("Feature", str, Words)

Method = Literal["exact", "13-gram", "contained", "fuzzy", "date"]
METHODS: tuple[Method, ...] = ("exact", "13-gram", "contained", "fuzzy")


class Hit(Record):
    """A training question that is a benchmark item. `score` is 0..1: the share or similarity that decided."""

    item: str
    method: Method
    score: float


@dataclass(frozen=True)
class _Item:
    ids: tuple[str, ...]  # several items may ask the same
    words: Words
    own: frozenset[int]  # places of the words that are not a template's
    numbers: frozenset[Words]


class Decontaminator:
    """An index of benchmark items, given as (id, question). `threshold` is the share of an item's own words, 0..1."""

    def __init__(self, items: Iterable[tuple[str, str]], threshold: float = 0.6) -> None:
        self._threshold = threshold
        distinct: defaultdict[Words, list[str]] = defaultdict(list)
        keys: dict[bytes, Words] = {}
        for item, text in items:
            if not text.strip():
                raise ValueError(f"benchmark item {item!r} has no text; drop it from the benchmark")
            # Signs alone have no words; such items are told apart by their normalised text.
            found = canonical_words(text) or (text.strip(),)
            distinct[found].append(item)
            keys.setdefault(question_key(text), found)
        self._index = {found: index for index, found in enumerate(distinct)}
        self._exact = {key: self._index[found] for key, found in keys.items()}
        template = _template(distinct, GRAM)
        self._items = [_item(tuple(ids), found, template) for found, ids in distinct.items()]
        self._grams: defaultdict[Words, set[int]] = defaultdict(set)
        self._contained: defaultdict[Words, list[int]] = defaultdict(list)
        for index, one in enumerate(self._items):
            for gram in set(_grams(one.words, GRAM)) - template:
                self._grams[gram].add(index)
            if CONTAINED <= len(one.words) < GRAM:
                self._contained[one.words[:CONTAINED]].append(index)
        short = [index for index, one in enumerate(self._items) if len(one.words) < 2 * GRAM]
        self._shingles = {index: _shingles(self._items[index].words) for index in short}
        self._rare_shingles = _rarest(self._shingles, JACCARD)
        shared = _template(distinct, FUZZY_GRAM)
        self._fives = {
            index: grams
            for index, one in enumerate(self._items)
            if len(one.words) >= 2 * GRAM and (grams := frozenset(_grams(one.words, FUZZY_GRAM)) - shared)
        }
        self._rare_fives = _rarest(self._fives, FUZZY_SHARE)

    def check(self, text: str) -> Hit | None:
        """The benchmark item that the training question is, or None; of several the most similar."""
        return next(iter(self.hits(text)), None)

    def hits(self, text: str) -> list[Hit]:
        """Each item that the training question is, once, by the first method that finds it; the most similar first."""
        found = canonical_words(text) or (text.strip(),)
        exact = self._exact.get(question_key(text), self._index.get(found))
        hits: dict[int, tuple[Method, float]] = {} if exact is None else {exact: ("exact", 1.0)}
        for index, method, score in self._near(found):
            if score > hits.get(index, ("", 0.0))[1]:
                hits[index] = (method, score)
        ranked = sorted(hits.items(), key=lambda one: (-one[1][1], METHODS.index(one[1][0]), one[0]))
        return [
            Hit(item=item, method=method, score=round(score, 4))
            for index, (method, score) in ranked
            for item in self._items[index].ids
        ]

    def _near(self, found: Words) -> Iterator[tuple[int, Method, float]]:
        for score, index in self._by_grams(found):
            yield index, "13-gram", score
        for index in self._by_containment(found):
            yield index, "contained", 1.0
        for score, index in (*self._by_jaccard(found), *self._by_share(found)):
            yield index, "fuzzy", score

    def _by_grams(self, found: Words) -> Iterator[tuple[float, int]]:
        shared: defaultdict[int, set[Words]] = defaultdict(set)
        for gram in _grams(found, GRAM):
            for index in self._grams.get(gram, ()):
                shared[index].add(gram)
        if not shared:
            return
        pairs = _pairs(found)
        for index, grams in shared.items():
            item = self._items[index]
            score = len(_places(item.words, grams) & item.own) / max(1, len(item.own))
            if score >= self._threshold and item.numbers <= pairs and _within(item.words, found):
                yield score, index

    def _by_containment(self, found: Words) -> Iterator[int]:
        for start, head in enumerate(_grams(found, CONTAINED)):
            for index in self._contained.get(head, ()):
                whole = self._items[index].words
                if found[start : start + len(whole)] == whole:
                    yield index

    def _by_jaccard(self, found: Words) -> Iterator[tuple[float, int]]:
        if len(found) > 3 * GRAM:  # far longer than any item compared here: spare the shingles
            return
        shingles = _shingles(found)
        rare = self._rare_shingles
        for index in {index for shingle in rare.keys() & shingles for index in rare[shingle]}:
            other = self._shingles[index]
            if min(len(shingles), len(other)) < JACCARD * max(len(shingles), len(other)):
                continue
            score = len(shingles & other) / len(shingles | other)
            if score >= JACCARD and numbers_of(found) == numbers_of(self._items[index].words):
                yield score, index

    def _by_share(self, found: Words) -> Iterator[tuple[float, int]]:
        if not self._fives:
            return
        grams = set(_grams(found, FUZZY_GRAM))
        rare = self._rare_fives
        for index in {index for gram in rare.keys() & grams for index in rare[gram]}:
            item = self._items[index]
            score = len(grams & self._fives[index]) / len(self._fives[index])
            if score >= FUZZY_SHARE and item.numbers <= _pairs(found) and _in_order(item.words, found):
                yield score, index


def _grams(found: Words, length: int) -> list[Words]:
    return [found[i : i + length] for i in range(len(found) - length + 1)]


def _template(texts: Iterable[Words], length: int) -> set[Words]:
    """N-grams that come in more than a few of the texts."""
    counts = Counter(gram for found in texts for gram in set(_grams(found, length)))
    return {gram for gram, count in counts.items() if count > TEMPLATE_ITEMS}


def _item(ids: tuple[str, ...], found: Words, template: set[Words]) -> _Item:
    own = frozenset(range(len(found))) - _places(found, template)
    numbers = frozenset(found[i : i + 2] for i, word in enumerate(found) if word[0].isdecimal())
    return _Item(ids, found, own, numbers)


def _places(found: Words, grams: set[Words]) -> set[int]:
    """Places of the words that lie in one of the 13-grams."""
    places: set[int] = set()
    for start, gram in enumerate(_grams(found, GRAM)):
        if gram in grams:
            places.update(range(start, start + GRAM))
    return places


def _pairs(found: Words) -> set[Words]:
    """Every word with the one after it, and alone: what the numbers of an item are looked up in."""
    return {*pairwise(found), *((word,) for word in found)}


def _in_order(item: Words, found: Words) -> bool:
    """Whether the numbers of the item come in the training question in the item's order."""
    there = iter(word for word in found if word[0].isdecimal())
    return all(number in there for number in item if number[0].isdecimal())


def _within(item: Words, found: Words) -> bool:
    """Whether each number of the item comes at least as often in the training question."""
    return Counter(numbers_of(item)) <= Counter(numbers_of(found))


def _shingles(found: Words) -> frozenset[str]:
    text = " ".join(found)
    return frozenset(text[i : i + CHARS] for i in range(max(1, len(text) - CHARS + 1)))


def _rarest(features: Mapping[int, frozenset[Feature]], share: float) -> dict[Feature, list[int]]:
    """Items by their rarest features: so many of each that a question with none of them misses the share.

    Prefix filtering (Bayardo, Ma and Srikant, WWW 2007): of n features a similar question has at least share * n, so it
    has one of any n - ceil(share * n) + 1. The rarest keep a shared template from making every item a candidate.
    """
    counts = Counter(feature for found in features.values() for feature in found)
    rare: defaultdict[Feature, list[int]] = defaultdict(list)
    for index, found in features.items():
        for feature in sorted(found, key=lambda f: (counts[f], f))[: len(found) - math.ceil(share * len(found)) + 1]:
            rare[feature].append(index)
    return dict(rare)
