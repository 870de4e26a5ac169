"""Trees: the commit protocol over both stores."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hexad.records import MANIFEST, Manifest, Provenance
from hexad.storage import (
    CorruptTree,
    FileTooLarge,
    StorageError,
    Store,
    TreeExists,
    commit_tree,
    fetch_tree,
    open_store,
    read_manifest,
    tree,
)

Place = tuple[Store, str]
MADE_BY = Provenance(stage="sft", seed=7)

# Letters, digits, signs and inner spaces of any script; what POSIX, S3 or a shell forbid in a name is left out.
NAME = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "S", "P", "Zs"), exclude_characters='/\\:*?"<>|'),
    min_size=1,
    max_size=20,
)
NAME = NAME.map(str.strip).filter(
    lambda name: name and not name.startswith(".") and not name.endswith(".") and name != MANIFEST
)


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@given(files=st.dictionaries(st.tuples(NAME, NAME), st.binary(max_size=200), max_size=5))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_tree_comes_back_with_the_same_names_and_bytes(
    place: Place, tmp_path_factory: pytest.TempPathFactory, files: dict[tuple[str, str], bytes]
) -> None:
    store, uri = place
    uri = f"{uri}/{os.urandom(8).hex()}"
    content = {f"{first}/x/{last}": data for (first, last), data in files.items()}
    committed = commit_tree(store, write(tmp_path_factory.mktemp("out"), content), uri, MADE_BY, {"rows": 3})
    found = read_manifest(store, uri)
    assert found == committed
    assert found.provenance == MADE_BY
    assert found.metadata == {"rows": 3}
    assert read(fetch_tree(store, found, tmp_path_factory.mktemp("in"))) == content


def test_a_tree_without_a_manifest_does_not_exist(place: Place, tmp_path: Path) -> None:
    store, uri = place
    commit_tree(store, write(tmp_path, {"a": b"1"}), uri, MADE_BY, {})
    store.delete(f"{uri}/{MANIFEST}")
    assert read_manifest(store, uri) is None


def test_the_manifest_is_written_after_every_file(place: Place, tmp_path: Path) -> None:
    store, uri = place
    write(tmp_path, {f"f{n}": b"x" for n in range(10)})
    with pytest.raises(ConnectionError):
        commit_tree(BreaksAfter(store, uploads=9), tmp_path, uri, MADE_BY, {})
    assert read_manifest(store, uri) is None


def test_an_interrupted_commit_is_completed_by_running_it_again(place: Place, tmp_path: Path) -> None:
    store, uri = place
    content = {f"f{n}": bytes([n]) * 1000 for n in range(10)}
    write(tmp_path / "out", content)
    with pytest.raises(ConnectionError):
        commit_tree(BreaksAfter(store, uploads=4), tmp_path / "out", uri, MADE_BY, {})
    manifest = commit_tree(store, tmp_path / "out", uri, MADE_BY, {})
    assert read(fetch_tree(store, manifest, tmp_path / "in")) == content


def test_committing_the_same_tree_again_returns_it(place: Place, tmp_path: Path) -> None:
    store, uri = place
    write(tmp_path, {"a": b"1"})
    assert commit_tree(store, tmp_path, uri, MADE_BY, {}) == commit_tree(store, tmp_path, f"{uri}/", MADE_BY, {})


@pytest.mark.parametrize("change", [{"a": b"2"}, {"b": b"1"}])
def test_a_committed_tree_is_never_overwritten(place: Place, tmp_path: Path, change: dict[str, bytes]) -> None:
    store, uri = place
    first = commit_tree(store, write(tmp_path / "1", {"a": b"1"}), uri, MADE_BY, {})
    with pytest.raises(TreeExists, match="commit to a new URI"):
        commit_tree(store, write(tmp_path / "2", {"a": b"1", **change}), uri, MADE_BY, {})
    assert read(fetch_tree(store, first, tmp_path / "in")) == {"a": b"1"}


def test_files_that_are_there_and_right_are_not_fetched_again(place: Place, tmp_path: Path) -> None:
    store, uri = place
    manifest = commit_tree(store, write(tmp_path / "out", {"a": b"1", "b/c": b"2"}), uri, MADE_BY, {})
    into = fetch_tree(store, manifest, tmp_path / "in")
    before = (into / "a").stat().st_ino
    (into / "b/c").write_bytes(b"spoilt")
    assert read(fetch_tree(store, manifest, into)) == {"a": b"1", "b/c": b"2"}
    assert (into / "a").stat().st_ino == before


def test_progress_runs_to_the_tree_s_bytes_in_both_directions(place: Place, tmp_path: Path) -> None:
    store, uri = place
    write(tmp_path / "out", {"a": b"1" * 100, "b": b"2" * 23, "empty": b""})
    up, down = [(0, 0)], [(0, 0)]
    manifest = commit_tree(store, tmp_path / "out", uri, MADE_BY, {}, progress=lambda *step: up.append(step))
    fetch_tree(store, manifest, tmp_path / "in", progress=lambda *step: down.append(step))
    assert up[-1] == down[-1] == (123, 123)
    assert up == sorted(up) and down == sorted(down)


def test_a_moved_tree_is_read_from_where_it_lies(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    store = open_store(f"file://{old}")
    commit_tree(store, write(tmp_path / "out", {"a": b"1"}), f"file://{old}", MADE_BY, {})
    old.rename(new)
    manifest = read_manifest(store, f"file://{new}")
    assert manifest is not None
    assert read(fetch_tree(store, manifest, tmp_path / "in")) == {"a": b"1"}


def test_a_file_too_large_for_one_object_is_refused_before_anything_is_sent(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, uri = place
    monkeypatch.setattr(tree, "MAX_FILE_BYTES", 10)
    with pytest.raises(FileTooLarge, match=r"model\.bin: 11 bytes.*shards"):
        commit_tree(store, write(tmp_path, {"a": b"1", "model.bin": b"x" * 11}), uri, MADE_BY, {})
    assert store.list(uri) == []


def test_what_a_tree_cannot_hold_is_refused_and_not_left_out(tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/store"
    write(tmp_path / "own", {MANIFEST: b"{}"})
    write(tmp_path / "own-folder", {f"{MANIFEST}/x": b""})
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "dangling").symlink_to(tmp_path / "nowhere")
    for folder in ("own", "own-folder", "link", "missing"):
        with pytest.raises(StorageError, match=folder):
            commit_tree(open_store(uri), tmp_path / folder, uri, MADE_BY, {})


@pytest.mark.parametrize("path", ["../outside", "/outside", "a/../../outside"])
def test_a_manifest_cannot_write_outside_the_folder(tmp_path: Path, path: str) -> None:
    uri = f"file://{tmp_path}/store"
    made = commit_tree(open_store(uri), write(tmp_path / "out", {"a": b"1"}), uri, MADE_BY, {})
    evil = Manifest.model_validate({**made.model_dump(), "files": [{**made.files[0].model_dump(), "path": path}]})
    with pytest.raises(CorruptTree, match="outside"):
        fetch_tree(open_store(uri), evil, tmp_path / "in")


class BreaksAfter:
    """A store whose connection is gone after some uploads: the fault that a real store produces only by luck."""

    def __init__(self, store: Store, uploads: int) -> None:
        self._store, self._left = store, uploads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def upload(self, *arguments: Any) -> None:
        if self._left == 0:
            raise ConnectionError("broken on purpose")
        self._left -= 1
        self._store.upload(*arguments)
