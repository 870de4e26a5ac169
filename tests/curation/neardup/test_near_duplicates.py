"""Near duplicates are found by their true similarity, whatever the order and company of the texts."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.curation.neardup import BANDS, band_keys, candidate_pairs, clusters, shingle, similar
from hexad.curation.neardup.minhash import sketch

RNG = Random(7)
VOCABULARY = ["".join(RNG.choices("abcdefghijklmnopqrstuvwxyz", k=RNG.randint(2, 9))) for _ in range(2000)]
TEXTS = st.lists(
    st.lists(st.sampled_from(["one", "two", "3", "+", "四", "é", ""]), max_size=12).map(" ".join), max_size=8
)


def pairs_of(texts: list[str], threshold: float = 0.8) -> dict[tuple[int, int], float]:
    shingles = shingle(texts)
    keys = band_keys(shingles)
    candidates = candidate_pairs(keys[:, band] for band in range(BANDS))
    return {(i, j): score for i, j, score in similar(candidates, shingles.distinct, threshold)}


def true_jaccard(left: str, right: str) -> float:
    shingles = shingle([left, right])
    a, b = set(shingles.distinct(0).tolist()), set(shingles.distinct(1).tolist())
    return len(a & b) / max(1, len(a | b))


def planted(count: int, length: int, changes: int) -> list[str]:
    """`count` texts, each followed by a copy of itself with `changes` words replaced."""
    texts = []
    for _ in range(count):
        words = RNG.choices(VOCABULARY, k=length)
        texts.append(" ".join(words))
        for place in RNG.sample(range(length), changes):
            words[place] = "changed"
        texts.append(" ".join(words))
    return texts


@pytest.mark.parametrize(("length", "changes"), [(60, 1), (300, 6), (2000, 40)])
def test_planted_pairs_at_jaccard_0_8_are_found_and_nothing_else(length: int, changes: int) -> None:
    texts = planted(60, length, changes)
    wanted = {(i, i + 1) for i in range(0, len(texts), 2) if true_jaccard(texts[i], texts[i + 1]) >= 0.8}
    found = pairs_of(texts)
    assert len(wanted) > 30
    assert len(wanted & set(found)) >= 0.97 * len(wanted)
    assert set(found) <= wanted


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("What is  2+2?", "what is 2 + 2"),
        ("Es sei x = 5, also Ärger.", "es SEI x=5 also ärger"),
        ("求方程的根 x=1", "求 方 程 的 根 x = 1"),
        ("tab\tand\nline", "tab and line"),
    ],
)
def test_case_blanks_and_punctuation_do_not_count(left: str, right: str) -> None:
    assert true_jaccard(left, right) == 1.0


@pytest.mark.parametrize(
    ("left", "right"), [("a + b", "a - b"), ("求和", "和求"), ("ab c", "a bc"), ("x = 12", "x = 21"), ("a", "b")]
)
def test_operators_order_and_word_limits_count(left: str, right: str) -> None:
    assert true_jaccard(left, right) == 0.0


def test_the_shingles_of_a_text_do_not_depend_on_its_company() -> None:
    texts = [*planted(40, 500, 10), "", "???", "short"]
    together = shingle(texts)
    for index, text in enumerate(texts):
        assert together.distinct(index).tolist() == shingle([text]).distinct(0).tolist()


def test_texts_without_words_resemble_nothing() -> None:
    assert pairs_of(["", "???", "..", "", "???"]) == {}


@given(TEXTS)
def test_every_pair_found_is_as_similar_as_it_says(texts: list[str]) -> None:
    for (i, j), score in pairs_of(texts, 0.5).items():
        assert i < j and score == pytest.approx(true_jaccard(texts[i], texts[j])) and score >= 0.5


@given(TEXTS)
def test_equal_texts_are_always_found(texts: list[str]) -> None:
    doubled = [text for text in texts if any(c.isalnum() for c in text)]
    found = pairs_of(doubled + doubled)
    groups = clusters(found, 2 * len(doubled))
    assert all(groups[i] == groups[i + len(doubled)] for i in range(len(doubled)))


@pytest.mark.parametrize("words", [8, 60, 2000])
def test_bins_agree_as_often_as_the_sets_are_similar(words: int) -> None:
    gaps = []
    for _ in range(40):
        text = RNG.choices(VOCABULARY, k=words)
        other = [*text[: words // 2], *RNG.choices(VOCABULARY, k=words - words // 2)]
        minima = sketch(shingle([" ".join(text), " ".join(other)]))
        gaps.append(float((minima[0] == minima[1]).mean()) - true_jaccard(" ".join(text), " ".join(other)))
    assert abs(float(np.mean(gaps))) < 0.03


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30))
def test_clusters_are_the_connected_components(pairs: list[tuple[int, int]]) -> None:
    reachable = {i: {i} for i in range(20)}
    for _ in range(20):
        for i, j in pairs:
            reachable[i] |= reachable[j]
            reachable[j] = reachable[i]
    assert clusters(pairs, 20).tolist() == [min(reachable[i]) for i in range(20)]


def test_a_thousand_copies_take_no_quadratic_number_of_pairs() -> None:
    keys = np.ones((1000, 1), np.uint64)
    assert len(candidate_pairs([keys[:, 0]])) < 2000
