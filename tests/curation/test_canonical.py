"""Spellings that say the same have the same canonical words, and others have not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.curation.canonical import canonical_words

from .rows import cases

CASES = cases("canonical.jsonl")


@pytest.mark.parametrize("texts", [c["same"] for c in CASES if "same" in c], ids=lambda t: t[0])
def test_spellings_of_the_same_have_the_same_words(texts: list[str]) -> None:
    assert len({canonical_words(text) for text in texts}) == 1


@pytest.mark.parametrize("texts", [c["differ"] for c in CASES if "differ" in c], ids=lambda t: t[0])
def test_other_numbers_order_and_operators_give_other_words(texts: list[str]) -> None:
    assert len({canonical_words(text) for text in texts}) == len(texts)


@given(st.text())
def test_any_text_has_words_that_are_their_own_canonical_words(text: str) -> None:
    words = canonical_words(text)
    assert canonical_words(" ".join(words)) == words


@given(st.integers(0, 999_999))
def test_a_number_in_words_is_its_digits(number: int) -> None:
    assert canonical_words(spell(number)) == (str(number),)


UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spell(number: int) -> str:
    if number >= 1000:
        rest = f" {spell(number % 1000)}" if number % 1000 else ""
        return f"{spell(number // 1000)} thousand{rest}"
    if number >= 100:
        rest = f" and {spell(number % 100)}" if number % 100 else ""
        return f"{UNITS[number // 100]} hundred{rest}"
    if number >= 20:
        return TENS[number // 10 - 2] + (f"-{UNITS[number % 10]}" if number % 10 else "")
    return UNITS[number]
