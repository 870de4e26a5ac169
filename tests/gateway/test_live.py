"""A single candidate's thinking is streamed while it is written, and never taken back."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hexad.chat import split
from hexad.gateway.live import LiveThinking
from hexad.gateway.upstream import Draft

from .conftest import question
from .upstream import SEED, Engine, Script

PIECES = st.sampled_from(["<think>", "</think>", "<thi", "nk>", "</", "think", ">", " ", "\n", "a", "b c", "<answer>1"])


@example([], ["</think>"], True)
@given(st.lists(PIECES, max_size=12), st.lists(PIECES, max_size=6), st.booleans())
def test_what_was_told_is_always_the_beginning_of_the_whole_thinking(
    content: list[str], reasoning: list[str], parsed: bool
) -> None:
    draft, live = Draft(0), LiveThinking()
    told = ""
    for field, texts, into in (("reasoning", reasoning, draft.reasoning), ("content", content, draft.content)):
        for text in texts if parsed or field == "content" else []:
            into.append(text)
            told += live.feed(field, text)
    whole = split(draft.raw).thinking.strip()
    assert whole.startswith(told)
    assert told + live.rest(whole) == whole


def test_thinking_between_tags_is_told_piece_by_piece_and_without_delay() -> None:
    live = LiveThinking()
    pieces = ["<think>", "\none", " two", " </", "b>", " three</think>", "content"]
    assert [live.feed("content", p) for p in pieces] == ["", "one", " two", "", " </b>", " three", ""]


@pytest.mark.parametrize("field", ["content", "reasoning"])
def test_over_the_wire_thinking_comes_before_the_engine_is_done(
    engine: Engine, gateway: Callable[..., str], field: str
) -> None:
    thoughts = "first second third"
    engine.script = lambda _: (
        Script(f"<think>{thoughts}</think><answer>7</answer>", hang_after=2)
        if field == "content"
        else Script("<answer>7</answer>", reasoning=thoughts, hang_after=2)
    )
    body = {"model": "k:bo1", "messages": question(), "seed": SEED, "stream": True}
    with httpx.stream("POST", f"{gateway()}/v1/chat/completions", json=body, timeout=5) as response:
        deltas = (json.loads(line[5:])["choices"][0]["delta"] for line in response.iter_lines() if line[:6] == "data: ")
        told = next(d["reasoning"] for d in deltas if "reasoning" in d)
    assert told == "first"


@pytest.mark.parametrize(
    "text", ["<think>a b</think><answer>7</answer>", "a b</think>7", "<think>a</think> b</think>7"]
)
def test_a_live_stream_adds_up_to_the_answer_that_is_not_streamed(
    engine: Engine, gateway: Callable[..., str], text: str
) -> None:
    engine.script = lambda _: Script(text)
    url = f"{gateway()}/v1/chat/completions"
    body: dict[str, Any] = {"model": "k:bo1", "messages": question(), "seed": SEED}
    message = httpx.post(url, json=body).json()["choices"][0]["message"]
    stream = httpx.post(url, json=body | {"stream": True}).text.splitlines()
    deltas = [json.loads(line[5:])["choices"][0]["delta"] for line in stream if line.startswith("data: {")]
    for name in ("reasoning", "reasoning_content", "content"):
        assert "".join(d.get(name, "") for d in deltas) == message[name]
