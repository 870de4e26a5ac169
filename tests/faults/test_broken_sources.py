"""Broken files and rows: each ends as a reject with its reason, or as one clear error, and the counts add up."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hexad.curation.readers import SourceConfig, SourceError, read_source
from hexad.records import Prompt, Reject, Trace

DATA = Path(__file__).parent.parent / "curation" / "data"
BAD = [json.loads(line) for line in (DATA / "bad_rows.jsonl").read_text().splitlines()]


def _read(path: Path, kind: str = "am_thinking", domain: str | None = "math") -> list[Trace | Prompt | Reject]:
    source = {"id": "org/data", "revision": "r", "path": str(path), "kind": kind, "domain": domain}
    return list(read_source(SourceConfig.model_validate(source)))


@pytest.mark.parametrize("bad", BAD, ids=lambda b: b["case"])
def test_a_broken_row_is_a_reject_with_its_place_and_the_rows_around_it_are_read(
    bad: dict[str, Any], tmp_path: Path
) -> None:
    folder = {"am_thinking": "am_thinking/math", "guru": "guru/table__multihier_1.5k"}
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    chat = json.dumps({"messages": turns, "domain": "math"})
    own = {"chat": chat, "questions": json.dumps({"problem": "What is 1 + 1?", "answer": "2", "domain": "math"})}
    good = own.get(bad["kind"]) or (DATA / f"{folder[bad['kind']]}.jsonl").read_text().splitlines()[0]
    (tmp_path / "x.jsonl").write_text(f"{good}\n{bad['line']}\n{good}\n")
    first, broken, last = _read(tmp_path / "x.jsonl", bad["kind"], None if bad["kind"] in own else "math")
    assert not isinstance(first, Reject) and not isinstance(last, Reject)
    assert isinstance(broken, Reject), broken
    assert (broken.reason, broken.row, broken.stage) == (
        bad["reason"],
        f"org/data/x.jsonl@{len(good.encode()) + 1}",
        "read",
    )


def test_all_broken_rows_in_one_file_are_counted(tmp_path: Path) -> None:
    lines = [bad["line"] for bad in BAD if bad["kind"] == "guru"]
    (tmp_path / "x.jsonl").write_text("\n".join(lines) + "\n")
    rows = _read(tmp_path / "x.jsonl", "guru")
    assert len(rows) == len(lines) >= 20
    assert all(isinstance(row, Reject) for row in rows)


@pytest.mark.parametrize(
    ("data", "reasons"),
    [
        (b"", ["empty file"]),
        (b"\n\n", ["empty line", "empty line"]),
        (b'{"conversations": "\xff\xfe"}\n', ["bad UTF-8"]),
        ('{"conversations": []}\n'.encode("utf-16"), ["bad UTF-8", "bad JSON"]),
        (b"\x1f\x8b\x08\x00packed\n", ["bad UTF-8"]),
        (b"\x00\x00\x00\n", ["bad JSON"]),
        (b'[\n{"conversations": []}\n]\n', ["bad JSON", "no turns", "bad JSON"]),
        (b'{"conversations": [{"from": "human", "value": "cut', ["bad JSON"]),
    ],
)
def test_a_broken_jsonl_file_gives_one_reject_for_each_line(data: bytes, reasons: list[str], tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(data)
    assert [row.reason for row in _read(tmp_path / "x.jsonl") if isinstance(row, Reject)] == reasons


def _table(path: Path, rows: int) -> None:
    turns = [{"from": "human", "value": f"q{i}" * 50} for i in range(rows)]
    pq.write_table(pa.table({"conversations": [[turn] for turn in turns]}), path, compression="none")


def test_an_empty_parquet_file_is_a_reject(tmp_path: Path) -> None:
    _table(tmp_path / "x.parquet", 0)
    (row,) = _read(tmp_path / "x.parquet")
    assert isinstance(row, Reject) and row.reason == "empty file"


def test_bad_utf8_in_parquet_is_a_reject_of_that_row_alone(tmp_path: Path) -> None:
    texts = _unchecked()
    turns = pa.StructArray.from_arrays([pa.array(["human"] * 3), texts], ["from", "value"])
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), turns)
    pq.write_table(pa.table({"conversations": lists}), tmp_path / "x.parquet")
    kinds = [row.reason if isinstance(row, Reject) else "read" for row in _read(tmp_path / "x.parquet")]
    assert kinds == ["read", "bad UTF-8", "read"]


def _unchecked() -> Any:
    """Three texts of which the second is no UTF-8, as a faulty writer leaves them."""
    raw = pa.array([b"good", b"\xff\xfe", b"good"], pa.binary())
    return pa.Array.from_buffers(pa.string(), 3, raw.buffers())


@pytest.mark.parametrize("damage", ["emptied", "cut", "overwritten", "no Parquet at all"])
def test_a_damaged_parquet_file_is_one_error_that_names_the_file_and_the_mend(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    _table(path, 1000)
    data = path.read_bytes()
    path.write_bytes(
        {
            "emptied": b"",
            "cut": data[: len(data) // 2],
            "overwritten": b"PAR1" + b"\xee" * (len(data) // 2) + data[4 + len(data) // 2 :],
            "no Parquet at all": b"<html>404</html>",
        }[damage]
    )
    with pytest.raises(SourceError, match=r"x\.parquet is damaged .* fetch the file again"):
        _read(path)


def test_a_value_that_only_parquet_knows_is_a_reject(tmp_path: Path) -> None:
    gold = {"header": ["a"], "rows": [[b"\x00"]]}
    row = {"data_source": "logic__zebra_puzzle_dataset", "prompt": [{"role": "user", "content": "q"}],
           "reward_model": {"ground_truth": gold}}  # fmt: skip
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "x.parquet")
    (read,) = _read(tmp_path / "x.parquet", "guru")
    assert isinstance(read, Reject) and read.reason == "value of a wrong type"


@pytest.mark.parametrize(
    ("name", "message"), [("none-*.jsonl", "no file matches"), ("x.csv", "neither .jsonl nor .parquet")]
)
def test_a_path_that_cannot_be_read_is_one_error(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n")
    with pytest.raises(SourceError, match=message):
        _read(tmp_path / name)
