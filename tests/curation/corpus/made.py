"""Sources written for these tests, and a run of the corpus over them."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hexad.curation.corpus.config import CorpusConfig
from hexad.curation.corpus.run import Corpus, open_corpus
from hexad.curation.readers import SourceConfig
from hexad.curation.splits import split_of
from hexad.pretraining.tokenizer import train_tokenizer
from hexad.records import Message, Prompt

_RNG = Random(3)
_VOCABULARY = ["".join(_RNG.choices("abcdefghijklmnopqrstuvwxyz", k=_RNG.randint(3, 8))) for _ in range(1500)]


def question(rng: Random, words: int = 30) -> str:
    """A question of random words that falls into the training split."""
    while True:
        text = f"What is {rng.randint(10, 99)} if {' '.join(rng.choices(_VOCABULARY, k=words))}?"
        if split_of(text) == "train":
            return text


def response(rng: Random, answer: str = "5", words: int = 80, working: str | None = None) -> str:
    working = " ".join(rng.choices(_VOCABULARY, k=words)) if working is None else working
    return f"<think>{working}</think><answer>{answer}</answer>"


def am_row(asked: str, answered: str, **more: Any) -> dict[str, Any]:
    turns = [{"from": "human", "value": asked}, {"from": "assistant", "value": answered}]
    return {"conversations": turns, "source": "made", **more}


def guru_row(asked: str, truth: str, **more: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": asked}]
    return {"data_source": "math__made", "prompt": turns, "reward_model": {"ground_truth": truth}, **more}


def write_jsonl(path: Path, rows: Iterable[dict[str, Any] | str]) -> None:
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines))


def write_parquet(path: Path, rows: Sequence[dict[str, Any]], group: int = 20) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=group)


def source(path: Path, kind: str = "am_thinking", **more: Any) -> SourceConfig:
    domain = None if kind == "guru" else "math"
    return SourceConfig.model_validate(
        {"id": f"org/{kind}", "revision": "r1", "path": str(path), "kind": kind, "domain": domain, **more}
    )


def items(*questions: str, **more: Any) -> list[Prompt]:
    return [
        Prompt.model_validate(
            {"id": f"item-{n}", "domain": "math", "source": "bench", "revision": "1", "grader": "math",
             "prompt": [Message(role="user", content=text)], "gold": {"value": "1"}, **more}
        )
        for n, text in enumerate(questions)
    ]  # fmt: skip


def base_model(folder: Path) -> Path:
    train_tokenizer(["what is a b c d e f g 1 2 3", *_VOCABULARY], 400).save_pretrained(folder)
    return folder


def run(
    sources: Sequence[SourceConfig], config: CorpusConfig, work: Path, base: Path, benchmark: list[Prompt]
) -> Corpus:
    corpus = open_corpus(sources, config, work)
    corpus.clean({"bench": benchmark}, lambda done, note: None)
    corpus.finish(base, 2000, lambda done, note: None)
    return corpus


def digests(work: Path) -> dict[str, str]:
    """Name and sha256 of every file below `work`."""
    return {
        path.relative_to(work).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(work.rglob("*"))
        if path.is_file()
    }
