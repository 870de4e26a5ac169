"""A shard gives back the rows that were written, or says in one line why it cannot."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hexad.records import DOMAINS, Gold, Message, Prompt, Record, Reject, Rollout, Trace, Verdict
from hexad.records.shards import read_rows, write_rows

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MESSAGES = st.lists(st.builds(Message, content=TEXT), max_size=3)
DOMAIN = st.sampled_from(DOMAINS)
SCORE = st.none() | st.floats(0, 1)
COUNT = st.integers(0, 2**62)
GOLDS = st.builds(Gold, value=JSON, type=st.none() | TEXT, options=st.dictionaries(TEXT, JSON, max_size=2))
VERDICTS = st.builds(Verdict, score=SCORE, extracted=st.none() | TEXT, detail=TEXT, version=TEXT)
KINDS: dict[type[Record], st.SearchStrategy[Record]] = {
    Trace: st.builds(Trace, id=TEXT, domain=DOMAIN, source=TEXT, revision=TEXT, messages=MESSAGES, tokens=COUNT),
    Prompt: st.builds(
        Prompt, id=TEXT, domain=DOMAIN, source=TEXT, revision=TEXT, date=st.none() | TEXT, prompt=MESSAGES,
        gold=GOLDS, grader=TEXT, difficulty=st.dictionaries(TEXT, st.floats(0, 1), max_size=2),
    ),
    Rollout: st.builds(
        Rollout, prompt_id=TEXT, sample=COUNT, seed=COUNT, response=TEXT, tokens=COUNT, verdict=VERDICTS
    ),
    Reject: st.builds(Reject, row=TEXT, stage=TEXT, reason=TEXT, detail=TEXT),
}  # fmt: skip


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return tmp_path / "rows.parquet"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_rows_come_back_as_they_were_written(kind: type[Record], shard: Path, data: st.DataObject) -> None:
    rows = data.draw(st.lists(KINDS[kind], max_size=5))
    assert write_rows(shard, rows, kind) == len(rows)
    assert read_rows(shard, kind) == rows


def test_rows_of_another_kind_are_one_clear_error(shard: Path) -> None:
    write_rows(shard, [Reject(row="1", stage="test", reason="none")], Reject)
    with pytest.raises(ValueError, match=r"rows\.parquet: holds rows Reject/1, not Rollout/1; curate it again"):
        read_rows(shard, Rollout)


def test_an_empty_shard_has_a_kind_too(shard: Path) -> None:
    write_rows(shard, [], Trace)
    assert read_rows(shard, Trace) == []
    with pytest.raises(ValueError, match="holds rows Trace/1"):
        read_rows(shard, Prompt)


def test_another_version_is_one_clear_error(shard: Path) -> None:
    write_rows(shard, [], Trace)
    table = pq.read_table(shard)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"hexad.version": b"0"}), shard)
    with pytest.raises(ValueError, match=r"holds rows Trace/0, not Trace/1"):
        read_rows(shard, Trace)


def test_a_parquet_file_of_somebody_else_is_one_clear_error(shard: Path) -> None:
    write_rows(shard, [], Trace)
    pq.write_table(pq.read_table(shard).replace_schema_metadata(None), shard)
    with pytest.raises(ValueError, match=r"holds rows \?/\?, not Trace/1"):
        read_rows(shard, Trace)


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    rows = [Reject(row=str(n), stage="test", reason="none") for n in range(50)]
    for name in ("a", "b"):
        write_rows(tmp_path / name, rows, Reject)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
