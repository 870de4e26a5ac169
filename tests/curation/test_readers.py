"""What becomes of the rows of AM-Thinking-v1-Distilled, Guru and chat files."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hexad.curation.readers import RowError, SourceConfig, read_source
from hexad.curation.readers.files import Row, read_jsonl
from hexad.curation.readers.packed import unpack
from hexad.curation.structure import check_trace
from hexad.grading.grade import verify_gold
from hexad.records import Message, Prompt, Reject, Trace

from .rows import DATA, cases


def _source(path: Path | str, kind: str, **more: Any) -> SourceConfig:
    return SourceConfig.model_validate(
        {"id": "org/data", "revision": "abc123", "path": str(path), "kind": kind, **more}
    )


def _read(path: Path | str, kind: str, **more: Any) -> list[Trace | Prompt | Reject]:
    return list(read_source(_source(path, kind, **more)))


def _only(path: Path, kind: str, **more: Any) -> Trace | Prompt | Reject:
    (row,) = _read(path, kind, **more)
    return row


def _as_parquet(jsonl: Path, folder: Path) -> Path:
    rows = [json.loads(line) for line in jsonl.read_text().splitlines()]
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{jsonl.stem}.parquet")
    return folder / f"{jsonl.stem}.parquet"


# --- AM-Thinking-v1-Distilled


@pytest.mark.parametrize("subset", ["math", "code", "science", "if", "multiturn", "chat"])
def test_every_subset_is_read_whole_into_well_formed_traces(subset: str) -> None:
    rows = _read(DATA / f"am_thinking/{subset}.jsonl", "am_thinking", domain="science")
    assert rows and all(isinstance(row, Trace) and check_trace(row) is None for row in rows)


@pytest.mark.parametrize("subset", ["math", "code", "science"])
def test_the_domain_is_in_the_name_of_the_file(subset: str) -> None:
    assert {row.domain for row in _read(DATA / f"am_thinking/{subset}.jsonl", "am_thinking")} == {subset}  # type: ignore[union-attr]


def test_a_file_that_names_no_domain_is_rejected_with_the_mend() -> None:
    row = _only(DATA / "am_thinking/if.jsonl", "am_thinking")
    assert isinstance(row, Reject) and row.reason == "no domain" and "set the source's `domain`" in row.detail


@pytest.mark.parametrize(
    ("subset", "upstream"), [("math", "openr1_math"), ("code", "KodCode"), ("science", "natural_reasoning")]
)
def test_the_upstream_source_stays_with_the_row(subset: str, upstream: str) -> None:
    rows = _read(DATA / f"am_thinking/{subset}.jsonl", "am_thinking")
    assert {(row.source, row.revision) for row in rows} == {(f"org/data:{upstream}", "abc123")}  # type: ignore[union-attr]


def test_the_system_text_of_the_row_becomes_the_first_turn() -> None:
    row = _only(DATA / "am_thinking/code.jsonl", "am_thinking")
    assert isinstance(row, Trace) and row.messages[0] == Message(role="system", content="Think first.")


def test_the_id_leads_back_to_the_byte_of_the_file() -> None:
    path = DATA / "am_thinking/math.jsonl"
    second = _read(path, "am_thinking")[1]
    assert isinstance(second, Trace)
    name, _, offset = second.id.rpartition("@")
    assert name == "org/data/math.jsonl"
    assert (
        json.loads(path.read_bytes()[int(offset) :].splitlines()[0])["conversations"][0]["value"]
        in second.messages[0].content
    )


# --- Guru


@pytest.mark.parametrize("expected", cases("guru_expected.jsonl"), ids=lambda e: e["file"])
def test_each_guru_file_gives_its_domain_and_a_typed_gold(expected: dict[str, Any]) -> None:
    row = _only(DATA / "guru" / expected["file"], "guru")
    assert isinstance(row, Prompt), row
    assert (row.domain, row.grader) == (expected["domain"], expected["domain"])
    assert row.gold.model_dump() == {"options": {}, **expected["gold"]}


@pytest.mark.parametrize("expected", cases("guru_expected.jsonl"), ids=lambda e: e["file"])
def test_the_grader_takes_every_gold_for_its_own_answer(expected: dict[str, Any]) -> None:
    row = _only(DATA / "guru" / expected["file"], "guru")
    assert isinstance(row, Prompt) and verify_gold(row) is None


def test_arc_rows_are_logic_whichever_prefix_they_carry(tmp_path: Path) -> None:
    row = json.loads((DATA / "guru/logic__arcagi1_111.jsonl").read_text())
    for name in ("simulation__arcagi1", "logic__arcagi1", "simulation__arcagi2", "logic__barc"):
        (tmp_path / "x.jsonl").write_text(json.dumps({**row, "data_source": name}))
        read = _only(tmp_path / "x.jsonl", "guru")
        assert isinstance(read, Prompt) and (read.domain, read.gold.type) == ("logic", "grid")


def test_pass_rates_become_difficulty_by_model() -> None:
    row = _only(DATA / "guru/math__combined_54.4k.jsonl", "guru")
    assert isinstance(row, Prompt)
    assert row.difficulty == {"qwen2.5_7b": 0.25, "qwen3_30b": 0.875, "llama8b": 0.5}


def test_a_pass_rate_of_nan_is_not_measured_rather_than_zero(tmp_path: Path) -> None:
    row = json.loads((DATA / "guru/math__combined_54.4k.jsonl").read_text())
    (tmp_path / "x.jsonl").write_text(json.dumps({**row, "qwen2.5_7b_pass_rate": float("nan")}))
    read = _only(tmp_path / "x.jsonl", "guru")
    assert isinstance(read, Prompt) and "qwen2.5_7b" not in read.difficulty


@pytest.mark.parametrize("expected", cases("guru_expected.jsonl"), ids=lambda e: e["file"])
@pytest.mark.parametrize("columns", [("reward_model", "extra_info"), ("ground_truth",)], ids=["columns", "gold"])
def test_the_compressed_variant_gives_the_same_prompt(
    columns: tuple[str, ...], expected: dict[str, Any], tmp_path: Path
) -> None:
    plain = json.loads((DATA / "guru" / expected["file"]).read_text())
    row = json.loads(json.dumps(plain))
    for holder in (row, row["reward_model"]):
        for column in columns:
            if column in holder:
                holder[column] = base64.b64encode(gzip.compress(json.dumps(holder[column]).encode())).decode()
    (tmp_path / expected["file"]).write_text(json.dumps(row))
    assert row != plain
    assert _only(tmp_path / expected["file"], "guru") == _only(DATA / "guru" / expected["file"], "guru")


def test_a_column_that_unpacks_to_too_much_is_refused_before_it_fills_the_memory() -> None:
    bomb = base64.b64encode(gzip.compress(b"[" + b" " * 1_000_000 + b"]")).decode()
    with pytest.raises(RowError, match="unpacks to more than 1000 bytes"):
        unpack(bomb, "extra_info", limit=1000)


# --- benchmarks


@pytest.mark.parametrize("case", cases("questions.jsonl"), ids=lambda c: c["case"])
def test_a_published_benchmark_row_gives_question_id_date_and_answer(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps(case["row"]))
    row = _only(tmp_path / "x.jsonl", "questions", domain="math")
    assert isinstance(row, Prompt), row
    found = {"question": row.prompt[0].content, "id": row.id, "date": row.date, "answer": row.gold.value}
    assert found == case["gives"]


# --- chat


def test_a_chat_row_takes_its_domain_from_the_row_or_the_source(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "<think>t</think><answer>a</answer>"}]
    (tmp_path / "x.jsonl").write_text(json.dumps({"messages": turns, "domain": "logic"}))
    named, given = _only(tmp_path / "x.jsonl", "chat"), _only(tmp_path / "x.jsonl", "chat", domain="math")
    assert isinstance(named, Trace) and isinstance(given, Trace)
    assert (named.domain, given.domain) == ("logic", "math")


# --- files


@pytest.mark.parametrize(("folder", "kind"), [("am_thinking", "am_thinking"), ("guru", "guru")])
def test_parquet_and_jsonl_give_the_same_records(folder: str, kind: str, tmp_path: Path) -> None:
    for jsonl in sorted((DATA / folder).glob("*.jsonl")):
        parquet = _as_parquet(jsonl, tmp_path)
        left, right = _read(jsonl, kind, domain="math"), _read(parquet, kind, domain="math")
        assert [r.model_dump(exclude={"id"}) for r in left] == [r.model_dump(exclude={"id"}) for r in right]
        assert [r.id for r in right] == [f"org/data/{parquet.name}#{i}" for i in range(len(right))]  # type: ignore[union-attr]


def test_a_glob_reads_all_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b/00.jsonl", "a/00.jsonl", "a/01.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"messages": [{"role": "user", "content": name}]}))
    rows = _read(tmp_path / "**/*.jsonl", "chat", domain="math")
    assert [row.id for row in rows] == [f"org/data/{n}@0" for n in ("a/00.jsonl", "a/01.jsonl", "b/00.jsonl")]  # type: ignore[union-attr]


def test_the_limit_counts_rejected_rows_too(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("nonsense\n" * 3 + (DATA / "am_thinking/math.jsonl").read_text())
    rows = _read(tmp_path / "x.jsonl", "am_thinking", domain="math", limit=4)
    assert [isinstance(row, Reject) for row in rows] == [True, True, True, False]


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path: Path) -> None:
    good = (DATA / "am_thinking/math.jsonl").read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "math.jsonl").write_bytes(b"\xef\xbb\xbf" + good)
    assert [type(row) for row in _read(tmp_path / "math.jsonl", "am_thinking")] == [Trace, Trace]


def test_a_line_beyond_the_limit_is_rejected_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"a": "' + "x" * 500 + '"}\n{"a": 1}\n')
    long, short = read_jsonl(str(tmp_path / "x.jsonl"), "x.jsonl", max_line=100)
    assert isinstance(long, Reject) and long.reason == "line too long"
    assert isinstance(short, Row) and short.fields == {"a": 1}
