"""Traces to rows of token ids that SFTTrainer reads without preparing them again.

TRL's own preparation tokenizes one row per call on rank 0 while the other ranks wait, and its packing cuts what is too
long; ours rejects with a reason. Token ids wait on disk while lengths alone are packed, so memory does not grow with
the corpus. Columns: input_ids int32, labels int32 (-100 where no loss is taken), seq_lengths.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from hexad.chat import prompt_text
from hexad.chat.template import END_OF_TURN
from hexad.curation.cached_encoding import CachedEncoder
from hexad.records import Reject, Trace

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
BATCH = 128  # traces given to the tokenizer at once: enough for its threads, little memory for long traces
GROUP_TOKENS = 1_000_000  # of one row group
SHARD_TOKENS = 500_000_000  # of one file: 4 GB before compression, where 5 GB are the most

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Tokenized:
    """One trace. Loss is taken from position `prompt` on."""

    ids: Tokens
    prompt: int

    @property
    def labels(self) -> Tokens:
        labels = self.ids.copy()
        labels[: self.prompt] = IGNORED
        return labels


def tokenize(
    traces: Iterable[Trace], tokenizer: "PreTrainedTokenizerBase", max_tokens: int
) -> Iterator[tuple[Tokenized, Trace] | Reject]:
    """For each trace its token ids and itself with its length, or why it is too long."""
    encoder = CachedEncoder(tokenizer)
    waiting = iter(traces)
    while batch := list(islice(waiting, BATCH)):
        yield from _tokenize(batch, encoder, max_tokens)


def pack(lengths: Sequence[int] | Tokens, capacity: int) -> list[list[int]]:
    """Indices of the traces of each row. Best-fit decreasing: every trace whole, in the fullest row that takes it.

    capacity 0: one trace a row. Raises ValueError for a trace longer than a row.
    """
    if not capacity:
        return [[index] for index in range(len(lengths))]
    rows: list[list[int]] = []
    by_room: dict[int, list[int]] = {}
    rooms = 0  # bit r is set when a row has room for r tokens: the next larger room is one shift away
    for index in np.argsort(-np.asarray(lengths, np.int64), kind="stable").tolist():
        need = int(lengths[index])
        if need > capacity:
            raise ValueError(f"trace {index} has {need} tokens, a packed row {capacity}; raise pack_tokens to {need}")
        wide = rooms >> need
        if wide:
            room = need + (wide & -wide).bit_length() - 1
            found = by_room[room]
            row = found.pop()
            if not found:
                rooms &= ~(1 << room)
            rows[row].append(index)
        else:
            room, row = capacity, len(rows)
            rows.append([index])
        if room > need:
            by_room.setdefault(room - need, []).append(row)
            rooms |= 1 << (room - need)
    return rows


class TokenFile:
    """Traces' token ids one after another in a file, with their lengths beside it: append, then read any of them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, rows: Iterable[Tokenized]) -> None:
        """Replace the file."""
        lengths = []
        with self._path.open("wb") as file:
            for row in rows:
                file.write(row.ids.tobytes())
                lengths.append((len(row.ids), row.prompt))
        np.save(self._path.with_suffix(".npy"), np.array(lengths, np.int32).reshape(-1, 2))

    def lengths(self) -> npt.NDArray[np.int32]:
        """(traces, 2): tokens in all, and of the prompt."""
        found: npt.NDArray[np.int32] = np.load(self._path.with_suffix(".npy"))
        return found

    @property
    def path(self) -> Path:
        return self._path


class TokenFiles:
    """Several token files as one sequence of traces."""

    def __init__(self, files: Sequence[TokenFile]) -> None:
        found = [file.lengths() for file in files]
        self._paths = [file.path for file in files]
        table = np.concatenate(found) if found else np.zeros((0, 2), np.int32)
        self.lengths, self._prompts = table[:, 0], table[:, 1]
        self._first = np.cumsum([0, *(len(one) for one in found)])
        self._offsets = np.concatenate(
            [np.zeros(0, np.int64), *(np.cumsum(one[:, 0], dtype=np.int64) - one[:, 0] for one in found)]
        )

    def read(self, index: int) -> Tokenized:
        file = int(np.searchsorted(self._first, index, "right")) - 1
        count = int(self.lengths[index])
        ids = np.fromfile(self._paths[file], "<i4", count, offset=4 * int(self._offsets[index]))
        return Tokenized(ids.astype(np.int32, copy=False), int(self._prompts[index]))


def write_packed(
    folder: Path, rows: Sequence[Sequence[int]], tokens: TokenFiles, shard_tokens: int = SHARD_TOKENS
) -> None:
    """Write the packed rows as shards of about `shard_tokens`. `rows`: what `pack` gave for the lengths of `tokens`."""
    folder.mkdir(parents=True)
    lists = pa.list_(pa.int32())
    schema = pa.schema([("input_ids", lists), ("labels", lists), ("seq_lengths", lists)])
    for number, shard in enumerate(_cut(rows, tokens.lengths, shard_tokens)):
        with pq.ParquetWriter(folder / f"{number:05d}.parquet", schema, compression="zstd") as writer:
            for group in _cut(shard, tokens.lengths, GROUP_TOKENS):
                found = [[tokens.read(index) for index in row] for row in group]
                arrays = [
                    _lists([np.concatenate([one.ids for one in row]) for row in found]),
                    _lists([np.concatenate([one.labels for one in row]) for row in found]),
                    _lists([np.array([len(one.ids) for one in row], np.int32) for row in found]),
                ]
                writer.write_table(pa.table(arrays, schema=schema))


def _lists(rows: list[Tokens]) -> pa.ListArray:
    offsets = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, np.concatenate(rows) if rows else np.zeros(0, np.int32))


def _cut(rows: Sequence[Sequence[int]], lengths: Tokens, most: int) -> Iterator[list[Sequence[int]]]:
    """The rows in runs that each end with the row that reaches `most` tokens; at least one run."""
    run: list[Sequence[int]] = []
    size = 0
    for row in rows:
        run.append(row)
        size += sum(int(lengths[index]) for index in row)
        if size >= most:
            yield run
            run, size = [], 0
    if run or not rows:
        yield run


def _tokenize(
    traces: list[Trace], encoder: CachedEncoder, max_tokens: int
) -> Iterator[tuple[Tokenized, Trace] | Reject]:
    prompts = encoder.encode([prompt_text(t.messages[:-1]) for t in traces])
    completions = encoder.encode([t.messages[-1].content + END_OF_TURN for t in traces])
    for trace, prompt, completion in zip(traces, prompts, completions, strict=True):
        total = len(prompt) + len(completion)
        if total > max_tokens:
            yield Reject(row=trace.id, stage="tokenize", reason="too long", detail=f"{total} > {max_tokens} tokens")
        else:
            yield (
                Tokenized(np.concatenate((prompt, completion)), len(prompt)),
                trace.model_copy(update={"tokens": total}),
            )
