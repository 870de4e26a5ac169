"""Traces to rows of token ids that SFTTrainer reads without preparing them again.

TRL's own preparation tokenizes one row per call on rank 0 while the other ranks wait, and its packing cuts what is too
long; ours rejects with a reason. Columns: input_ids int32, labels int32 (-100 where no loss is taken), seq_lengths.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from hexad.chat import prompt_text
from hexad.chat.template import END_OF_TURN
from hexad.records import Reject, Trace

IGNORED = -100


@dataclass(frozen=True)
class Tokenized:
    """One trace. Loss is taken from position `prompt` on."""

    ids: list[int]
    prompt: int

    @property
    def labels(self) -> list[int]:
        return [IGNORED] * self.prompt + self.ids[self.prompt :]


def tokenize(
    traces: Iterable[Trace], tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> tuple[list[Tokenized], list[Trace], list[Reject]]:
    """Token ids, the traces they came from with their lengths, and what was too long."""
    kept = list(traces)
    prompts = _encode(tokenizer, [prompt_text(t.messages[:-1]) for t in kept])
    completions = _encode(tokenizer, [t.messages[-1].content + END_OF_TURN for t in kept])
    rows, lengths, rejects = [], [], []
    for trace, prompt, completion in zip(kept, prompts, completions, strict=True):
        total = len(prompt) + len(completion)
        if total > max_tokens:
            rejects.append(
                Reject(row=trace.id, stage="tokenize", reason="too long", detail=f"{total} > {max_tokens} tokens")
            )
            continue
        rows.append(Tokenized(prompt + completion, len(prompt)))
        lengths.append(trace.model_copy(update={"tokens": total}))
    return rows, lengths, rejects


def pack(rows: Sequence[Tokenized], capacity: int) -> list[list[Tokenized]]:
    """Best-fit decreasing: every trace whole, in the fullest row that still takes it. capacity 0: one trace a row."""
    if not capacity:
        return [[row] for row in rows]
    bins: list[list[Tokenized]] = []
    by_room: dict[int, list[int]] = {}
    for row in sorted(rows, key=lambda r: -len(r.ids)):
        need = len(row.ids)
        room = min((r for r, found in by_room.items() if r >= need and found), default=None)
        if room is None:
            bins.append([row])
            by_room.setdefault(capacity - need, []).append(len(bins) - 1)
        else:
            index = by_room[room].pop()
            bins[index].append(row)
            by_room.setdefault(room - need, []).append(index)
    return bins


def write_packed(path: Path, bins: Sequence[Sequence[Tokenized]]) -> None:
    table = pa.table(
        {
            "input_ids": pa.array([[i for r in b for i in r.ids] for b in bins], pa.list_(pa.int32())),
            "labels": pa.array([[i for r in b for i in r.labels] for b in bins], pa.list_(pa.int32())),
            "seq_lengths": pa.array([[len(r.ids) for r in b] for b in bins], pa.list_(pa.int32())),
        }
    )
    pq.write_table(table, path, compression="zstd")


def _encode(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    if not texts:
        return []
    return list(tokenizer(texts, add_special_tokens=False)["input_ids"])
