"""Token rows: loss on the completion only, every trace whole, nothing dropped without a reason."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from hexad.chat import prompt_text, render
from hexad.chat.template import END_OF_TURN
from hexad.curation.tokenize import IGNORED, TokenFile, TokenFiles, Tokenized, pack, tokenize, write_packed
from hexad.pretraining.tokenizer import train_tokenizer
from hexad.records import Message, Reject, Trace


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(["what is 1 + 2? it is 3", "one and two are three\n"], 320)


def trace(number: int, question: str, answer: str) -> Trace:
    turns = [Message(role="user", content=question), Message(role="assistant", content=answer)]
    return Trace(id=f"t{number}", domain="math", source="test", revision="1", messages=turns)


TRACES = [trace(i, f"what is {i} + 2?", render(f"{i}+2" * (i + 1), str(i + 2))) for i in range(4)]


def rows_of(tokenizer: PreTrainedTokenizerFast, max_tokens: int = 512) -> list[tuple[Tokenized, Trace]]:
    return [found for found in tokenize(TRACES, tokenizer, max_tokens) if not isinstance(found, Reject)]


def row(ids: list[int], prompt: int) -> Tokenized:
    return Tokenized(np.array(ids, np.int32), prompt)


def test_loss_is_taken_on_the_completion_and_its_end_of_turn_only(tokenizer: PreTrainedTokenizerFast) -> None:
    for found, source in zip(rows_of(tokenizer), TRACES, strict=True):
        ids, labels = found[0].ids.tolist(), found[0].labels.tolist()
        learnt = [token for token, label in zip(ids, labels, strict=True) if label != IGNORED]
        assert tokenizer.decode(learnt) == source.messages[-1].content + END_OF_TURN
        assert labels[: found[0].prompt] == [IGNORED] * found[0].prompt
        assert labels[found[0].prompt :] == ids[found[0].prompt :]


def test_a_row_has_the_ids_that_an_engine_is_given_and_gives_back(tokenizer: PreTrainedTokenizerFast) -> None:
    for (found, _), source in zip(rows_of(tokenizer), TRACES, strict=True):
        texts = [prompt_text(source.messages[:-1]), source.messages[-1].content + END_OF_TURN]
        prompt, completion = tokenizer(texts, add_special_tokens=False)["input_ids"]
        assert found.ids.tolist() == prompt + completion and found.prompt == len(prompt)


def test_traces_learn_their_length(tokenizer: PreTrainedTokenizerFast) -> None:
    assert all(trace.tokens == len(found.ids) for found, trace in rows_of(tokenizer))


def test_a_trace_that_is_too_long_is_rejected_and_never_cut(tokenizer: PreTrainedTokenizerFast) -> None:
    lengths = [len(found.ids) for found, _ in rows_of(tokenizer)]
    *kept, reject = tokenize(TRACES, tokenizer, lengths[2])
    assert [(len(found[0].ids), found[1].id) for found in kept] == list(zip(lengths, ["t0", "t1", "t2"]))  # type: ignore[index] # noqa: B905
    assert isinstance(reject, Reject)
    assert (reject.row, reject.reason, reject.detail) == ("t3", "too long", f"{lengths[3]} > {lengths[2]} tokens")


def test_nothing_to_tokenize_is_no_error(tokenizer: PreTrainedTokenizerFast) -> None:
    assert list(tokenize([], tokenizer, 512)) == []


LENGTHS = st.lists(st.integers(1, 64), max_size=60)


@given(LENGTHS, st.integers(64, 200))
def test_packing_keeps_every_trace_whole_and_fills_no_row_over_its_capacity(lengths: list[int], capacity: int) -> None:
    rows = pack(lengths, capacity)
    assert sorted(index for found in rows for index in found) == list(range(len(lengths)))
    assert all(sum(lengths[index] for index in found) <= capacity for found in rows)


@given(LENGTHS, st.integers(64, 200))
def test_a_trace_lies_in_the_fullest_row_that_took_it(lengths: list[int], capacity: int) -> None:
    room: list[int] = []
    for need in sorted(lengths, reverse=True):
        fitting = [left for left in room if left >= need]
        if fitting:
            room.remove(min(fitting))
        room.append((min(fitting) if fitting else capacity) - need)
    found = [capacity - sum(lengths[index] for index in row) for row in pack(lengths, capacity)]
    assert sorted(found) == sorted(room)


@given(LENGTHS)
def test_capacity_zero_keeps_the_traces_apart_and_in_order(lengths: list[int]) -> None:
    assert pack(lengths, 0) == [[index] for index in range(len(lengths))]


def test_a_trace_longer_than_a_row_is_an_error_with_the_mend() -> None:
    with pytest.raises(ValueError, match="raise pack_tokens to 9"):
        pack([3, 9], 8)


def test_rows_are_read_back_from_several_files_by_their_number(tmp_path: Path) -> None:
    files = [TokenFile(tmp_path / name) for name in ("a.bin", "empty.bin", "b.bin")]
    written = [[row([1, 2], 1), row([3], 0)], [], [row([4, 5, 6], 2)]]
    for file, rows in zip(files, written, strict=True):
        file.write(rows)
    tokens = TokenFiles(files)
    assert tokens.lengths.tolist() == [2, 1, 3]
    assert [(tokens.read(i).ids.tolist(), tokens.read(i).prompt) for i in range(3)] == [
        ([1, 2], 1),
        ([3], 0),
        ([4, 5, 6], 2),
    ]


def test_a_packed_file_has_the_columns_that_the_trainer_reads(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens.bin")
    file.write([row([5, 6, 7], 1), row([4], 0), row([8, 9], 1)])
    write_packed(tmp_path / "rows", [[0, 2], [1]], TokenFiles([file]))
    table = pq.read_table(tmp_path / "rows")
    assert str(table.schema.field("input_ids").type.value_type) == "int32"
    assert table.to_pydict() == {
        "input_ids": [[5, 6, 7, 8, 9], [4]],
        "labels": [[IGNORED, 6, 7, IGNORED, 9], [4]],
        "seq_lengths": [[3, 2], [1]],
    }


def test_no_traces_make_an_empty_file(tmp_path: Path) -> None:
    write_packed(tmp_path / "rows", [], TokenFiles([]))
    assert pq.read_table(tmp_path / "rows").num_rows == 0


def test_rows_are_spread_over_shards_in_their_order(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens.bin")
    file.write([row([n] * 4, 1) for n in range(5)])
    write_packed(tmp_path / "rows", [[0], [1], [2], [3], [4]], TokenFiles([file]), shard_tokens=8)
    shards = [pq.read_table(path)["input_ids"].to_pylist() for path in sorted((tmp_path / "rows").iterdir())]
    assert shards == [[[0] * 4, [1] * 4], [[2] * 4, [3] * 4], [[4] * 4]]
