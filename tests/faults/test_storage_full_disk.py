"""A full disk: one clear line, nothing half-written under a final name, and the next run goes on."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_disk import small_disk

from hexad.records import Provenance
from hexad.storage import DiskFull, StorageError, Store, commit_tree, fetch_tree, open_store, read_manifest
from hexad.storage.embedded import EmbeddedS3

MADE_BY = Provenance(stage="sft")
MIB = 2**20


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes: EFBIG in place of ENOSPC, without root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    (made / "a").write_bytes(b"small")
    (made / "model").write_bytes(os.urandom(3 * MIB))
    return made


def test_a_full_local_disk_leaves_nothing_half_fetched(place: tuple[Store, str], folder: Path, tmp_path: Path) -> None:
    store, uri = place
    manifest = commit_tree(store, folder, uri, MADE_BY, {})
    with files_up_to(MIB), pytest.raises(DiskFull, match="free space") as error:
        fetch_tree(store, manifest, tmp_path / "in")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "in" / "model").exists()
    fetch_tree(store, manifest, tmp_path / "in")
    assert (tmp_path / "in" / "model").read_bytes() == (folder / "model").read_bytes()


def test_a_full_file_store_holds_no_tree_and_no_half_object(folder: Path, tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/store/tree"
    store = open_store(uri)
    with files_up_to(MIB), pytest.raises(DiskFull, match=f"{uri}/model: .*free space"):
        commit_tree(store, folder, uri, MADE_BY, {})
    assert read_manifest(store, uri) is None
    assert store.list(uri) in ([], [f"{uri}/a"])
    assert not list((tmp_path / "store").rglob("*model*"))
    assert commit_tree(store, folder, uri, MADE_BY, {}) == read_manifest(store, uri)


def test_a_disk_without_space_is_reported_as_such(folder: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2) as disk:
        uri = f"file://{disk}/tree"
        with pytest.raises(DiskFull, match="No space left on device; free space"):
            commit_tree(open_store(uri), folder, uri, MADE_BY, {})
        assert read_manifest(open_store(uri), uri) is None
        assert not list(disk.rglob("*model*"))


def test_a_full_embedded_store_is_reported_and_goes_on_after_space_is_freed(folder: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 14) as disk, EmbeddedS3(disk / "s3") as server:
        uri = "s3://hexad/tree"
        store = open_store(uri, server.environment())
        store.write_bytes("s3://hexad/a", b"x")
        ballast = disk / "ballast"
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        ballast.write_bytes(b"\0" * (free - 2 * MIB))
        with pytest.raises(DiskFull, match=f"{uri}/model: .*free space there"):
            commit_tree(store, folder, uri, MADE_BY, {})
        assert read_manifest(store, uri) is None
        ballast.unlink()
        manifest = commit_tree(store, folder, uri, MADE_BY, {})
        assert (fetch_tree(store, manifest, tmp_path / "in") / "model").stat().st_size == 3 * MIB


def test_a_store_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"a file where a folder should be")
    uri = f"file://{tmp_path}/taken/tree"
    with pytest.raises(StorageError, match="taken/tree/a") as error:
        open_store(uri).write_bytes(f"{uri}/a", b"x")
    assert "\n" not in str(error.value)
