"""A question's split depends on its words alone, so splits are disjoint whoever draws them."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hexad.curation.splits import normalise, split_of
from hexad.curation.tasks import TASKS
from hexad.pretraining.corpus import documents


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text("aBc 12", min_size=1), st.sampled_from((" ", "\n", "\t ", "?", "!", ", ")))
def test_case_blanks_and_punctuation_move_no_question_to_another_split(text: str, noise: str) -> None:
    assert split_of(noise + text.upper().replace(" ", noise)) == split_of(text)


@given(st.lists(st.text(min_size=1), max_size=30))
def test_no_two_splits_share_a_normalised_question(questions: list[str]) -> None:
    splits: dict[str, set[str]] = {}
    for question in questions:
        splits.setdefault(normalise(question), set()).add(split_of(question))
    assert all(len(found) == 1 for found in splits.values())


def test_signs_that_carry_meaning_make_another_question() -> None:
    assert len({normalise(f"12 {sign} 7") for sign in ("+", "-", "*", "/", "%", "<", ">", "=")}) == 8


def test_a_tenth_is_for_validation_and_a_seventh_for_test() -> None:
    counted = Counter(split_of(f"question {n}") for n in range(20_000))
    assert abs(counted["validation"] / 20_000 - 0.10) < 0.01
    assert abs(counted["test"] / 20_000 - 0.15) < 0.01


def test_the_base_model_s_corpus_holds_no_held_out_question() -> None:
    rng, stream = Random(3), documents(3)
    held_out = [w.question for w in (TASKS["travel"](rng) for _ in range(300)) if split_of(w.question) != "train"]
    assert held_out
    corpus = "".join(next(stream) for _ in range(400))
    assert not [question for question in held_out if question in corpus]
