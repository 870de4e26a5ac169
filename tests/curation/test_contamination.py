"""Which training questions count as benchmark items."""

from random import Random
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.curation.config import GeneratedConfig
from hexad.curation.contamination import Decontaminator
from hexad.curation.generate import generate

from .rows import cases

WORDS = st.lists(
    st.sampled_from(["one", "two", "three", "four", "five", "six", "seven", "eight", "9", "10"]),
    min_size=1,
    max_size=40,
)
QUESTIONS = st.lists(WORDS.map(" ".join), min_size=1, max_size=6, unique=True)


@pytest.mark.parametrize("case", cases("contamination.jsonl"), ids=lambda c: c["case"])
def test_a_question_is_found_by_its_method_or_clean(case: dict[str, Any]) -> None:
    hit = Decontaminator((str(i), text) for i, text in enumerate(case["items"])).check(case["text"])
    assert (hit.method if hit else None) == case["method"]


def test_the_most_similar_item_is_named() -> None:
    base = "the quick brown fox jumps over the lazy dog while the cat sleeps on the warm red mat near"
    judge = Decontaminator([("far", f"{base} a window of glass and stone and clay"), ("close", f"{base} a door")])
    hit = judge.check(f"Read: {base} a door. Then explain.")
    assert hit is not None and (hit.item, hit.score) == ("close", 1.0)


def test_a_benchmark_item_without_text_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="'b' has no text"):
        Decontaminator([("a", "What is 1 + 1?"), ("b", " ")])


@given(QUESTIONS)
def test_every_item_is_an_exact_hit_of_itself(texts: list[str]) -> None:
    judge = Decontaminator((text, text) for text in texts)
    assert all((hit := judge.check(text)) and (hit.method, hit.item) == ("exact", text) for text in texts)


def test_each_item_that_a_question_is_gives_one_hit() -> None:
    judge = Decontaminator(
        [("a", "What is 17 + 25?"), ("b", "what is 17+25"), ("c", "Add: what is 17 + 25, then stop")]
    )
    hits = judge.hits("Add. What is seventeen + 25? Then stop.")
    assert [(hit.item, hit.method) for hit in hits] == [("c", "exact"), ("a", "contained"), ("b", "contained")]


@given(QUESTIONS, WORDS.map(" ".join), st.randoms())
def test_what_is_found_does_not_depend_on_the_order_of_the_items(texts: list[str], text: str, random: Any) -> None:
    items = [(t, t) for t in texts]
    before = Decontaminator(items).check(text)
    random.shuffle(items)
    after = Decontaminator(items).check(text)
    assert (before and (before.method, before.score)) == (after and (after.method, after.score))


def test_generated_questions_of_one_template_are_rarely_near_each_other() -> None:
    made = generate(GeneratedConfig(traces=700, prompts=0, validation=6, test=120), seed=3)
    judge = Decontaminator((str(i), row.question) for i, row in enumerate(made.test))
    hits = [row for row in made.traces if judge.check(row.question)]
    assert len(hits) <= 0.01 * len(made.traces)


def test_twenty_thousand_questions_against_a_thousand_items_take_seconds() -> None:
    rng = Random(0)
    vocabulary = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(3000)]

    def question() -> str:
        return " ".join(rng.choices(vocabulary, k=rng.randint(8, 80)))

    judge = Decontaminator((str(i), question()) for i in range(1000))
    questions = [question() for _ in range(4000)]
    start = process_time()
    assert not any(judge.check(text) for text in questions)
    assert (process_time() - start) * 5 < 20  # 3 s alone on a core; room for a busy machine
