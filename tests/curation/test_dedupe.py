"""Exact deduplication by the normalised question."""

from hypothesis import given
from hypothesis import strategies as st

from hexad.curation.dedupe import Deduper, question_key

TEXTS = st.lists(st.text("ab 1?", max_size=4), max_size=20)


def _kept(texts: list[str]) -> list[str]:
    deduper = Deduper()
    return [text for text in texts if deduper.first(text)]


def test_case_blanks_and_punctuation_make_no_new_question() -> None:
    assert _kept(["What is 2 + 2?", "what  is\n2 + 2", "What is 2 + 3?"]) == ["What is 2 + 2?", "What is 2 + 3?"]


def test_questions_of_signs_alone_stay_different() -> None:
    assert _kept(["???", "!!!", " ??? "]) == ["???", "!!!"]


@given(TEXTS)
def test_deduplication_is_idempotent(texts: list[str]) -> None:
    assert _kept(_kept(texts)) == _kept(texts)


@given(TEXTS, st.randoms())
def test_the_questions_kept_do_not_depend_on_the_order(texts: list[str], random: object) -> None:
    shuffled = list(texts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert {question_key(t) for t in _kept(texts)} == {question_key(t) for t in _kept(shuffled)}
