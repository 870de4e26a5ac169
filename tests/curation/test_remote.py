"""Sources in a store are brought here once, and have the ids that they would have had in place."""

from pathlib import Path

import pytest

from hexad.curation.readers import SourceConfig, SourceError, read_source
from hexad.curation.readers.remote import localise

from .corpus.made import am_row, write_jsonl


def source(path: str, revision: str = "r1") -> SourceConfig:
    return SourceConfig(id="org/data", revision=revision, path=path, kind="am_thinking", domain="math")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for name in ("a/math.jsonl", "a/b/math.jsonl", "a/b/code.jsonl", "other.jsonl"):
        (tmp_path / "store" / name).parent.mkdir(parents=True, exist_ok=True)
        write_jsonl(tmp_path / "store" / name, [am_row("q", "a")])
    (tmp_path / "store/a/README.md").write_text("no data")
    return tmp_path / "store"


@pytest.mark.parametrize("pattern", ["a/math.jsonl", "a/*.jsonl", "**/math.jsonl", "a/**/*.jsonl", "*/b/c?de.jsonl"])
def test_a_pattern_in_a_store_reads_as_the_same_pattern_on_disk(pattern: str, store: Path, tmp_path: Path) -> None:
    here = list(read_source(source(f"{store}/{pattern}")))
    fetched = list(read_source(localise(source(f"file://{store}/{pattern}"), tmp_path / "cache")))
    assert fetched == here != []


def test_what_was_fetched_is_not_fetched_again(store: Path, tmp_path: Path) -> None:
    remote = source(f"file://{store}/a/**/*.jsonl")
    first = list(read_source(localise(remote, tmp_path / "cache")))
    for path in store.rglob("*.jsonl"):
        path.write_text("changed")
    assert list(read_source(localise(remote, tmp_path / "cache"))) == first


def test_a_pattern_that_matches_nothing_is_an_error_with_the_mend(store: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no object matches .*upload the dataset there"):
        localise(source(f"file://{store}/z/*.jsonl"), tmp_path / "cache")


@pytest.mark.parametrize(
    ("path", "revision", "mend"),
    [
        ("hf://datasets/org/name/*.parquet", "main", "give the 40 hexadecimal digits"),
        ("hf://org/name/*.parquet", "0" * 40, "is not hf://datasets/ORG/NAME/FILES"),
    ],
)
def test_a_hub_dataset_is_named_in_full_and_pinned_by_its_commit(
    path: str, revision: str, mend: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=mend):
        localise(source(path, revision), tmp_path)


def test_a_local_path_stays_as_it_is(tmp_path: Path) -> None:
    assert localise(source("data/*.jsonl"), tmp_path) == source("data/*.jsonl")
