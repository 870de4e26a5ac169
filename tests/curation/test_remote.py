"""Sources in a store are read there by ranges or brought here once, with the ids that they would have had on disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from hexad.curation.corpus.parts import list_parts
from hexad.curation.readers import SourceConfig, SourceError, read_source
from hexad.curation.readers.files import File, Row, find_files, read_rows
from hexad.curation.readers.remote import localise
from hexad.records import Provenance
from hexad.storage import StorageError, Store, commit_tree, open_store, read_manifest
from hexad.storage.local import LocalStore
from hexad.storage.ranged_file import BUFFER
from hexad.storage.s3 import S3Store

from .corpus.made import am_row, write_jsonl, write_parquet


def source(path: str, revision: str = "r1") -> SourceConfig:
    return SourceConfig(id="org/data", revision=revision, path=path, kind="am_thinking", domain="math")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a/math.jsonl", "a/b/math.jsonl", "a/b/code.jsonl", "other.jsonl"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        write_jsonl(tmp_path / "data" / name, [am_row(f"{name} {n}", "a") for n in range(5)])
    write_parquet(tmp_path / "data/a/b/math.parquet", [am_row(f"p {n}", "a") for n in range(50)])
    (tmp_path / "data/a/README.md").write_text("no data")
    return tmp_path / "data"


@pytest.fixture
def stored(folder: Path, place: tuple[Store, str], request: pytest.FixtureRequest) -> Iterator[str]:
    """URI under which the folder's files lie as objects: in a local store, and in a real S3 server."""
    store, uri = place
    for path in sorted(folder.rglob("*.*")):
        store.upload(path, f"{uri}/{path.relative_to(folder).as_posix()}")
    with pytest.MonkeyPatch.context() as patch:
        if uri.startswith("s3:"):
            for name, value in request.getfixturevalue("s3_environment").items():
                patch.setenv(name, value)
        yield uri


PATTERNS = ["a/math.jsonl", "a/*.jsonl", "**/math.jsonl", "a/**/*.jsonl", "*/b/c?de.jsonl", "a/b/math.parquet"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_in_a_store_reads_as_the_same_pattern_on_disk(
    pattern: str, stored: str, folder: Path, tmp_path: Path
) -> None:
    here = list(read_source(source(f"{folder}/{pattern}")))
    assert list(read_source(localise(source(f"{stored}/{pattern}"), tmp_path / "cache"))) == here != []
    assert not (tmp_path / "cache").exists()


def test_parts_of_objects_read_each_row_once(stored: str) -> None:
    for pattern in ("a/math.jsonl", "a/b/math.parquet"):
        one = source(f"{stored}/{pattern}")
        whole = [row.place for row in read_rows(one.path) if isinstance(row, Row)]
        for size in (1, 300, 10**9):
            parts = list_parts([one], size)
            pieces = [File(part.file, part.name).read(part.start, part.stop) for part in parts]
            assert [row.place for piece in pieces for row in piece if isinstance(row, Row)] == whole
        assert len(whole) >= 5


def test_a_range_of_an_object_costs_its_bytes_not_the_whole_object(
    stored: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jsonl(folder / "large.jsonl", [{"text": "x" * 10_000, "n": n} for n in range(1000)])
    open_store(stored).upload(folder / "large.jsonl", f"{stored}/large.jsonl")
    read: list[int] = []
    for kind in (LocalStore, S3Store):
        real = kind.read_range

        def counted(self: Store, uri: str, offset: int, length: int, real: Any = real) -> bytes:
            read.append(length)
            return cast(bytes, real(self, uri, offset, length))

        monkeypatch.setattr(kind, "read_range", counted)
    rows = list(File(f"{stored}/large.jsonl", "large.jsonl").read(100_000, 140_000))
    assert [row.fields["n"] for row in rows if isinstance(row, Row)] == [10, 11, 12, 13]
    assert sum(read) == BUFFER < (folder / "large.jsonl").stat().st_size


def test_an_object_that_goes_away_is_an_error_of_the_store(stored: str) -> None:
    file = find_files(f"{stored}/other.jsonl")[0]
    open_store(stored).delete(file.place)
    with pytest.raises(StorageError, match=r"other\.jsonl"):
        list(file.read())


def test_a_pattern_that_matches_nothing_is_an_error_with_the_mend(stored: str) -> None:
    with pytest.raises(SourceError, match=r"no object matches .*upload the dataset there"):
        list(read_source(source(f"{stored}/z/*.jsonl")))


@pytest.fixture
def tree(folder: Path, stored: str) -> str:
    """URI of the folder as a committed tree."""
    return commit_tree(open_store(stored), folder, f"{stored}-tree", Provenance(stage="put"), {}).uri


def test_files_of_a_tree_are_brought_here_and_not_again(tree: str, folder: Path, tmp_path: Path) -> None:
    remote = source(f"{tree}#a/**/*.jsonl")
    first = list(read_source(localise(remote, tmp_path / "cache")))
    assert first == list(read_source(source(f"{folder}/a/**/*.jsonl"))) != []
    manifest, store = read_manifest(open_store(tree), tree), open_store(tree)
    assert manifest is not None
    for file in manifest.files:
        store.delete(f"{tree}/{file.path}")
    assert list(read_source(localise(remote, tmp_path / "cache"))) == first


def test_one_file_of_a_tree_is_brought_alone(tree: str, tmp_path: Path) -> None:
    local = localise(source(f"{tree}#a/**/*.jsonl"), tmp_path / "cache", ["b/code.jsonl"])
    assert [file.name for file in find_files(local.path)] == ["b/code.jsonl"]
    assert [path.name for path in (tmp_path / "cache").rglob("*.*")] == ["code.jsonl"]


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
