"""Token rows: loss on the completion only, every trace whole, nothing dropped without a reason."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from hexad.chat import prompt_text, render
from hexad.chat.template import END_OF_TURN
from hexad.curation.tokenize import IGNORED, Tokenized, pack, tokenize, write_packed
from hexad.pretraining.tokenizer import train_tokenizer
from hexad.records import Message, Trace


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(["what is 1 + 2? it is 3", "one and two are three\n"], 320)


def trace(number: int, question: str, answer: str) -> Trace:
    turns = [Message(role="user", content=question), Message(role="assistant", content=answer)]
    return Trace(id=f"t{number}", domain="math", source="test", revision="1", messages=turns)


TRACES = [trace(i, f"what is {i} + 2?", render(f"{i}+2" * (i + 1), str(i + 2))) for i in range(4)]


def test_loss_is_taken_on_the_completion_and_its_end_of_turn_only(tokenizer: PreTrainedTokenizerFast) -> None:
    for row, source in zip(tokenize(TRACES, tokenizer, 512)[0], TRACES, strict=True):
        learnt = [token for token, label in zip(row.ids, row.labels, strict=True) if label != IGNORED]
        assert tokenizer.decode(learnt) == source.messages[-1].content + END_OF_TURN
        assert row.labels[: row.prompt] == [IGNORED] * row.prompt
        assert row.labels[row.prompt :] == row.ids[row.prompt :]


def test_the_prompt_has_the_ids_that_an_engine_is_given(tokenizer: PreTrainedTokenizerFast) -> None:
    for row, source in zip(tokenize(TRACES, tokenizer, 512)[0], TRACES, strict=True):
        asked = tokenizer(prompt_text(source.messages[:-1]), add_special_tokens=False)["input_ids"]
        assert row.ids[: row.prompt] == asked


def test_traces_learn_their_length(tokenizer: PreTrainedTokenizerFast) -> None:
    rows, traces, _ = tokenize(TRACES, tokenizer, 512)
    assert [t.tokens for t in traces] == [len(row.ids) for row in rows]


def test_a_trace_that_is_too_long_is_rejected_and_never_cut(tokenizer: PreTrainedTokenizerFast) -> None:
    lengths = [len(row.ids) for row in tokenize(TRACES, tokenizer, 512)[0]]
    rows, traces, rejects = tokenize(TRACES, tokenizer, lengths[2])
    assert [len(row.ids) for row in rows] == lengths[:3]
    assert [t.id for t in traces] == ["t0", "t1", "t2"]
    assert [(r.row, r.reason, r.detail) for r in rejects] == [("t3", "too long", f"{lengths[3]} > {lengths[2]} tokens")]


def test_nothing_to_tokenize_is_no_error(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenize([], tokenizer, 512) == ([], [], [])


ROWS = st.lists(st.integers(1, 64), max_size=60).map(
    lambda lengths: [Tokenized([1000 * i + j for j in range(n)], n // 2) for i, n in enumerate(lengths)]
)


@given(ROWS, st.integers(64, 200))
def test_packing_keeps_every_trace_whole_and_fills_no_row_over_its_capacity(
    rows: list[Tokenized], capacity: int
) -> None:
    bins = pack(rows, capacity)
    packed = [row for found in bins for row in found]
    assert sorted(packed, key=lambda r: r.ids) == sorted(rows, key=lambda r: r.ids)
    assert all(sum(len(row.ids) for row in found) <= capacity for found in bins)


@given(ROWS, st.integers(64, 200))
def test_no_two_packed_rows_would_fit_into_one(rows: list[Tokenized], capacity: int) -> None:
    fill = sorted(sum(len(row.ids) for row in found) for found in pack(rows, capacity))
    assert len(fill) < 2 or fill[0] + fill[1] > capacity


@given(ROWS)
def test_capacity_zero_keeps_the_traces_apart_and_in_order(rows: list[Tokenized]) -> None:
    assert pack(rows, 0) == [[row] for row in rows]


def test_a_packed_file_has_the_columns_that_the_trainer_reads(tmp_path: Path) -> None:
    write_packed(tmp_path / "rows.parquet", [[Tokenized([5, 6, 7], 1), Tokenized([8, 9], 1)], [Tokenized([4], 0)]])
    assert pq.read_table(tmp_path / "rows.parquet").to_pydict() == {
        "input_ids": [[5, 6, 7, 8, 9], [4]],
        "labels": [[IGNORED, 6, 7, IGNORED, 9], [4]],
        "seq_lengths": [[3, 2], [1]],
    }
