"""What a model wrote, split into thinking, visible text and answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.chat import Parts, render, split

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="<>"))


@given(WORDS, WORDS)
def test_what_training_teaches_is_read_back(thinking: str, answer: str) -> None:
    parts = split(render(thinking, answer))
    assert parts.closed
    assert parts.thinking == thinking
    assert parts.answer == answer.strip()


@given(st.text())
def test_no_text_breaks_the_parser(response: str) -> None:
    assert isinstance(split(response), Parts)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("", Parts("", "", None, True)),
        ("four", Parts("", "four", None, True)),
        ("<answer>4</answer>", Parts("", "<answer>4</answer>", "4", True)),
        ("<think>2+2", Parts("2+2", "", None, False)),
        ("<think>it is <answer>4</answer>", Parts("it is <answer>4</answer>", "", None, False)),
        ("<think>a</think>four", Parts("a", "four", None, True)),
        ("a</think><answer>4</answer>", Parts("a", "<answer>4</answer>", "4", True)),
        ("<think>a</think><answer>4", Parts("a", "<answer>4", None, True)),
        ("<think>a</think>4</answer>", Parts("a", "4</answer>", None, True)),
        ("<think>a</think><answer>3</answer><answer>4</answer>",
         Parts("a", "<answer>3</answer><answer>4</answer>", "4", True)),
        ("<think>the tag </think> ends it</think><answer>4</answer>",
         Parts("the tag </think> ends it", "<answer>4</answer>", "4", True)),
        ("<think>a<think>b</think><answer> 4\n</answer>", Parts("a<think>b", "<answer> 4\n</answer>", "4", True)),
    ],
    ids=[
        "nothing", "plain text", "no thinking", "cut off while thinking", "an answer in unfinished thinking is none",
        "no tags around the answer", "the engine's prompt opened the thinking", "cut off in the answer",
        "an answer that never opened", "the last answer counts", "a quoted closing tag", "a quoted opening tag",
    ],
)  # fmt: skip
def test_responses_as_models_write_them(response: str, expected: Parts) -> None:
    assert split(response) == expected
